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
__device__ __forceinline__ signal store(real value) {
#if defined(F16)
    signal stored = {half_from_float(value)};
    return stored;
#elif defined(BF16)
    const u32 bits = __float_as_uint(value);
    const bool is_nan = (bits & 0x7fffffffu) > 0x7f800000u;
    const u32 rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
    signal stored = {(u16)((is_nan ? bits | 0x400000u : rounded) >> 16)};
    return stored;
#else
    return value;
#endif
}

// ---- Work ---------------------------------------------------------------------------------------------

// Steps that a thread has in flight.
#define STEPS 8
#define FOR_STEPS(step) _Pragma("unroll") for (int step = 0; step < STEPS; ++step) if (done + step < steps)

__device__ __forceinline__ u64 neuron_index() {
    return (u64)blockIdx.x * blockDim.x + threadIdx.x;
}
