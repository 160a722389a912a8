#if defined(F64)
__device__ __forceinline__ acc_t atan(acc_t x) { return ::atan(x); }
#else
__device__ __forceinline__ acc_t atan(acc_t x) {
    const acc_t a = abs(x);
    const bool is_far = a > 2.414213562373095f;
    const bool is_middle = a > 0.4142135623730950f;
    acc_t start = is_middle ? 0.785398163397448f : 0.0f;
    start = is_far ? 1.570796326794897f : start;
    acc_t numerator = is_middle ? a - 1.0f : a;
    numerator = is_far ? -1.0f : numerator;
    acc_t denominator = is_middle ? a + 1.0f : 1.0f;
    denominator = is_far ? a : denominator;
    const acc_t r = numerator * reciprocal(denominator);
    const acc_t z = r * r;
    acc_t p = 8.05374449538e-2f;
    p = p * z + -1.38776856032e-1f;
    p = p * z + 1.99777106478e-1f;
    p = p * z + -3.33329491539e-1f;
    const acc_t y = start + (p * z * r + r);
    return x < 0.0f ? -y : y;
}
#endif
