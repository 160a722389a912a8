// ---- Gradients of parameters --------------------------------------------------------------------------
//
// `backward` and `bptt` write the gradient of each neuron's own parameter. Their sums over neurons are computed in
// float64, in an order that depends on the shape alone: the same bits in every run, and on the CPU. Parameters of one shape are
// summed together: that of index `blockIdx.y` is `stride` values after the one before it.

// Value number `index`: the gradient of one neuron, or the partial sum of several.
__device__ __forceinline__ double term(const void *values, bool is_partial, u64 index) {
    return is_partial ? ((const double *)values)[index] : (double)((const acc_t *)values)[index];
}

// Sums of SUM_ROWS rows of `columns` values each. A thread adds up one column of them.
extern "C" __global__ void KERNEL(sum_rows)(
    const void *__restrict__ values,
    bool is_partial,
    u64 stride,
    u64 rows,
    u64 columns,
    double *__restrict__ sums,
    u64 sums_stride)
{
    const u64 index = thread_index();
    const u64 first = index / columns * SUM_ROWS;
    if (first >= rows) return;
    const u64 last = first + SUM_ROWS < rows ? first + SUM_ROWS : rows;
    const u64 column = index % columns;
    double sum = 0.0;
    for (u64 row = first; row < last; row += 8) {
        // Several loads are under way together. A missing row adds zero, which changes no sum that began with zero.
        double terms[8];
        UNROLL(i, 8) terms[i] = row + i < last ? term(values, is_partial, blockIdx.y * stride + (row + i) * columns + column) : 0.0;
        UNROLL(i, 8) sum += terms[i];
    }
    sums[blockIdx.y * sums_stride + index] = sum;
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
    u64 sums_stride)
{
    __shared__ double partial[THREADS];
    const u64 channel = blockIdx.x / segments;
    const u64 first = blockIdx.x % segments * SUM_SEGMENT;
    const u64 last = first + SUM_SEGMENT < inner ? first + SUM_SEGMENT : inner;
    double sum = 0.0;
    for (u64 at = first + threadIdx.x; at < last; at += THREADS) {
        sum += term(values, is_partial, blockIdx.y * stride + channel * inner + at);
    }
    partial[threadIdx.x] = sum;
    for (unsigned half = THREADS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) partial[threadIdx.x] += partial[threadIdx.x + half];
    }
    if (threadIdx.x == 0) sums[blockIdx.y * sums_stride + blockIdx.x] = partial[0];
}

// Rounds the sums to the format of the arithmetic.
extern "C" __global__ void KERNEL(round_sums)(
    const void *__restrict__ values,
    bool is_partial,
    u64 count,
    acc_t *__restrict__ sums)
{
    const u64 index = thread_index();
    if (index < count) sums[index] = (acc_t)term(values, is_partial, index);
}
