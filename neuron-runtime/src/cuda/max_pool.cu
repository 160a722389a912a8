// Maximum over windows of images, `[images, height, width, channels]`, and the gradient of the images. Of which value of its window each
// maximum is, a byte is kept.
//
// A thread computes VECTOR channels of one place. Forward, that is one of the output. Backward, it is one of the input, where it adds up
// the gradients of the windows in which that place is; or, if windows do not overlap, one of the output, and the thread writes all that
// is in its window and in the gap behind. Nothing is added by two threads, so results are the same every time.

typedef unsigned char u8;

// Divides numbers below 2^31 by a constant (Granlund and Montgomery, 1994).
struct Divisor {
    u32 value, factor, shift;

    __device__ __forceinline__ u32 quotient(u32 number) const {
        return (__umulhi(number, factor) + number) >> shift;
    }

    // The remainder; the quotient replaces `number`.
    __device__ __forceinline__ u32 split(u32 &number) const {
        const u32 all = number;
        number = quotient(all);
        return all - number * value;
    }
};

// Vertical, then horizontal.
struct Axis {
    // Of the input and of the output.
    u32 size, pooled;
    u32 window, padding;
    Divisor stride;
};

struct Geometry {
    // VECTOR channels each.
    Divisor groups;
    // The places that threads have.
    Divisor height, width;
    Axis vertical, horizontal;
};

template <int VECTOR> struct alignas(VECTOR) Places {
    u8 values[VECTOR];
};

// The place of a thread.
struct Place {
    u32 group, column, row, image;

    __device__ __forceinline__ Place(const Geometry &geometry, u32 index) {
        group = geometry.groups.split(index);
        column = geometry.width.split(index);
        row = geometry.height.split(index);
        image = index;
    }
};

// The maximum so far of VECTOR windows.
template <int VECTOR> struct Best {
    Packed<VECTOR> values;
    Places<VECTOR> places;
    bool is_empty;

    __device__ __forceinline__ Best() : values(), places(), is_empty(true) {}

    // As PyTorch does it: of equal values the first one counts, and NaN is larger than any number.
    __device__ __forceinline__ void add(const Packed<VECTOR> &others, u32 place) {
        UNROLL(lane, VECTOR) {
            const acc_t other = load(others.values[lane]);
            if (is_empty || other > load(values.values[lane]) || other != other) {
                values.values[lane] = others.values[lane];
                places.values[lane] = (u8)place;
            }
        }
        is_empty = false;
    }
};

// WINDOW is the size of square windows, or 0 for others. Those of a known size are loaded before they are compared.
template <int VECTOR, int WINDOW>
__device__ __forceinline__ void maxima(
    const Geometry &geometry,
    u32 count,
    const Packed<VECTOR> *__restrict__ x,
    Packed<VECTOR> *__restrict__ y,
    Places<VECTOR> *__restrict__ places)
{
    const u32 index = blockIdx.x * THREADS + threadIdx.x;
    if (index >= count) return;
    const Place at(geometry, index);
    const Axis &vertical = geometry.vertical, &horizontal = geometry.horizontal;
    // Wraps around in the padding, which makes it larger than any size.
    const u32 top = at.row * vertical.stride.value - vertical.padding;
    const u32 left = at.column * horizontal.stride.value - horizontal.padding;
    const u64 image = (u64)at.image * vertical.size;
    auto value = [&](u32 row, u32 column) {
        return x[((image + row) * horizontal.size + column) * geometry.groups.value + at.group];
    };
    Best<VECTOR> best;
    if (WINDOW > 0) {
        Packed<VECTOR> window[WINDOW * WINDOW + 1] = {};
        UNROLL(i, WINDOW) UNROLL(j, WINDOW) {
            if (top + i < vertical.size && left + j < horizontal.size) window[i * WINDOW + j] = value(top + i, left + j);
        }
        UNROLL(i, WINDOW) UNROLL(j, WINDOW) {
            if (top + i < vertical.size && left + j < horizontal.size) best.add(window[i * WINDOW + j], i * WINDOW + j);
        }
    } else {
        for (u32 i = 0; i < vertical.window; ++i) {
            for (u32 j = 0; j < horizontal.window; ++j) {
                if (top + i < vertical.size && left + j < horizontal.size) {
                    best.add(value(top + i, left + j), i * horizontal.window + j);
                }
            }
        }
    }
    y[index] = best.values;
    places[index] = best.places;
}

// The windows of an axis in which a place is: from the first one to before the last one.
struct Windows {
    u32 first, last;

    __device__ __forceinline__ Windows(const Axis &axis, u32 place) {
        const u32 padded = place + axis.padding, last_one = axis.stride.quotient(padded);
        first = padded < axis.window ? 0 : axis.stride.quotient(padded - axis.window) + 1;
        last = last_one < axis.pooled ? last_one + 1 : axis.pooled;
    }
};

template <int VECTOR>
__device__ __forceinline__ void gradients(
    const Geometry &geometry,
    u32 count,
    const Packed<VECTOR> *__restrict__ grad_y,
    const Places<VECTOR> *__restrict__ places,
    Packed<VECTOR> *__restrict__ grad_x)
{
    const u32 index = blockIdx.x * THREADS + threadIdx.x;
    if (index >= count) return;
    const Place at(geometry, index);
    const Axis &vertical = geometry.vertical, &horizontal = geometry.horizontal;
    const Windows rows(vertical, at.row), columns(horizontal, at.column);
    acc_t sums[VECTOR] = {};
    for (u32 row = rows.first; row < rows.last; ++row) {
        const u32 i = at.row + vertical.padding - row * vertical.stride.value;
        for (u32 column = columns.first; column < columns.last; ++column) {
            const u32 j = at.column + horizontal.padding - column * horizontal.stride.value;
            const u32 place = i * horizontal.window + j;
            const u64 window = ((u64)at.image * vertical.pooled + row) * horizontal.pooled + column;
            const u64 here = window * geometry.groups.value + at.group;
            const Places<VECTOR> chosen = places[here];
            const Packed<VECTOR> grads = grad_y[here];
            UNROLL(lane, VECTOR) sums[lane] += chosen.values[lane] == place ? load(grads.values[lane]) : acc_t(0.0);
        }
    }
    Packed<VECTOR> grads;
    UNROLL(lane, VECTOR) grads.values[lane] = stored(sums[lane]);
    grad_x[index] = grads;
}

// The places of the input that belong to a window which overlaps no other: its own, and the gap behind. The first window has all that is
// before it, and the last one all that is behind.
struct Share {
    u32 start; // of the window; wraps around in the padding
    u32 first, last;

    __device__ __forceinline__ Share(const Axis &axis, u32 window) {
        start = window * axis.stride.value - axis.padding;
        first = window == 0 ? 0 : start;
        last = window + 1 == axis.pooled ? axis.size : start + axis.stride.value;
    }
};

template <int VECTOR>
__device__ __forceinline__ void apart(
    const Geometry &geometry,
    u32 count,
    const Packed<VECTOR> *__restrict__ grad_y,
    const Places<VECTOR> *__restrict__ places,
    Packed<VECTOR> *__restrict__ grad_x)
{
    const u32 index = blockIdx.x * THREADS + threadIdx.x;
    if (index >= count) return;
    const Place at(geometry, index);
    const Axis &vertical = geometry.vertical, &horizontal = geometry.horizontal;
    const Share rows(vertical, at.row), columns(horizontal, at.column);
    const Places<VECTOR> chosen = places[index];
    const Packed<VECTOR> grads = grad_y[index];
    for (u32 row = rows.first; row < rows.last; ++row) {
        const u32 i = row - rows.start;
        const u64 line = ((u64)at.image * vertical.size + row) * horizontal.size;
        for (u32 column = columns.first; column < columns.last; ++column) {
            const u32 j = column - columns.start;
            // In the gap there is no such place.
            const u32 place = i < vertical.window && j < horizontal.window ? i * horizontal.window + j : ~0u;
            Packed<VECTOR> own;
            UNROLL(lane, VECTOR) own.values[lane] = chosen.values[lane] == place ? grads.values[lane] : scalar_t();
            grad_x[(line + column) * geometry.groups.value + at.group] = own;
        }
    }
}

// Channels of a thread: as many as have 16 bytes.
#define LANES (16 / (int)sizeof(scalar_t))

#define MAX_POOL(name, VECTOR, WINDOW) \
    extern "C" __global__ void __launch_bounds__(THREADS) name( \
        const Geometry geometry, \
        u32 count, \
        const Packed<VECTOR> *__restrict__ x, \
        Packed<VECTOR> *__restrict__ y, \
        Places<VECTOR> *__restrict__ places) \
    { \
        maxima<VECTOR, WINDOW>(geometry, count, x, y, places); \
    }

MAX_POOL(max_pool_single, 1, 0)
MAX_POOL(max_pool_single_2, 1, 2)
MAX_POOL(max_pool_single_3, 1, 3)
MAX_POOL(max_pool_vector, LANES, 0)
MAX_POOL(max_pool_vector_2, LANES, 2)
MAX_POOL(max_pool_vector_3, LANES, 3)

#define MAX_POOL_GRADIENT(name, VECTOR, kernel) \
    extern "C" __global__ void __launch_bounds__(THREADS) name( \
        const Geometry geometry, \
        u32 count, \
        const Packed<VECTOR> *__restrict__ grad_y, \
        const Places<VECTOR> *__restrict__ places, \
        Packed<VECTOR> *__restrict__ grad_x) \
    { \
        kernel<VECTOR>(geometry, count, grad_y, places, grad_x); \
    }

MAX_POOL_GRADIENT(max_pool_gradient_single, 1, gradients)
MAX_POOL_GRADIENT(max_pool_gradient_vector, LANES, gradients)
MAX_POOL_GRADIENT(max_pool_gradient_apart_single, 1, apart)
MAX_POOL_GRADIENT(max_pool_gradient_apart_vector, LANES, apart)
