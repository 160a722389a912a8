#if !defined(F64)
// n, and m between sqrt(1/2) and sqrt(2), of a normal number 2^n m.
__device__ __forceinline__ int split(acc_t x, acc_t &m) {
    const u32 bits = __float_as_uint(x);
    const int n = (int)(bits - 0x3f3504f3u) >> 23;
    m = __uint_as_float(bits - ((u32)n << 23));
    return n;
}

// n ln 2 + ln(1 + f), where 1 + f is between sqrt(1/2) and sqrt(2).
__device__ __forceinline__ acc_t logarithm(acc_t n, acc_t f) {
    const acc_t z = f * f;
    acc_t p = 7.0376836292e-2f;
    p = p * f + -1.1514610310e-1f;
    p = p * f + 1.1676998740e-1f;
    p = p * f + -1.2420140846e-1f;
    p = p * f + 1.4249322787e-1f;
    p = p * f + -1.6668057665e-1f;
    p = p * f + 2.0000714765e-1f;
    p = p * f + -2.4999993993e-1f;
    p = p * f + 3.3333331174e-1f;
    const acc_t tail = f * z * p - n * 2.12194440e-4f - z * 0.5f;
    return f + tail + n * 0.693359375f;
}
#endif
