// Mean and variance of each channel of `[rows, channels, inner]` values, for batch normalisation, and the gradient of the values,
// combined with another one.
//
// Each thread goes through values of VECTOR channels, CHUNK rows at a time, whose mean and sum of squared deviations are
// computed first and then merged with those of the rows before (Chan, Golub and LeVeque, 1979): no sum of squares is
// subtracted from another. Threads, blocks and spans of rows are merged in an order that depends on the shape alone.
//
// A block is for a span of rows. If `inner` is 1, it is for `columns` times VECTOR channels; otherwise for the channel `blockIdx.x`,
// and its threads go through the planes of that channel, of `inner` neighbouring values each.

#define CHUNK 8

// Of `count` values: their mean, and the sum of the squares of their distances from it.
struct Moments {
    acc_t count, mean, spread;

    __device__ __forceinline__ void merge(const Moments &other) {
        if (other.count == 0) return;
        if (count == 0) {
            *this = other;
            return;
        }
        const acc_t total = count + other.count;
        const acc_t share = other.count / total;
        const acc_t distance = other.mean - mean;
        mean += distance * share;
        spread += other.spread + distance * distance * (count * share);
        count = total;
    }

    // With the first `number` values, at least one.
    __device__ __forceinline__ void add(const acc_t (&values)[CHUNK], int number) {
        const acc_t each = acc_t(1.0) / number;
        acc_t sum = 0, squares = 0;
        UNROLL(i, CHUNK) sum += i < number ? values[i] : acc_t(0.0);
        const acc_t centre = sum * each;
        UNROLL(i, CHUNK) {
            const acc_t distance = i < number ? values[i] - centre : acc_t(0.0);
            squares += distance * distance;
        }
        merge({(acc_t)number, centre, squares});
    }
};

// The rows of a block.
struct Span {
    u64 first, last;

    __device__ __forceinline__ Span(u64 rows, u64 span)
        : first(blockIdx.y * span), last(first + span < rows ? first + span : rows) {}
};

// Where a thread is in the planes of a channel.
struct Cursor {
    u64 row;
    u32 place;

    __device__ __forceinline__ Cursor(const Span &span, u32 inner)
        : row(span.first + threadIdx.x / inner), place(threadIdx.x % inner) {}

    __device__ __forceinline__ u64 index(u32 channels, u32 channel, u32 inner) const {
        return (row * channels + channel) * inner + place;
    }

    // To the value THREADS places further.
    __device__ __forceinline__ void advance(u32 inner) {
        row += THREADS / inner;
        place += THREADS % inner;
        if (place >= inner) {
            place -= inner;
            row += 1;
        }
    }
};

// Those of a span of rows for each block `blockIdx.y`: means, then spreads, a row of `channels` for each span.
template <int VECTOR>
__device__ __forceinline__ void spans(
    const scalar_t *__restrict__ x, u64 rows, u32 channels, u32 columns, u64 span, acc_t *__restrict__ partial)
{
    __shared__ Moments shared[THREADS];
    const u32 column = threadIdx.x % columns, row = threadIdx.x / columns, step = THREADS / columns;
    const u32 channel = (blockIdx.x * columns + column) * VECTOR;
    const bool exists = channel < channels;
    const Span own(rows, span);
    Moments moments[VECTOR] = {};
    if (exists) {
        for (u64 at = own.first + row; at < own.last; at += CHUNK * step) {
            Packed<VECTOR> packed[CHUNK] = {};
            int count = 0;
            UNROLL(i, CHUNK) {
                const u64 here = at + i * step;
                if (here < own.last) {
                    packed[i] = *(const Packed<VECTOR> *)(x + here * channels + channel);
                    count = i + 1;
                }
            }
            UNROLL(lane, VECTOR) {
                acc_t values[CHUNK];
                UNROLL(i, CHUNK) values[i] = load(packed[i].values[lane]);
                moments[lane].add(values, count);
            }
        }
    }
    UNROLL(lane, VECTOR) {
        shared[threadIdx.x] = moments[lane];
        for (u32 half = step / 2; half > 0; half /= 2) {
            __syncthreads();
            if (row < half) shared[threadIdx.x].merge(shared[threadIdx.x + half * columns]);
        }
        if (row == 0 && exists) {
            partial[(u64)blockIdx.y * channels + channel + lane] = shared[threadIdx.x].mean;
            partial[(u64)(gridDim.y + blockIdx.y) * channels + channel + lane] = shared[threadIdx.x].spread;
        }
        __syncthreads();
    }
}

extern "C" __global__ void __launch_bounds__(THREADS) span_moments_1(
    const scalar_t *x, u64 rows, u32 channels, u32 columns, u64 span, acc_t *partial)
{
    spans<1>(x, rows, channels, columns, span, partial);
}

extern "C" __global__ void __launch_bounds__(THREADS) span_moments_4(
    const scalar_t *x, u64 rows, u32 channels, u32 columns, u64 span, acc_t *partial)
{
    spans<4>(x, rows, channels, columns, span, partial);
}

extern "C" __global__ void __launch_bounds__(THREADS) span_moments_planes(
    const scalar_t *__restrict__ x, u64 rows, u32 channels, u32 inner, u64 span, acc_t *__restrict__ partial)
{
    __shared__ Moments shared[THREADS];
    const u32 channel = blockIdx.x;
    const Span own(rows, span);
    Moments moments = {};
    for (Cursor at(own, inner); at.row < own.last;) {
        scalar_t loaded[CHUNK] = {};
        int count = 0;
        UNROLL(i, CHUNK) {
            if (at.row < own.last) {
                loaded[i] = x[at.index(channels, channel, inner)];
                count = i + 1;
            }
            at.advance(inner);
        }
        acc_t values[CHUNK];
        UNROLL(i, CHUNK) values[i] = load(loaded[i]);
        moments.add(values, count);
    }
    shared[threadIdx.x] = moments;
    for (u32 half = THREADS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) shared[threadIdx.x].merge(shared[threadIdx.x + half]);
    }
    if (threadIdx.x == 0) {
        partial[(u64)blockIdx.y * channels + channel] = shared[0].mean;
        partial[(u64)(gridDim.y + blockIdx.y) * channels + channel] = shared[0].spread;
    }
}

// Merges the spans of the channel `blockIdx.x`, each of `span` of its `rows` values, and updates running statistics, and the number of
// batches that they are of, if there are any.
extern "C" __global__ void __launch_bounds__(THREADS) merge_moments(
    const acc_t *__restrict__ partial,
    u64 rows,
    u32 channels,
    u32 spans,
    u64 span,
    acc_t eps,
    acc_t *__restrict__ mean,
    acc_t *__restrict__ invstd,
    acc_t momentum,
    acc_t *__restrict__ running_mean,
    acc_t *__restrict__ running_var,
    u64 *__restrict__ batches)
{
    __shared__ Moments shared[THREADS];
    const u32 channel = blockIdx.x;
    Moments moments = {};
    for (u32 at = threadIdx.x; at < spans; at += THREADS) {
        const u64 first = at * span, last = first + span < rows ? first + span : rows;
        const acc_t *own = partial + (u64)at * channels + channel;
        moments.merge({(acc_t)(last - first), own[0], own[(u64)spans * channels]});
    }
    shared[threadIdx.x] = moments;
    for (u32 half = THREADS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) shared[threadIdx.x].merge(shared[threadIdx.x + half]);
    }
    if (threadIdx.x != 0) return;
    moments = shared[0];
    const acc_t variance = moments.spread / moments.count;
    mean[channel] = moments.mean;
    invstd[channel] = acc_t(1.0) / sqrt(variance + eps);
    if (batches != nullptr && channel == 0) *batches += 1;
    if (running_mean == nullptr) return;
    const acc_t unbiased = moments.count > 1 ? moments.spread / (moments.count - 1) : variance;
    running_mean[channel] += momentum * (moments.mean - running_mean[channel]);
    running_var[channel] += momentum * (unbiased - running_var[channel]);
}

// The gradient of a value, as a function of it and of another gradient.
struct Slope {
    acc_t scale, offset, slope, mean;

    __device__ __forceinline__ scalar_t combined(scalar_t grad, scalar_t x) const {
        return stored(scale * load(grad) + (offset + slope * (load(x) - mean)));
    }
};

// The statistics of each channel, and two sums over it. Without `weight` these are the gradients of the mean and of `invstd`, and the
// other gradient is that of the value, but for its share in both. With it, they are those of `bias` and `weight` of a normalisation, and
// the other gradient is that of the normalised value.
struct Statistics {
    const acc_t *mean, *invstd, *first, *second, *weight;

    // Of a channel that has `count` values.
    __device__ __forceinline__ Slope slope(u32 channel, u64 count) const {
        const acc_t each = acc_t(1.0) / count, own = invstd[channel];
        if (weight == nullptr) {
            return {acc_t(1.0), first[channel] * each, -second[channel] * (own * own * own) * each, mean[channel]};
        }
        const acc_t scale = weight[channel] * own;
        return {scale, -scale * (first[channel] * each), -scale * own * (second[channel] * each), mean[channel]};
    }
};

template <int VECTOR>
__device__ __forceinline__ void gradients(
    const scalar_t *__restrict__ x,
    u64 rows,
    u32 channels,
    u32 columns,
    u64 span,
    const Statistics &statistics,
    scalar_t *__restrict__ grad_x)
{
    const u32 column = threadIdx.x % columns, row = threadIdx.x / columns, step = THREADS / columns;
    const u32 channel = (blockIdx.x * columns + column) * VECTOR;
    if (channel >= channels) return;
    Slope slopes[VECTOR];
    UNROLL(lane, VECTOR) slopes[lane] = statistics.slope(channel + lane, rows);
    const Span own(rows, span);
    _Pragma("unroll 4") for (u64 at = own.first + row; at < own.last; at += step) {
        const Packed<VECTOR> values = *(const Packed<VECTOR> *)(x + at * channels + channel);
        Packed<VECTOR> grads = *(const Packed<VECTOR> *)(grad_x + at * channels + channel);
        UNROLL(lane, VECTOR) grads.values[lane] = slopes[lane].combined(grads.values[lane], values.values[lane]);
        *(Packed<VECTOR> *)(grad_x + at * channels + channel) = grads;
    }
}

#define GRADIENTS(name) \
    extern "C" __global__ void __launch_bounds__(THREADS) name( \
        const scalar_t *__restrict__ x, \
        u64 rows, \
        u32 channels, \
        u32 columns, \
        u64 span, \
        const acc_t *__restrict__ mean, \
        const acc_t *__restrict__ invstd, \
        const acc_t *__restrict__ first, \
        const acc_t *__restrict__ second, \
        const acc_t *__restrict__ weight, \
        scalar_t *__restrict__ grad_x)

GRADIENTS(moments_gradient_1)
{
    gradients<1>(x, rows, channels, columns, span, {mean, invstd, first, second, weight}, grad_x);
}

GRADIENTS(moments_gradient_4)
{
    gradients<4>(x, rows, channels, columns, span, {mean, invstd, first, second, weight}, grad_x);
}

// `columns` is `inner`.
GRADIENTS(moments_gradient_planes)
{
    const Statistics statistics = {mean, invstd, first, second, weight};
    const u32 channel = blockIdx.x, inner = columns;
    const Slope slope = statistics.slope(channel, rows * inner);
    const Span own(rows, span);
    _Pragma("unroll 4") for (Cursor at(own, inner); at.row < own.last; at.advance(inner)) {
        const u64 index = at.index(channels, channel, inner);
        grad_x[index] = slope.combined(grad_x[index], x[index]);
    }
}
