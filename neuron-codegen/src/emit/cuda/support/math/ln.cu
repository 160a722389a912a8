#if defined(F64)
__device__ __forceinline__ acc_t ln(acc_t x) { return ::log(x); }
#else
__device__ __forceinline__ acc_t ln(acc_t x) {
    const bool is_small = x < 1.17549435e-38f;
    const acc_t y = is_small ? x * 8388608.0f : x;
    acc_t e = is_small ? -23.0f : 0.0f;
    const u32 bits = __float_as_uint(y);
    const int n = (int)(bits - 0x3f3504f3u) >> 23;
    const acc_t m = __uint_as_float(bits - ((u32)n << 23));
    e = e + (acc_t)n;
    const acc_t f = m - 1.0f;
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
    const acc_t tail = f * z * p - e * 2.12194440e-4f - z * 0.5f;
    acc_t result = f + tail + e * 0.693359375f;
    const acc_t infinity = __int_as_float(0x7f800000);
    result = x == 0.0f ? -infinity : result;
    result = x == infinity ? x : result;
    return x < 0.0f || x != x ? __int_as_float(0x7fc00000) : result;
}
#endif
