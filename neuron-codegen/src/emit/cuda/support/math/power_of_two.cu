#if !defined(F64)
// 2^n for n from -126 to 127.
__device__ __forceinline__ acc_t power_of_two(int n) { return __uint_as_float((u32)(n + 127) << 23); }
#endif
