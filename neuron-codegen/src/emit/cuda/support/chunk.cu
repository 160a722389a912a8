// ---- Chunks of steps ----------------------------------------------------------------------------------

#define HALF_CHUNK (STEPS / 2)

__device__ __forceinline__ u64 chunk_count(u64 steps) {
    return (steps + (STEPS - 1)) / STEPS;
}

// STEPS consecutive steps, or those that are left for the last chunk.
struct Chunk {
    u64 first;
    int count;

    __device__ __forceinline__ Chunk(u64 index, u64 steps) {
        first = index * STEPS;
        count = steps - first < STEPS ? (int)(steps - first) : STEPS;
    }

    // Calls `body` for every step, the first one first. There is no test between the steps of a whole chunk, nor
    // between those of a whole first half, so that the compiler can interleave their instructions.
    template <typename Body> __device__ __forceinline__ void forward(const Body &body) const {
        if (count == STEPS) {
            UNROLL(i, STEPS) body(i);
        } else {
            if (count >= HALF_CHUNK) {
                UNROLL(i, HALF_CHUNK) body(i);
            } else {
                UNROLL(i, HALF_CHUNK - 1) if (i < count) body(i);
            }
            UNROLL(i, HALF_CHUNK - 1) if (HALF_CHUNK + i < count) body(HALF_CHUNK + i);
        }
    }

    // Calls `body` for every step, the last one first.
    template <typename Body> __device__ __forceinline__ void backward(const Body &body) const {
        if (count == STEPS) {
            UNROLL(i, STEPS) body(STEPS - 1 - i);
        } else {
            UNROLL(i, HALF_CHUNK - 1) if (STEPS - 2 - i < count) body(STEPS - 2 - i);
            if (count >= HALF_CHUNK) {
                UNROLL(i, HALF_CHUNK) body(HALF_CHUNK - 1 - i);
            } else {
                UNROLL(i, HALF_CHUNK - 1) if (HALF_CHUNK - 2 - i < count) body(HALF_CHUNK - 2 - i);
            }
        }
    }
};
