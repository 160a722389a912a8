__device__ __forceinline__ acc_t min(acc_t a, acc_t b) { return a < b ? a : b; }
