#if defined(F64)
__device__ __forceinline__ acc_t erf(acc_t x) { return ::erf(x); }
#else
__device__ __forceinline__ acc_t erf(acc_t x) {
    const acc_t a = abs(x);
    const acc_t z = x * x;
    acc_t p = -9.667044571e-6f;
    p = p * z + 1.126595903e-4f;
    p = p * z + -8.484080406e-4f;
    p = p * z + 5.221031808e-3f;
    p = p * z + -2.686543073e-2f;
    p = p * z + 1.12837825e-1f;
    p = p * z + -3.761263847e-1f;
    p = p * z + 1.28379167e-1f;
    const acc_t near = p * x + x;
    const acc_t b = a > 4.0f ? 4.0f : a;
    const acc_t t = reciprocal(1.0f + 0.5f * b);
    acc_t q = 1.208524332e-1f;
    q = q * t + -4.765252744e-1f;
    q = q * t + 5.712651758e-1f;
    q = q * t + -1.102082941e-1f;
    q = q * t + 3.510303232e-1f;
    q = q * t + 2.587513664e-1f;
    q = q * t + 2.850616201e-1f;
    q = q * t + -1.642363871e-4f;
    acc_t far = 1.0f - exp(-(b * b)) * q;
    far = x < 0.0f ? -far : far;
    const acc_t y = a < 1.0f ? near : far;
    return x != x ? x : y;
}
#endif
