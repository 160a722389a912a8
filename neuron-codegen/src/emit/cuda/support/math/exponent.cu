#if !defined(F64)
// A number as n ln 2 + r, so that its exponential is 2^n exp(r).
struct Exponent {
    int n;
    acc_t r, p;

    // Of x, or of what is next to it between -104 and `most`.
    __device__ __forceinline__ Exponent(acc_t x, acc_t most) {
        x = bounded(x, -104.0f, most);
        // Adding it rounds to an integer, which is then in the lowest bits.
        const acc_t shift = 12582912.0f;
        const acc_t shifted = x * 1.44269504088896341f + shift;
        const acc_t whole = shifted - shift;
        r = x - whole * 0.693359375f;
        r = r + whole * 2.12194440e-4f;
        p = 1.9875691500e-4f;
        p = p * r + 1.3981999507e-3f;
        p = p * r + 8.3334519073e-3f;
        p = p * r + 4.1665795894e-2f;
        p = p * r + 1.6666665459e-1f;
        p = p * r + 5.0000001201e-1f;
        n = (int)(__float_as_uint(shifted) - 0x4b400000u);
    }

    // exp(r) - 1
    __device__ __forceinline__ acc_t rest() const { return p * (r * r) + r; }

    // 2^n as a product of two numbers.
    __device__ __forceinline__ acc_t a() const { return power_of_two(n >> 1); }
    __device__ __forceinline__ acc_t b() const { return power_of_two((int)((u32)n - (u32)(n >> 1))); }
    // 1 / b
    __device__ __forceinline__ acc_t inverse() const { return power_of_two((int)((u32)(n >> 1) - (u32)n)); }
};
#endif
