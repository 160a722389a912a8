#if defined(F64)
__device__ __forceinline__ acc_t trunc(acc_t x) { return ::trunc(x); }
#else
__device__ __forceinline__ acc_t trunc(acc_t x) { return ::truncf(x); }
#endif
