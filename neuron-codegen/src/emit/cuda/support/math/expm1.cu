#if defined(F64)
__device__ __forceinline__ acc_t expm1(acc_t x) { return ::expm1(x); }
#else
__device__ __forceinline__ acc_t expm1(acc_t x) {
    const Exponent exponent(x, 89.0f);
    const acc_t a = exponent.a();
    return (exponent.rest() * a + (a - exponent.inverse())) * exponent.b();
}
#endif
