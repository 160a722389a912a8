// ---- Gradients of parameters, added up by each thread -------------------------------------------------

// Hides from the compiler where `value` comes from. What is made of it in a loop is then computed there, rather than before the loop
// and kept in registers.
__device__ __forceinline__ void opaque(u64 &value) {
#if defined(__CUDA_ARCH__)
    asm volatile("" : "+l"(value));
#endif
}

// The sums, in float64, of a parameter's gradients over the neurons that each lane of a thread computes one after the other. In
// shared memory, with a slot for each thread, they take no registers; threads need not be synchronised.
template <int LANES, int SLOTS> struct GradientSum {
    double values[LANES][SLOTS];

    __device__ __forceinline__ double &of(int lane) { return values[lane][SLOTS == 1 ? 0 : threadIdx.x]; }

    // Unlike 0.0, -0.0 leaves every number that is added to it as it is: -0.0 as well.
    __device__ __forceinline__ void clear() { FOR_LANES(lane) of(lane) = -0.0; }

    __device__ __forceinline__ void add(const Tile<LANES> &tile, const acc_t (&lanes)[LANES]) {
        FOR_LANES(lane) if (LANES == 1 || tile.neuron(lane) < tile.count) of(lane) += lanes[lane];
    }

    // Stores the sums of all lanes, of which there are `columns`; if each has computed one neuron only, its gradient as it was.
    __device__ __forceinline__ void store(void *sums, u64 columns, u64 neurons) {
        const u64 first = thread_index() * LANES;
        FOR_LANES(lane) if (first + lane < columns) {
            if (columns < neurons) {
                ((double *)sums)[first + lane] = of(lane);
            } else {
                ((acc_t *)sums)[first + lane] = (acc_t)of(lane);
            }
        }
    }
};
