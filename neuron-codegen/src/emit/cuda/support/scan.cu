// ---- Scan over time -----------------------------------------------------------------------------------
//
// A step that is affine in the states takes them to slopes * states + offsets, and so does a chunk of such steps: its map can
// be computed before the states that it begins with are known. A block computes as many neurons as a warp has threads. In
// each turn each of its warps has a chunk. It computes its map, applies the maps of the warps before it to the states before
// the turn, and takes its steps from there.

#define WARPS_PER_SCAN (64 / (int)sizeof(acc_t))
#define WARPS_PER_HALF_SCAN (32 / (int)sizeof(acc_t))
#define THREADS_PER_SCAN (WORD * WARPS_PER_SCAN)
#define THREADS_PER_HALF_SCAN (WORD * WARPS_PER_HALF_SCAN)

// The chunks of a sequence in the order in which they are scanned, and which of them are this warp's.
template <int WARPS> struct Scan {
    u64 chunks;
    u64 turns;
    int warp;

    __device__ __forceinline__ explicit Scan(u64 steps) {
        chunks = chunk_count(steps);
        turns = (chunks + (WARPS - 1)) / WARPS;
        warp = (int)(threadIdx.x / WORD);
    }

    // The chunk of this warp, the first chunks in the first turn.
    __device__ __forceinline__ u64 forward(u64 turn) const { return turn * WARPS + warp; }

    // The chunk of this warp, the last chunks in the first turn.
    __device__ __forceinline__ u64 backward(u64 turn) const { return chunks - 1 - forward(turn); }

    // Whether there is such a chunk. Some warps have none in the last turn.
    __device__ __forceinline__ bool has(u64 index) const { return index < chunks; }

    // Whether this warp has the chunk that is scanned last.
    __device__ __forceinline__ bool is_last() const { return (chunks - 1) % WARPS == warp; }
};

// What a sequence of steps does to the states before it.
template <int STATES> struct Map {
    acc_t slopes[STATES][STATES];
    acc_t offsets[STATES];

    // No steps change nothing.
    __device__ __forceinline__ Map() {
        UNROLL(i, STATES) {
            UNROLL(j, STATES) slopes[i][j] = i == j ? acc_t(1.0) : acc_t(0.0);
            offsets[i] = acc_t(0.0);
        }
    }

    // One more step, which has these slopes.
    __device__ __forceinline__ void multiply(const acc_t (&step)[STATES][STATES]) {
        UNROLL(j, STATES) {
            acc_t column[STATES];
            UNROLL(i, STATES) {
                column[i] = step[i][0] * slopes[0][j];
                UNROLL(k, STATES - 1) column[i] = column[i] + step[i][k + 1] * slopes[k + 1][j];
            }
            UNROLL(i, STATES) slopes[i][j] = column[i];
        }
    }
};

// The maps of a turn in shared memory, and the states before it. Those of two turns, so that a warp may begin the next turn
// while others apply the maps of this one. A thread accesses the values of its own neuron only.
template <int STATES, int WARPS> struct Maps {
    acc_t slopes[2][WARPS][STATES][STATES][WORD];
    acc_t offsets[2][WARPS][STATES][WORD];
    acc_t states[2][STATES][WORD];

    // From the states before the turn to those before this warp's chunk, whose map is `map`. In the first turn all warps have
    // the states in `lanes`.
    template <typename... Lanes>
    __device__ __forceinline__ void start(const Scan<WARPS> &scan, u64 turn, const Map<STATES> &map, Lanes &...lanes) {
        const int thread = threadIdx.x % WORD, half = (int)(turn % 2);
        UNROLL(i, STATES) {
            UNROLL(j, STATES) slopes[half][scan.warp][i][j][thread] = map.slopes[i][j];
            offsets[half][scan.warp][i][thread] = map.offsets[i];
        }
        __syncthreads();
        acc_t *const of[STATES] = {lanes...};
        acc_t now[STATES];
        UNROLL(i, STATES) now[i] = turn == 0 ? *of[i] : states[half][i][thread];
        for (int warp = 0; warp < scan.warp; ++warp) {
            acc_t next[STATES];
            UNROLL(i, STATES) {
                next[i] = offsets[half][warp][i][thread];
                UNROLL(j, STATES) next[i] = next[i] + slopes[half][warp][i][j][thread] * now[j];
            }
            UNROLL(i, STATES) now[i] = next[i];
        }
        UNROLL(i, STATES) *of[i] = now[i];
    }

    // What is carried to the next turn: the states after the last warp's chunk.
    template <typename... Lanes>
    __device__ __forceinline__ void pass_on(const Scan<WARPS> &scan, u64 turn, const Lanes &...lanes) {
        if (scan.warp != WARPS - 1) return;
        const acc_t *const of[STATES] = {lanes...};
        UNROLL(i, STATES) states[1 - (int)(turn % 2)][i][threadIdx.x % WORD] = *of[i];
    }

    // The sum over warps, in their order, in each of them.
    __device__ __forceinline__ void add_up(const Scan<WARPS> &scan, acc_t (&lanes)[1]) {
        const int thread = threadIdx.x % WORD;
        __syncthreads();
        offsets[0][scan.warp][0][thread] = lanes[0];
        __syncthreads();
        lanes[0] = acc_t(0.0);
        UNROLL(warp, WARPS) lanes[0] = lanes[0] + offsets[0][warp][0][thread];
    }
};
