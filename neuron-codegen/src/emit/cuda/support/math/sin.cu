__device__ __forceinline__ acc_t sin(acc_t x) {
    acc_t sin, cos;
    const int quadrant = reduced(x, sin, cos);
    const acc_t y = (quadrant & 1) == 0 ? sin : cos;
    return (quadrant & 2) == 0 ? y : -y;
}
