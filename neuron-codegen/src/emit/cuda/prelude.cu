// ---- Formats ------------------------------------------------------------------------------------------
//
// Compiled with one of F32, F64, F16, BF16 defined: the format in which inputs, spikes and their gradients
// are stored, `signal`. States and arithmetic, `real`, are float unless that is double.

typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#if defined(F64)
typedef double real;
typedef double signal;
#define NAMED(neuron, name) neuron##_##name##_f64
#elif defined(F16)
typedef float real;
typedef struct { u16 bits; } signal;
#define NAMED(neuron, name) neuron##_##name##_f16
#elif defined(BF16)
typedef float real;
typedef struct { u16 bits; } signal;
#define NAMED(neuron, name) neuron##_##name##_bf16
#else
typedef float real;
typedef float signal;
#define NAMED(neuron, name) neuron##_##name##_f32
#endif

#if defined(F16) && defined(__CUDACC__)
__device__ __forceinline__ real float_from_half(u16 bits) {
    real value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
    return value;
}

__device__ __forceinline__ u16 half_from_float(real value) {
    u16 bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
    return bits;
}
#endif

// A value in memory, as a number to compute with.
__device__ __forceinline__ real load(const signal &stored) {
#if defined(F16)
    return float_from_half(stored.bits);
#elif defined(BF16)
    return __uint_as_float((u32)stored.bits << 16);
#else
    return stored;
#endif
}

// A number, rounded to nearest even, as it is kept in memory.
__device__ __forceinline__ void store(signal &stored, real value) {
#if defined(F16)
    stored.bits = half_from_float(value);
#elif defined(BF16)
    const u32 bits = __float_as_uint(value);
    const bool is_nan = (bits & 0x7fffffffu) > 0x7f800000u;
    const u32 rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
    stored.bits = (u16)((is_nan ? bits | 0x400000u : rounded) >> 16);
#else
    stored = value;
#endif
}

#if defined(F16) || defined(BF16)
__device__ __forceinline__ real load(const real &stored) { return stored; }
__device__ __forceinline__ void store(real &stored, real value) { stored = value; }
#endif

// ---- Work ---------------------------------------------------------------------------------------------
//
// A thread computes LANES neurons next to each other, STEPS steps at a time: the loads of all these steps are
// under way together, and each moves the values of all lanes at once.

#define STEPS 8
#define HALF (STEPS / 2)

// Lanes: a pair, whose values are all in registers; as many as move eight bytes at once; and as many as move four bytes
// at once, which take turns.
#if defined(F64)
#define PAIR 1
#define WIDE 1
#define TURNS 1
#elif defined(F16) || defined(BF16)
#define PAIR 2
#define WIDE 4
#define TURNS 2
#else
#define PAIR 2
#define WIDE 2
#define TURNS 1
#endif

// How many blocks of threads a processor has registers for. Two are what a kernel needs at least to hide the time that
// memory takes, and one that computes much between its loads and its stores needs more of them, so that one block loads
// while another computes.
#define THREADS 256
#if defined(F64)
#define TWO_BLOCKS
#define FOUR_BLOCKS
#else
#define TWO_BLOCKS __launch_bounds__(THREADS, 2)
#define FOUR_BLOCKS __launch_bounds__(THREADS, 4)
#endif

#define EACH_OF(count) _Pragma("unroll") for (int i = 0; i < (count); ++i)
#define FOR_LANES(lane) _Pragma("unroll") for (int lane = 0; lane < LANES; ++lane)

__device__ __forceinline__ u64 thread_index() {
    return (u64)blockIdx.x * blockDim.x + threadIdx.x;
}

// How many words bits take.
__device__ __forceinline__ u64 words_of(u64 bits) { return (bits + 31) / 32; }

// How many blocks of steps there are.
__device__ __forceinline__ u64 blocks_of(u64 steps) {
    return (steps + (STEPS - 1)) / STEPS;
}

// A block of steps: STEPS of them, or what is left for the last.
struct Block {
    u64 first;
    int count;

    __device__ __forceinline__ Block(u64 index, u64 steps) {
        first = index * STEPS;
        count = steps - first < STEPS ? (int)(steps - first) : STEPS;
    }

    // Does something for every step, the first one first. Between the steps of a whole block there is no test, nor are
    // there any in its first half if that is whole, so that the compiler can order their instructions as it likes.
    template <typename Do> __device__ __forceinline__ void forward(const Do &at) const {
        if (count == STEPS) {
            EACH_OF(STEPS) at(i);
        } else {
            if (count >= HALF) {
                EACH_OF(HALF) at(i);
            } else {
                EACH_OF(HALF - 1) if (i < count) at(i);
            }
            EACH_OF(HALF - 1) if (HALF + i < count) at(HALF + i);
        }
    }

    // The same, the last one first.
    template <typename Do> __device__ __forceinline__ void backward(const Do &at) const {
        if (count == STEPS) {
            EACH_OF(STEPS) at(STEPS - 1 - i);
        } else {
            EACH_OF(HALF - 1) if (STEPS - 2 - i < count) at(STEPS - 2 - i);
            if (count >= HALF) {
                EACH_OF(HALF) at(HALF - 1 - i);
            } else {
                EACH_OF(HALF - 1) if (HALF - 2 - i < count) at(HALF - 2 - i);
            }
        }
    }
};

// A bit of each thread of a warp.
__device__ __forceinline__ u32 votes(bool bit) { return __ballot_sync(0xffffffffu, bit); }

// Values of a row that move at once.
template <typename T, int LANES> struct alignas(LANES * sizeof(T)) Packed {
    T values[LANES];
};

// What a thread keeps of an array for a block of steps, while its lanes take turns: in registers if it has one lane, else
// in shared memory, where it takes no registers, and where loads go without passing through any.
template <int LANES> struct Stage {
    static constexpr int PLACES = LANES == 1 ? 1 : THREADS;
    Packed<signal, LANES> rows[STEPS][PLACES];

    __device__ __forceinline__ Packed<signal, LANES> &row(int step) { return rows[step][LANES == 1 ? 0 : threadIdx.x]; }

    __device__ __forceinline__ real get(int step, int lane) { return load(row(step).values[lane]); }

    __device__ __forceinline__ void set(int step, int lane, real value) { store(row(step).values[lane], value); }
};

// Where the stages of kernels are whose lanes take turns.
#if TURNS == 1
#define STAGED
#else
#define STAGED __shared__
#endif

// Begins to copy four bytes to shared memory, if the processor can do that by itself; copies them if not.
template <typename T> __device__ __forceinline__ void begin_copy(T &to, const T &from) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    const u32 place = (u32)__cvta_generic_to_shared(&to);
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(place), "l"(&from) : "memory");
#else
    to = from;
#endif
}

// Waits for what this thread began.
__device__ __forceinline__ void finish_copies() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}

// The neurons of a thread.
template <int LANES> struct Neurons {
    u64 first;
    u64 count;

    template <typename T> using Packed = ::Packed<T, LANES>;

    __device__ __forceinline__ explicit Neurons(u64 neurons) {
        first = thread_index() * LANES;
        count = neurons;
    }

    __device__ __forceinline__ bool are_none() const { return first >= count; }

    // Whether the rows of an array are aligned, and so are whole.
    template <typename T> __device__ __forceinline__ bool are_packed(const T *rows) const {
        return LANES == 1 || ((u64)rows | count * sizeof(T)) % sizeof(Packed<T>) == 0;
    }

    template <typename T>
    __device__ __forceinline__ void load_at(real (&lanes)[LANES], const T *row, bool is_packed) const {
        if (is_packed) {
            const Packed<T> packed = *(const Packed<T> *)row;
            FOR_LANES(lane) lanes[lane] = ::load(packed.values[lane]);
        } else {
            FOR_LANES(lane) lanes[lane] = first + lane < count ? ::load(row[lane]) : real(0.0);
        }
    }

    template <typename T>
    __device__ __forceinline__ void store_at(T *row, const real (&lanes)[LANES], bool is_packed) const {
        if (is_packed) {
            Packed<T> packed;
            FOR_LANES(lane) ::store(packed.values[lane], lanes[lane]);
            *(Packed<T> *)row = packed;
        } else {
            FOR_LANES(lane) if (first + lane < count) ::store(row[lane], lanes[lane]);
        }
    }

    // One row of an array.
    template <typename T>
    __device__ __forceinline__ void load(real (&lanes)[LANES], const T *rows, u64 row) const {
        load_at(lanes, rows + row * count + first, are_packed(rows));
    }

    template <typename T>
    __device__ __forceinline__ void store(T *rows, u64 row, const real (&lanes)[LANES]) const {
        store_at(rows + row * count + first, lanes, are_packed(rows));
    }

    // The rows of a block of steps. All of them are asked for before the first is looked at.
    template <typename T>
    __device__ __forceinline__ void load(real (&values)[STEPS][LANES], const T *rows, const Block &block) const {
        const T *row = rows + block.first * count + first;
        if (are_packed(rows)) {
            Packed<T> packed[STEPS] = {};
            block.forward([&](int step) { packed[step] = *(const Packed<T> *)(row + step * count); });
            EACH_OF(STEPS * LANES) values[i / LANES][i % LANES] = ::load(packed[i / LANES].values[i % LANES]);
        } else {
            EACH_OF(STEPS) if (i < block.count) load_at(values[i], row + i * count, false);
        }
    }

    template <typename T>
    __device__ __forceinline__ void store(T *rows, const Block &block, const real (&values)[STEPS][LANES]) const {
        T *row = rows + block.first * count + first;
        if (are_packed(rows)) {
            block.forward([&](int step) { store_at(row + step * count, values[step], true); });
        } else {
            EACH_OF(STEPS) if (i < block.count) store_at(row + i * count, values[i], false);
        }
    }

    // The rows of a block of steps of a kernel whose lanes take turns. They are there after `arrive`.
    __device__ __forceinline__ void load(Stage<LANES> &stage, const signal *rows, const Block &block) const {
        static_assert(LANES == 1 || sizeof(Packed<signal>) == 4, "as much as is copied at once");
        const signal *row = rows + block.first * count + first;
        if (LANES == 1) {
            Packed<signal> packed[STEPS] = {};
            block.forward([&](int step) { packed[step] = *(const Packed<signal> *)(row + step * count); });
            EACH_OF(STEPS) stage.row(i) = packed[i];
        } else if (are_packed(rows)) {
            block.forward([&](int step) { begin_copy(stage.row(step), *(const Packed<signal> *)(row + step * count)); });
        } else {
            EACH_OF(STEPS * LANES) {
                if (i / LANES < block.count && first + i % LANES < count) {
                    stage.row(i / LANES).values[i % LANES] = row[i / LANES * count + i % LANES];
                }
            }
        }
    }

    __device__ __forceinline__ void arrive() const {
        if (LANES > 1) finish_copies();
    }

    __device__ __forceinline__ void store(signal *rows, const Block &block, Stage<LANES> &stage) const {
        signal *row = rows + block.first * count + first;
        if (are_packed(rows)) {
            block.forward([&](int step) { *(Packed<signal> *)(row + step * count) = stage.row(step); });
        } else {
            EACH_OF(STEPS * LANES) {
                if (i / LANES < block.count && first + i % LANES < count) {
                    row[i / LANES * count + i % LANES] = stage.row(i / LANES).values[i % LANES];
                }
            }
        }
    }

    // A parameter.
    __device__ __forceinline__ void load(real (&lanes)[LANES], const struct Values &values) const;
};

// A parameter that may differ between neurons, N being seen as [batch, count, inner].
struct Values {
    const real *values;
    u64 count;
    u64 inner;

    __device__ __forceinline__ real of(u64 neuron) const {
        return values[count == 1 ? 0 : neuron / inner % count];
    }
};

template <int LANES>
__device__ __forceinline__ void Neurons<LANES>::load(real (&lanes)[LANES], const Values &values) const {
    FOR_LANES(lane) lanes[lane] = values.of(first + lane);
}

// The neurons of a warp whose bits it collects, LANES words of them: a thread has one of each word. Threads without
// neurons stay, since all vote.
template <int LANES> struct Warp {
    u64 first;
    u64 count;

    __device__ __forceinline__ explicit Warp(u64 neurons) {
        first = thread_index() / 32 * (32 * LANES) + thread_index() % 32;
        count = neurons;
    }

    __device__ __forceinline__ bool are_none() const { return first / 32 * 32 >= count; }

    __device__ __forceinline__ bool has(int lane) const { return first + 32 * lane < count; }

    template <typename T> __device__ __forceinline__ void load(real (&lanes)[LANES], const T *rows, u64 row) const {
        FOR_LANES(lane) lanes[lane] = has(lane) ? ::load(rows[row * count + first + 32 * lane]) : real(0.0);
    }

    __device__ __forceinline__ void store(real *rows, u64 row, const real (&lanes)[LANES]) const {
        FOR_LANES(lane) if (has(lane)) rows[row * count + first + 32 * lane] = lanes[lane];
    }

    template <typename T>
    __device__ __forceinline__ void load(real (&values)[STEPS][LANES], const T *rows, const Block &block) const {
        block.forward([&](int step) { load(values[step], rows, block.first + step); });
    }

    __device__ __forceinline__ void load(real (&lanes)[LANES], const Values &values) const {
        FOR_LANES(lane) lanes[lane] = values.of(first + 32 * lane);
    }

    // Words of bits, each written by one thread.
    __device__ __forceinline__ void store(u32 *rows, const Block &block, const real (&values)[STEPS][LANES]) const {
        static_assert(STEPS * LANES <= 32, "a thread has a word at most");
        const int thread = (int)(first % 32);
        u32 own = 0;
        EACH_OF(STEPS * LANES) {
            const bool is_there = i / LANES < block.count && has(i % LANES);
            const u32 bits = votes(is_there && values[i / LANES][i % LANES] != real(0.0));
            own = thread == i ? bits : own;
        }
        const u64 words = words_of(count), word = first / 32 + thread % LANES;
        const int step = thread / LANES;
        if (step < block.count && word < words) rows[(block.first + step) * words + word] = own;
    }
};

// ---- Functions ----------------------------------------------------------------------------------------
//
// Those of float are, operation by operation, the ones that the CPU kernels use, so that results are the
// same bits; see `math::single` of the runtime for sources and errors. Compile without contraction.

namespace math {

__device__ __forceinline__ real min(real a, real b) { return a < b ? a : b; }
__device__ __forceinline__ real max(real a, real b) { return a > b ? a : b; }

// Between two numbers; NaN stays NaN.
__device__ __forceinline__ real bounded(real x, real low, real high) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800 && !defined(F64)
    asm("min.NaN.f32 %0, %1, %2;" : "=f"(x) : "f"(x), "f"(high));
    asm("max.NaN.f32 %0, %1, %2;" : "=f"(x) : "f"(x), "f"(low));
    return x;
#else
    x = x > high ? high : x;
    return x < low ? low : x;
#endif
}

#if defined(F64)

__device__ __forceinline__ real reciprocal(real x) { return 1.0 / x; }

__device__ __forceinline__ real abs(real x) { return ::fabs(x); }
__device__ __forceinline__ real sqrt(real x) { return ::sqrt(x); }
__device__ __forceinline__ real exp(real x) { return ::exp(x); }
__device__ __forceinline__ real ln(real x) { return ::log(x); }
__device__ __forceinline__ real tanh(real x) { return ::tanh(x); }
__device__ __forceinline__ real atan(real x) { return ::atan(x); }
__device__ __forceinline__ real erf(real x) { return ::erf(x); }
__device__ __forceinline__ real round(real x) { return ::rint(x); }

// Adding it rounds to an integer, which is then in the lowest bits.
#define ROUND 6755399441055744.0

// Sine and cosine of x less the nearest multiple of pi / 2, and that multiple: as the CPU's, see `math::double`.
// CUDA's own keep arrays in local memory.
__device__ __forceinline__ int reduced(real x, real &sin, real &cos) {
    const real shifted = x * 0.63661977236758134308 + ROUND;
    const real n = shifted - ROUND;
    real r = x - n * 1.57079632673412561417;
    r = r - n * 6.07710050630396597660e-11;
    r = r - n * 2.02226624879595063154e-21;
    r = bounded(r, -0.8, 0.8);
    const real z = r * r;
    real p = 1.58969099521155010221e-10;
    p = p * z + -2.50507602534068634195e-08;
    p = p * z + 2.75573137070700676789e-06;
    p = p * z + -1.98412698298579493134e-04;
    p = p * z + 8.33333333332248946124e-03;
    p = p * z + -1.66666666666666324348e-01;
    sin = p * z * r + r;
    p = -1.13596475577881948265e-11;
    p = p * z + 2.08757232129817482790e-09;
    p = p * z + -2.75573143513906633035e-07;
    p = p * z + 2.48015872894767294178e-05;
    p = p * z + -1.38888888888741095749e-03;
    p = p * z + 4.16666666666666019037e-02;
    cos = p * z * z - 0.5 * z + 1.0;
    return (int)(__double_as_longlong(shifted) & 3);
}

#else

// Adding it rounds to an integer, which is then in the lowest bits.
#define ROUND 12582912.0f

// 1 / x, rounded to nearest even; subnormal numbers count as zeros, and results that would be subnormal become zeros.
//
// By one step of Newton's from what the hardware has, which is right to within a unit in the last place. Where that is
// infinite or zero, the error would be NaN, of which the minimum makes 1.
__device__ __forceinline__ real reciprocal(real x) {
#if defined(__CUDACC__)
    real y, error;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    asm("fma.rn.ftz.f32 %0, %1, %2, %3;" : "=f"(error) : "f"(-x), "f"(y), "f"(1.0f));
    return ::fmaf(y, ::fminf(error, 1.0f), y);
#else
    const real smallest = 1.17549435e-38f, infinity = __int_as_float(0x7f800000);
    const real y = ::fabsf(x) < smallest ? ::copysignf(infinity, x) : 1.0f / x;
    return ::fabsf(y) < smallest ? ::copysignf(0.0f, y) : y;
#endif
}

__device__ __forceinline__ real abs(real x) { return ::fabsf(x); }
__device__ __forceinline__ real sqrt(real x) { return ::sqrtf(x); }
__device__ __forceinline__ real round(real x) { return ::rintf(x); }

__device__ __forceinline__ real power_of_two(int n) { return __int_as_float((n + 127) << 23); }

__device__ __forceinline__ real exp(real x) {
    x = bounded(x, -104.0f, 89.0f);
    const real shifted = x * 1.44269504088896341f + ROUND;
    const real n = shifted - ROUND;
    real r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    real p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    const real y = p * (r * r) + r + 1.0f;
    const int whole = (int)(__float_as_uint(shifted) - 0x4b400000u);
    const int half = whole >> 1;
    return y * power_of_two(half) * power_of_two((int)((u32)whole - (u32)half));
}

__device__ __forceinline__ real ln(real x) {
    const bool is_small = x < 1.17549435e-38f;
    const real y = is_small ? x * 8388608.0f : x;
    real e = is_small ? -23.0f : 0.0f;
    const u32 bits = __float_as_uint(y);
    const int n = (int)(bits - 0x3f3504f3u) >> 23;
    const real m = __uint_as_float(bits - ((u32)n << 23));
    e = e + (real)n;
    const real f = m - 1.0f;
    const real z = f * f;
    real p = 7.0376836292e-2f;
    p = p * f + -1.1514610310e-1f;
    p = p * f + 1.1676998740e-1f;
    p = p * f + -1.2420140846e-1f;
    p = p * f + 1.4249322787e-1f;
    p = p * f + -1.6668057665e-1f;
    p = p * f + 2.0000714765e-1f;
    p = p * f + -2.4999993993e-1f;
    p = p * f + 3.3333331174e-1f;
    const real tail = f * z * p - e * 2.12194440e-4f - z * 0.5f;
    real result = f + tail + e * 0.693359375f;
    const real infinity = __int_as_float(0x7f800000);
    result = x == 0.0f ? -infinity : result;
    result = x == infinity ? x : result;
    return x < 0.0f || x != x ? __int_as_float(0x7fc00000) : result;
}

__device__ __forceinline__ real tanh(real x) {
    const real a = abs(x);
    const real z = x * x;
    real p = -5.70498872745e-3f;
    p = p * z + 2.06390887954e-2f;
    p = p * z + -5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z + -3.33332819422e-1f;
    const real near = p * z * x + x;
    real far = 1.0f - 2.0f * reciprocal(exp(a + a) + 1.0f);
    far = x < 0.0f ? -far : far;
    return a < 0.625f ? near : far;
}

__device__ __forceinline__ real atan(real x) {
    const real a = abs(x);
    const bool is_far = a > 2.414213562373095f;
    const bool is_middle = a > 0.4142135623730950f;
    real start = is_middle ? 0.785398163397448f : 0.0f;
    start = is_far ? 1.570796326794897f : start;
    real numerator = is_middle ? a - 1.0f : a;
    numerator = is_far ? -1.0f : numerator;
    real denominator = is_middle ? a + 1.0f : 1.0f;
    denominator = is_far ? a : denominator;
    const real r = numerator * reciprocal(denominator);
    const real z = r * r;
    real p = 8.05374449538e-2f;
    p = p * z + -1.38776856032e-1f;
    p = p * z + 1.99777106478e-1f;
    p = p * z + -3.33329491539e-1f;
    const real y = start + (p * z * r + r);
    return x < 0.0f ? -y : y;
}

__device__ __forceinline__ real erf(real x) {
    const real a = abs(x);
    const real z = x * x;
    real p = -9.667044571e-6f;
    p = p * z + 1.126595903e-4f;
    p = p * z + -8.484080406e-4f;
    p = p * z + 5.221031808e-3f;
    p = p * z + -2.686543073e-2f;
    p = p * z + 1.12837825e-1f;
    p = p * z + -3.761263847e-1f;
    p = p * z + 1.28379167e-1f;
    const real near = p * x + x;
    const real b = a > 4.0f ? 4.0f : a;
    const real t = reciprocal(1.0f + 0.5f * b);
    real q = 1.208524332e-1f;
    q = q * t + -4.765252744e-1f;
    q = q * t + 5.712651758e-1f;
    q = q * t + -1.102082941e-1f;
    q = q * t + 3.510303232e-1f;
    q = q * t + 2.587513664e-1f;
    q = q * t + 2.850616201e-1f;
    q = q * t + -1.642363871e-4f;
    real far = 1.0f - exp(-(b * b)) * q;
    far = x < 0.0f ? -far : far;
    const real y = a < 1.0f ? near : far;
    return x != x ? x : y;
}

// Sine and cosine of x less the nearest multiple of pi / 2, and that multiple.
__device__ __forceinline__ int reduced(real x, real &sin, real &cos) {
    const real shifted = x * 0.636619772367581f + ROUND;
    const real n = shifted - ROUND;
    real r = x - n * 1.5703125f;
    r = r - n * 4.837512969970703125e-4f;
    r = r - n * 7.549789948768648e-8f;
    r = bounded(r, -0.8f, 0.8f);
    const real z = r * r;
    real p = -1.9515295891e-4f;
    p = p * z + 8.3321608736e-3f;
    p = p * z + -1.6666654611e-1f;
    sin = p * z * r + r;
    p = 2.443315711809948e-5f;
    p = p * z + -1.388731625493765e-3f;
    p = p * z + 4.166664568298827e-2f;
    cos = p * z * z - 0.5f * z + 1.0f;
    return (int)__float_as_uint(shifted);
}

#endif

__device__ __forceinline__ real sin(real x) {
    real sin, cos;
    const int quadrant = reduced(x, sin, cos);
    const real y = (quadrant & 1) == 0 ? sin : cos;
    return (quadrant & 2) == 0 ? y : -y;
}

__device__ __forceinline__ real cos(real x) {
    real sin, cos;
    const int quadrant = reduced(x, sin, cos);
    const real y = (quadrant & 1) == 0 ? cos : sin;
    return ((quadrant + 1) & 2) == 0 ? y : -y;
}

__device__ __forceinline__ real sigmoid(real x) {
    const real e = exp(-abs(x));
    return (x < real(0.0) ? e : real(1.0)) * reciprocal(real(1.0) + e);
}

} // namespace math
