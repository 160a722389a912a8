__device__ __forceinline__ acc_t sigmoid(acc_t x) {
    const acc_t e = exp(-abs(x));
    return (x < acc_t(0.0) ? e : acc_t(1.0)) * reciprocal(acc_t(1.0) + e);
}
