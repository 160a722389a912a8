#if defined(F64)
__device__ __forceinline__ acc_t floor(acc_t x) { return ::floor(x); }
#else
__device__ __forceinline__ acc_t floor(acc_t x) { return ::floorf(x); }
#endif
