#if defined(F64)
__device__ __forceinline__ acc_t log1p(acc_t x) { return ::log1p(x); }
#else
__device__ __forceinline__ acc_t log1p(acc_t x) {
    const acc_t y = 1.0f + x;
    const acc_t lost = x < 1.0f ? x - (y - 1.0f) : 1.0f - (y - x);
    acc_t m;
    const int n = split(y, m);
    const acc_t f = (m - 1.0f) + lost * power_of_two(n > 126 ? -126 : -n);
    acc_t result = logarithm((acc_t)n, f);
    const acc_t infinity = __int_as_float(0x7f800000);
    result = x == -1.0f ? -infinity : result;
    result = x == infinity ? x : result;
    return x < -1.0f || x != x ? __int_as_float(0x7fc00000) : result;
}
#endif
