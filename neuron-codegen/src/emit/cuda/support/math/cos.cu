__device__ __forceinline__ acc_t cos(acc_t x) {
    acc_t sin, cos;
    const int quadrant = reduced(x, sin, cos);
    const acc_t y = (quadrant & 1) == 0 ? cos : sin;
    return ((quadrant + 1) & 2) == 0 ? y : -y;
}
