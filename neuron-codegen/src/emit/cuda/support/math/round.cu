#if defined(F64)
__device__ __forceinline__ acc_t round(acc_t x) { return ::rint(x); }
#else
__device__ __forceinline__ acc_t round(acc_t x) { return ::rintf(x); }
#endif
