// ---- The neurons of a thread --------------------------------------------------------------------------

// Consecutive values of a row, moved by one instruction.
template <typename T, int LANES> struct alignas(LANES * sizeof(T)) Packed {
    T values[LANES];
};

// LANES consecutive neurons.
template <int LANES> struct Tile {
    u64 first;
    u64 count; // of all neurons

    template <typename T> using Packed = ::Packed<T, LANES>;

    __device__ __forceinline__ explicit Tile(u64 neurons) : Tile(thread_index() * LANES, neurons) {}

    __device__ __forceinline__ Tile(u64 neuron, u64 neurons) {
        first = neuron;
        count = neurons;
    }

    __device__ __forceinline__ bool empty() const { return first >= count; }

    __device__ __forceinline__ u64 neuron(int lane) const { return first + lane; }

    // Whether every row begins at a multiple of the size of a `Packed`. Then no `Packed` extends beyond its row.
    template <typename T> __device__ __forceinline__ bool aligned(const T *rows) const {
        return LANES == 1 || ((u64)rows | count * sizeof(T)) % sizeof(Packed<T>) == 0;
    }

    template <typename T>
    __device__ __forceinline__ void load_at(acc_t (&lanes)[LANES], const T *row, bool is_aligned) const {
        if (is_aligned) {
            const Packed<T> packed = *(const Packed<T> *)row;
            FOR_LANES(lane) lanes[lane] = ::load(packed.values[lane]);
        } else {
            FOR_LANES(lane) lanes[lane] = first + lane < count ? ::load(row[lane]) : acc_t(0.0);
        }
    }

    template <typename T>
    __device__ __forceinline__ void store_at(T *row, const acc_t (&lanes)[LANES], bool is_aligned) const {
        if (is_aligned) {
            Packed<T> packed;
            FOR_LANES(lane) ::store(packed.values[lane], lanes[lane]);
            *(Packed<T> *)row = packed;
        } else {
            FOR_LANES(lane) if (first + lane < count) ::store(row[lane], lanes[lane]);
        }
    }

    // One row of an array.
    template <typename T>
    __device__ __forceinline__ void load(acc_t (&lanes)[LANES], const T *rows, u64 row) const {
        load_at(lanes, rows + row * count + first, aligned(rows));
    }

    template <typename T>
    __device__ __forceinline__ void store(T *rows, u64 row, const acc_t (&lanes)[LANES]) const {
        store_at(rows + row * count + first, lanes, aligned(rows));
    }

    // The rows of a chunk. All loads are issued before the first value is converted.
    template <typename T>
    __device__ __forceinline__ void load(acc_t (&values)[STEPS][LANES], const T *rows, const Chunk &chunk) const {
        const T *row = rows + chunk.first * count + first;
        if (aligned(rows)) {
            Packed<T> packed[STEPS] = {};
            chunk.forward([&](int step) { packed[step] = *(const Packed<T> *)(row + step * count); });
            UNROLL(i, STEPS * LANES) values[i / LANES][i % LANES] = ::load(packed[i / LANES].values[i % LANES]);
        } else {
            UNROLL(i, STEPS) if (i < chunk.count) load_at(values[i], row + i * count, false);
        }
    }

    template <typename T>
    __device__ __forceinline__ void store(T *rows, const Chunk &chunk, const acc_t (&values)[STEPS][LANES]) const {
        T *row = rows + chunk.first * count + first;
        if (aligned(rows)) {
            chunk.forward([&](int step) { store_at(row + step * count, values[step], true); });
        } else {
            UNROLL(i, STEPS) if (i < chunk.count) store_at(row + i * count, values[i], false);
        }
    }
};
