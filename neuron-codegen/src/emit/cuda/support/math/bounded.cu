// Between two numbers; NaN stays NaN.
__device__ __forceinline__ acc_t bounded(acc_t x, acc_t low, acc_t high) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800 && !defined(F64)
    asm("min.NaN.f32 %0, %1, %2;" : "=f"(x) : "f"(x), "f"(high));
    asm("max.NaN.f32 %0, %1, %2;" : "=f"(x) : "f"(x), "f"(low));
    return x;
#else
    x = x > high ? high : x;
    return x < low ? low : x;
#endif
}
