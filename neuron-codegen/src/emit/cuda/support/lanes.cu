// ---- Threads ------------------------------------------------------------------------------------------
//
// A thread computes LANES neurons, STEPS steps at a time: the loads of all these steps are in flight together.

#define UNROLL(i, count) _Pragma("unroll") for (int i = 0; i < (count); ++i)
#define FOR_LANES(lane) UNROLL(lane, LANES)

__device__ __forceinline__ u64 thread_index() {
    return (u64)blockIdx.x * blockDim.x + threadIdx.x;
}
