// ---- Spikes as bits -----------------------------------------------------------------------------------
//
// The spike of neuron n is bit n % WORD of word n / WORD of its row.

__device__ __forceinline__ u32 ballot(bool bit) { return __ballot_sync(0xffffffffu, bit); }

// The words of a row.
__device__ __forceinline__ u64 word_count(u64 neurons) { return (neurons + (WORD - 1)) / WORD; }
