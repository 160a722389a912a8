// ---- Staging ------------------------------------------------------------------------------------------

// The memory of a `Stage`: shared in the formats in which a thread has several lanes, else registers.
#if defined(F16) || defined(BF16)
#define STAGE_MEMORY __shared__
#else
#define STAGE_MEMORY
#endif

// Copies four bytes from global to shared memory; asynchronously if the architecture can.
template <typename T> __device__ __forceinline__ void copy_async(T &to, const T &from) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    const u32 address = (u32)__cvta_generic_to_shared(&to);
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(address), "l"(&from) : "memory");
#else
    to = from;
#endif
}

// Waits for all copies that this thread has started.
__device__ __forceinline__ void wait_for_copies() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}

// A chunk of an array, as it is in memory, in a kernel that computes one lane after the other. With several lanes it
// is in shared memory: the values of lanes whose turn has not come take no registers, and copies pass through none. A
// thread accesses only its own values, so threads need not be synchronised.
template <int LANES> struct Stage {
    static constexpr int THREAD_SLOTS = LANES == 1 ? 1 : THREADS;
    Packed<scalar_t, LANES> rows[STEPS][THREAD_SLOTS];

    __device__ __forceinline__ Packed<scalar_t, LANES> &row(int step) {
        return rows[step][LANES == 1 ? 0 : threadIdx.x];
    }

    __device__ __forceinline__ acc_t get(int step, int lane) { return ::load(row(step).values[lane]); }

    __device__ __forceinline__ void set(int step, int lane, acc_t value) { ::store(row(step).values[lane], value); }

    // Starts to load the rows of a chunk. They are there after `wait`.
    __device__ __forceinline__ void load(const scalar_t *array, const Tile<LANES> &tile, const Chunk &chunk) {
        static_assert(LANES == 1 || sizeof(Packed<scalar_t, LANES>) == 4, "the size of an asynchronous copy");
        const u64 count = tile.count;
        const scalar_t *from = array + chunk.first * count + tile.first;
        if (LANES == 1) {
            Packed<scalar_t, LANES> packed[STEPS] = {};
            chunk.forward([&](int step) { packed[step] = *(const Packed<scalar_t, LANES> *)(from + step * count); });
            UNROLL(i, STEPS) row(i) = packed[i];
        } else if (tile.aligned(array)) {
            chunk.forward([&](int step) {
                copy_async(row(step), *(const Packed<scalar_t, LANES> *)(from + step * count));
            });
        } else {
            UNROLL(i, STEPS * LANES) {
                if (i / LANES < chunk.count && tile.first + i % LANES < count) {
                    row(i / LANES).values[i % LANES] = from[i / LANES * count + i % LANES];
                }
            }
        }
    }

    // Waits for the loads of all stages.
    static __device__ __forceinline__ void wait() {
        if (LANES > 1) wait_for_copies();
    }

    __device__ __forceinline__ void store(scalar_t *array, const Tile<LANES> &tile, const Chunk &chunk) {
        const u64 count = tile.count;
        scalar_t *to = array + chunk.first * count + tile.first;
        if (tile.aligned(array)) {
            chunk.forward([&](int step) { *(Packed<scalar_t, LANES> *)(to + step * count) = row(step); });
        } else {
            UNROLL(i, STEPS * LANES) {
                if (i / LANES < chunk.count && tile.first + i % LANES < count) {
                    to[i / LANES * count + i % LANES] = row(i / LANES).values[i % LANES];
                }
            }
        }
    }
};
