#if defined(F64)
__device__ __forceinline__ acc_t exp(acc_t x) { return ::exp(x); }
#else
__device__ __forceinline__ acc_t power_of_two(int n) { return __int_as_float((n + 127) << 23); }

__device__ __forceinline__ acc_t exp(acc_t x) {
    x = bounded(x, -104.0f, 89.0f);
    // Adding it rounds to an integer, which is then in the lowest bits.
    const acc_t shift = 12582912.0f;
    const acc_t shifted = x * 1.44269504088896341f + shift;
    const acc_t n = shifted - shift;
    acc_t r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    acc_t p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    const acc_t y = p * (r * r) + r + 1.0f;
    const int whole = (int)(__float_as_uint(shifted) - 0x4b400000u);
    const int half = whole >> 1;
    return y * power_of_two(half) * power_of_two((int)((u32)whole - (u32)half));
}
#endif
