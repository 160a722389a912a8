// ---- Few neurons --------------------------------------------------------------------------------------
//
// With few neurons latency dominates: of memory, and of each step, which waits for the one before. A block computes as many
// neurons as a warp has threads. Its last warp takes the steps, one after the other. Each of the other warps has a chunk of
// each group: it loads and stores it, and computes what depends on no other chunk, while the last warp takes the steps of
// the group before. As a rule a multiprocessor has room for four such blocks, one for each scheduler.

#define CHUNKS_PER_GROUP (32 / (int)sizeof(acc_t))
#define CHUNKS_PER_HALF_GROUP (16 / (int)sizeof(acc_t))
#define THREADS_PER_GROUP (WORD * (CHUNKS_PER_GROUP + 1))
#define THREADS_PER_HALF_GROUP (WORD * (CHUNKS_PER_HALF_GROUP + 1))

// The neuron of each thread of a warp, the same in all warps of a block.
__device__ __forceinline__ u64 neuron_of_thread() {
    return (u64)blockIdx.x * WORD + threadIdx.x % WORD;
}

// The chunks of a sequence in groups, and what this warp has to do with them.
template <int CHUNKS> struct Groups {
    u64 chunks;
    u64 count;
    int warp;

    __device__ __forceinline__ explicit Groups(u64 steps) {
        chunks = chunk_count(steps);
        count = (chunks + (CHUNKS - 1)) / CHUNKS;
        warp = (int)(threadIdx.x / WORD);
    }

    // Whether this is the warp that takes the steps.
    __device__ __forceinline__ bool takes_steps() const { return warp == CHUNKS; }

    // How many chunks a group has.
    __device__ __forceinline__ int size(u64 group) const {
        const u64 left = chunks - group * CHUNKS;
        return left < CHUNKS ? (int)left : CHUNKS;
    }

    // The chunk of this warp.
    __device__ __forceinline__ u64 own(u64 group) const { return group * CHUNKS + warp; }

    __device__ __forceinline__ bool has(u64 index) const { return index < chunks; }

    // Calls `body` for every step, the last one first. What it accesses is in shared memory, which can be indexed, so that
    // the steps of a part of a chunk, the last one, need no code of their own.
    template <typename Body> __device__ __forceinline__ void backward(const Chunk &chunk, const Body &body) const {
        if (chunk.count == STEPS) {
            UNROLL(i, STEPS) body(STEPS - 1 - i);
        } else {
            _Pragma("unroll 1") for (int step = chunk.count; step-- > 0;) body(step);
        }
    }
};

// A group of an array. A thread accesses the values of its own neuron only.
template <int CHUNKS> struct Group {
    acc_t values[CHUNKS * STEPS][WORD];

    __device__ __forceinline__ acc_t get(int member, int step) const {
        return values[member * STEPS + step][threadIdx.x % WORD];
    }

    __device__ __forceinline__ void set(int member, int step, acc_t value) {
        values[member * STEPS + step][threadIdx.x % WORD] = value;
    }

    __device__ __forceinline__ void read(int member, acc_t (&chunk)[STEPS][1]) const {
        UNROLL(i, STEPS) chunk[i][0] = get(member, i);
    }

    __device__ __forceinline__ void write(int member, const acc_t (&chunk)[STEPS][1]) {
        UNROLL(i, STEPS) set(member, i, chunk[i][0]);
    }
};
