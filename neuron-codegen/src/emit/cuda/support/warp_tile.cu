// The neurons of a thread in a kernel that writes words: those of a warp fill LANES words, and a thread has one neuron
// of each. Threads without neurons must not return early, since the whole warp takes part in each ballot.
template <int LANES> struct WarpTile {
    u64 first;
    u64 count; // of all neurons

    __device__ __forceinline__ explicit WarpTile(u64 neurons) {
        first = thread_index() / WORD * (WORD * LANES) + thread_index() % WORD;
        count = neurons;
    }

    // Whether the whole warp has no neurons.
    __device__ __forceinline__ bool empty() const { return first / WORD * WORD >= count; }

    __device__ __forceinline__ u64 neuron(int lane) const { return first + WORD * lane; }

    __device__ __forceinline__ bool has(int lane) const { return neuron(lane) < count; }

    template <typename T> __device__ __forceinline__ void load(acc_t (&lanes)[LANES], const T *rows, u64 row) const {
        FOR_LANES(lane) lanes[lane] = has(lane) ? ::load(rows[row * count + first + WORD * lane]) : acc_t(0.0);
    }

    __device__ __forceinline__ void store(acc_t *rows, u64 row, const acc_t (&lanes)[LANES]) const {
        FOR_LANES(lane) if (has(lane)) rows[row * count + first + WORD * lane] = lanes[lane];
    }

    template <typename T>
    __device__ __forceinline__ void load(acc_t (&values)[STEPS][LANES], const T *rows, const Chunk &chunk) const {
        chunk.forward([&](int step) { load(values[step], rows, chunk.first + step); });
    }

    // Packs the spikes of a chunk. Every thread takes part in all ballots and writes at most one of their words.
    __device__ __forceinline__ void store(u32 *rows, const Chunk &chunk, const acc_t (&values)[STEPS][LANES]) const {
        static_assert(STEPS * LANES <= WORD, "at most one word per thread");
        const int thread = (int)(first % WORD);
        u32 mine = 0;
        UNROLL(i, STEPS * LANES) {
            const bool exists = i / LANES < chunk.count && has(i % LANES);
            const u32 bits = ballot(exists && values[i / LANES][i % LANES] != acc_t(0.0));
            mine = thread == i ? bits : mine;
        }
        const u64 words = word_count(count), word = first / WORD + thread % LANES;
        const int step = thread / LANES;
        if (step < chunk.count && word < words) rows[(chunk.first + step) * words + word] = mine;
    }
};
