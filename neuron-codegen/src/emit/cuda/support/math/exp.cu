#if defined(F64)
__device__ __forceinline__ acc_t exp(acc_t x) { return ::exp(x); }
#else
__device__ __forceinline__ acc_t exp(acc_t x) {
    const Exponent exponent(x, 89.0f);
    return (exponent.rest() + 1.0f) * exponent.a() * exponent.b();
}
#endif
