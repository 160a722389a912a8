#if defined(F64)
__device__ __forceinline__ acc_t sqrt(acc_t x) { return ::sqrt(x); }
#else
__device__ __forceinline__ acc_t sqrt(acc_t x) { return ::sqrtf(x); }
#endif
