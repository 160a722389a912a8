// ---- Gradients of parameters --------------------------------------------------------------------------
//
// What threads of `backward` and `bptt` have added up is summed further in float64, in an order that depends on shapes alone: the
// same bits in every run, and on the CPU. Parameters of one shape are summed together: that of index `blockIdx.y` is `stride`
// values after the one before it.

// Where the gradients of parameters go, in the last pass.
struct Totals {
    acc_t *of[SUM_PARAMETERS];
};

// Value number `index`: a partial sum, or the gradient of one neuron.
__device__ __forceinline__ double term(const void *values, bool is_partial, u64 index) {
    return is_partial ? ((const double *)values)[index] : (double)((const acc_t *)values)[index];
}

// Stores sum number `index` for the next pass, or after the last one rounded to the format of the arithmetic.
__device__ __forceinline__ void hand_on(double sum, u64 index, double *sums, u64 stride, const Totals &totals) {
    if (sums) {
        sums[blockIdx.y * stride + index] = sum;
    } else {
        // An index that is not constant would move all of them to local memory.
        UNROLL(i, SUM_PARAMETERS) if (blockIdx.y == i) totals.of[i][index] = (acc_t)sum;
    }
}

// Sums of SUM_ROWS rows of `columns` values each. A block adds up as many columns as it has threads divided by `groups`; each
// group of its threads takes every `groups`th row.
extern "C" __global__ void KERNEL(sum_rows)(
    const void *__restrict__ values,
    bool is_partial,
    u64 stride,
    u64 rows,
    u64 columns,
    u64 groups,
    double *__restrict__ sums,
    u64 sums_stride,
    Totals totals)
{
    __shared__ double partial[THREADS];
    const u32 width = THREADS / (u32)groups;
    const u64 blocks = (columns + width - 1) / width;
    const u64 column = blockIdx.x % blocks * width + threadIdx.x % width;
    const u64 first = blockIdx.x / blocks * SUM_ROWS;
    const u64 last = first + SUM_ROWS < rows ? first + SUM_ROWS : rows;
    double sum = -0.0;
    if (column < columns) {
        for (u64 row = first + threadIdx.x / width; row < last; row += 8 * groups) {
            // Several loads are under way together. A missing row adds -0.0, which changes no sum.
            double terms[8];
            UNROLL(i, 8) {
                const u64 at = row + i * groups;
                terms[i] = at < last ? term(values, is_partial, blockIdx.y * stride + at * columns + column) : -0.0;
            }
            UNROLL(i, 8) sum += terms[i];
        }
    }
    partial[threadIdx.x] = sum;
    for (u32 half = THREADS / 2; half >= width; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) partial[threadIdx.x] += partial[threadIdx.x + half];
    }
    if (threadIdx.x < width && column < columns) {
        hand_on(partial[threadIdx.x], blockIdx.x / blocks * columns + column, sums, sums_stride, totals);
    }
}

// Sums of SUM_SEGMENT neighbours, or fewer at the end of a channel of `inner` values. A block of threads adds up one
// such segment.
extern "C" __global__ void KERNEL(sum_segments)(
    const void *__restrict__ values,
    bool is_partial,
    u64 stride,
    u64 inner,
    u64 segments,
    double *__restrict__ sums,
    u64 sums_stride,
    Totals totals)
{
    __shared__ double partial[THREADS];
    const u64 channel = blockIdx.x / segments;
    const u64 first = blockIdx.x % segments * SUM_SEGMENT;
    const u64 last = first + SUM_SEGMENT < inner ? first + SUM_SEGMENT : inner;
    double sum = -0.0;
    for (u64 at = first + threadIdx.x; at < last; at += THREADS) {
        sum += term(values, is_partial, blockIdx.y * stride + channel * inner + at);
    }
    partial[threadIdx.x] = sum;
    for (u32 half = THREADS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) partial[threadIdx.x] += partial[threadIdx.x + half];
    }
    if (threadIdx.x == 0) hand_on(partial[0], blockIdx.x, sums, sums_stride, totals);
}
