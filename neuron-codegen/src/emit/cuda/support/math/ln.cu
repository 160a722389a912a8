#if defined(F64)
__device__ __forceinline__ acc_t ln(acc_t x) { return ::log(x); }
#else
__device__ __forceinline__ acc_t ln(acc_t x) {
    const bool is_small = x < 1.17549435e-38f;
    const acc_t y = is_small ? x * 8388608.0f : x;
    const acc_t e = is_small ? -23.0f : 0.0f;
    acc_t m;
    const int n = split(y, m);
    acc_t result = logarithm(e + (acc_t)n, m - 1.0f);
    const acc_t infinity = __int_as_float(0x7f800000);
    result = x == 0.0f ? -infinity : result;
    result = x == infinity ? x : result;
    return x < 0.0f || x != x ? __int_as_float(0x7fc00000) : result;
}
#endif
