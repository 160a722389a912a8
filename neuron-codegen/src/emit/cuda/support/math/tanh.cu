#if defined(F64)
__device__ __forceinline__ acc_t tanh(acc_t x) { return ::tanh(x); }
#else
__device__ __forceinline__ acc_t tanh(acc_t x) {
    const acc_t a = abs(x);
    const acc_t z = x * x;
    acc_t p = -5.70498872745e-3f;
    p = p * z + 2.06390887954e-2f;
    p = p * z + -5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z + -3.33332819422e-1f;
    const acc_t near = p * z * x + x;
    acc_t far = 1.0f - 2.0f * reciprocal(exp(a + a) + 1.0f);
    far = x < 0.0f ? -far : far;
    return a < 0.625f ? near : far;
}
#endif
