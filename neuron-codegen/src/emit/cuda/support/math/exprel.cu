#if defined(F64)
__device__ __forceinline__ acc_t exprel(acc_t x) {
    const acc_t divisor = x > 800.0 ? 800.0 : x;
    return x == 0.0 ? 1.0 : ::expm1(x) / divisor;
}
#else
__device__ __forceinline__ acc_t exprel(acc_t x) {
    const Exponent exponent(x, 94.0f);
    const acc_t a = exponent.a();
    const acc_t divisor = x > 94.0f ? 94.0f : x;
    const acc_t far =
        (exponent.rest() * a + (a - exponent.inverse())) * reciprocal(divisor) * exponent.b();
    return exponent.n == 0 ? exponent.p * x + 1.0f : far;
}
#endif
