#if defined(F64)
__device__ __forceinline__ acc_t reciprocal(acc_t x) { return 1.0 / x; }
#else
// 1 / x, rounded to nearest even; subnormal numbers count as zeros, and results that would be subnormal become zeros.
//
// One Newton-Raphson step from the hardware approximation, which is within 1 ulp. Where that is 0 or infinite, the residual
// is 1 or NaN; fminf makes it 1, which leaves the value as it is.
__device__ __forceinline__ acc_t reciprocal(acc_t x) {
#if defined(__CUDACC__)
    acc_t y, error;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    asm("fma.rn.ftz.f32 %0, %1, %2, %3;" : "=f"(error) : "f"(-x), "f"(y), "f"(1.0f));
    return ::fmaf(y, ::fminf(error, 1.0f), y);
#else
    const acc_t smallest = 1.17549435e-38f, infinity = __int_as_float(0x7f800000);
    const acc_t y = ::fabsf(x) < smallest ? ::copysignf(infinity, x) : 1.0f / x;
    return ::fabsf(y) < smallest ? ::copysignf(0.0f, y) : y;
#endif
}
#endif
