// ---- Formats ------------------------------------------------------------------------------------------
//
// Compiled with one of F32, F64, F16, BF16 defined: the format of inputs, spikes and their gradients in memory,
// `scalar_t`. States are stored, and everything is computed, in `acc_t`: float, or double if `scalar_t` is that.

typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#if defined(F64)
typedef double acc_t;
typedef double scalar_t;
#define SYMBOL(neuron, name) neuron##_##name##_f64
#elif defined(F16)
typedef float acc_t;
typedef struct { u16 bits; } scalar_t;
#define SYMBOL(neuron, name) neuron##_##name##_f16
#elif defined(BF16)
typedef float acc_t;
typedef struct { u16 bits; } scalar_t;
#define SYMBOL(neuron, name) neuron##_##name##_bf16
#elif defined(F32)
typedef float acc_t;
typedef float scalar_t;
#define SYMBOL(neuron, name) neuron##_##name##_f32
#else
#error "define F32, F64, F16 or BF16, the format of the data"
#endif

#if defined(F16) && defined(__CUDACC__)
__device__ __forceinline__ acc_t float_from_half(u16 bits) {
    acc_t value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
    return value;
}

__device__ __forceinline__ u16 half_from_float(acc_t value) {
    u16 bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
    return bits;
}
#endif

// Converts a stored value to the format of the arithmetic.
__device__ __forceinline__ acc_t load(const scalar_t &stored) {
#if defined(F16)
    return float_from_half(stored.bits);
#elif defined(BF16)
    return __uint_as_float((u32)stored.bits << 16);
#else
    return stored;
#endif
}

// Converts a value to the format of memory, rounding to nearest even.
__device__ __forceinline__ void store(scalar_t &stored, acc_t value) {
#if defined(F16)
    stored.bits = half_from_float(value);
#elif defined(BF16) && defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(stored.bits) : "f"(value));
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
__device__ __forceinline__ acc_t load(const acc_t &stored) { return stored; }
__device__ __forceinline__ void store(acc_t &stored, acc_t value) { stored = value; }
#endif
