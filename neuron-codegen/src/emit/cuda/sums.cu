// ---- Gradients of parameters --------------------------------------------------------------------------

// Each neuron's own gradient, which `backward` and `bptt` write, is added up over neurons, in float64 and in an
// order that depends on their number alone: the same bits in every run, and on the CPU.

// Value number `index`: a neuron's own gradient, or the sum of several.
__device__ __forceinline__ double term(const void *values, bool is_partial, u64 index) {
    return is_partial ? ((const double *)values)[index] : (double)((const real *)values)[index];
}

// Sums of 64 rows of `columns` values each. A thread adds up one column of them.
extern "C" __global__ void KERNEL(sum_rows)(
    const void *__restrict__ values,
    bool is_partial,
    u64 rows,
    u64 columns,
    double *__restrict__ sums)
{
    const u64 index = thread_index();
    const u64 first = index / columns * 64;
    if (first >= rows) return;
    double sum = 0.0;
    for (u64 row = first; row < rows && row < first + 64; row += 1) {
        sum += term(values, is_partial, row * columns + index % columns);
    }
    sums[index] = sum;
}

// Sums of 4096 neighbours, or fewer at the end of a channel of `inner` values. A block of 256 threads adds up
// one such segment.
extern "C" __global__ void KERNEL(sum_segments)(
    const void *__restrict__ values,
    bool is_partial,
    u64 inner,
    u64 segments,
    double *__restrict__ sums)
{
    __shared__ double lanes[256];
    const u64 channel = blockIdx.x / segments;
    const u64 first = blockIdx.x % segments * 4096;
    const u64 last = first + 4096 < inner ? first + 4096 : inner;
    double sum = 0.0;
    for (u64 at = first + threadIdx.x; at < last; at += 256) {
        sum += term(values, is_partial, channel * inner + at);
    }
    lanes[threadIdx.x] = sum;
    for (unsigned half = 128; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) lanes[threadIdx.x] += lanes[threadIdx.x + half];
    }
    if (threadIdx.x == 0) sums[blockIdx.x] = lanes[0];
}

// The sums in the format of the arithmetic.
extern "C" __global__ void KERNEL(round_sums)(
    const void *__restrict__ values,
    bool is_partial,
    u64 count,
    real *__restrict__ sums)
{
    const u64 index = thread_index();
    if (index < count) sums[index] = (real)term(values, is_partial, index);
}
