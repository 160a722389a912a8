// Values in memory, for kernels that do not belong to a neuron.
//
// Compiled with one of F32, F64, F16, BF16 defined, the format of the values, as the kernels of neurons.

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

// Rounds to nearest even.
__device__ __forceinline__ scalar_t stored(acc_t value) {
#if defined(F16)
    scalar_t stored;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(stored.bits) : "f"(value));
    return stored;
#elif defined(BF16) && __CUDA_ARCH__ >= 800
    scalar_t stored;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(stored.bits) : "f"(value));
    return stored;
#elif defined(BF16)
    const u32 bits = __float_as_uint(value);
    const bool is_nan = (bits & 0x7fffffffu) > 0x7f800000u;
    const u32 rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
    return {(u16)((is_nan ? bits | 0x400000u : rounded) >> 16)};
#else
    return value;
#endif
}

template <int VECTOR> struct alignas(VECTOR * sizeof(scalar_t)) Packed {
    scalar_t values[VECTOR];
};

