// Mean and variance of each channel of `rows` rows of `channels` values, for batch normalisation.
//
// Compiled with one of F32, F64, F16, BF16 defined, the format of the values, as the kernels of neurons.
//
// Each thread goes through rows of VECTOR channels, CHUNK rows at a time, whose mean and sum of squared deviations are
// computed first and then merged with those of the rows before (Chan, Golub and LeVeque, 1979): no sum of squares is
// subtracted from another. Threads, blocks and spans of rows are merged in an order that depends on the shape alone.

typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#if defined(F64)
typedef double acc_t;
typedef double scalar_t;
#else
typedef float acc_t;
#if defined(F32)
typedef float scalar_t;
#else
typedef struct { u16 bits; } scalar_t;
#endif
#endif

#define THREADS 256
#define CHUNK 8
#define UNROLL(i, n) _Pragma("unroll") for (int i = 0; i < (n); ++i)

__device__ __forceinline__ acc_t load(scalar_t stored) {
#if defined(F16)
    acc_t value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(stored.bits));
    return value;
#elif defined(BF16)
    return __uint_as_float((u32)stored.bits << 16);
#else
    return stored;
#endif
}

template <int VECTOR> struct alignas(VECTOR * sizeof(scalar_t)) Packed {
    scalar_t values[VECTOR];
};

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
    const u64 first = blockIdx.y * span, last = first + span < rows ? first + span : rows;
    Moments moments[VECTOR] = {};
    if (exists) {
        for (u64 at = first + row; at < last; at += CHUNK * step) {
            Packed<VECTOR> packed[CHUNK] = {};
            int count = 0;
            UNROLL(i, CHUNK) {
                const u64 here = at + i * step;
                if (here < last) {
                    packed[i] = *(const Packed<VECTOR> *)(x + here * channels + channel);
                    count = i + 1;
                }
            }
            const acc_t each = acc_t(1.0) / count;
            UNROLL(lane, VECTOR) {
                acc_t sum = 0, spread = 0;
                UNROLL(i, CHUNK) sum += i < count ? load(packed[i].values[lane]) : acc_t(0.0);
                const acc_t mean = sum * each;
                UNROLL(i, CHUNK) {
                    const acc_t distance = i < count ? load(packed[i].values[lane]) - mean : acc_t(0.0);
                    spread += distance * distance;
                }
                moments[lane].merge({(acc_t)count, mean, spread});
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

// Merges the spans of the channel `blockIdx.x`, and updates running statistics, if there are any.
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
    acc_t *__restrict__ running_var)
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
    if (running_mean == nullptr) return;
    const acc_t unbiased = moments.count > 1 ? moments.spread / (moments.count - 1) : variance;
    running_mean[channel] += momentum * (moments.mean - running_mean[channel]);
    running_var[channel] += momentum * (unbiased - running_var[channel]);
}
