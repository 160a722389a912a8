#if defined(F64)
__device__ __forceinline__ acc_t abs(acc_t x) { return ::fabs(x); }
#else
__device__ __forceinline__ acc_t abs(acc_t x) { return ::fabsf(x); }
#endif
