// ---- Bits ---------------------------------------------------------------------------------------------

// Spikes as bits: that of neuron n is bit n % 32 of word n / 32 of a row. A warp packs the 32 values of a word.
extern "C" __global__ void KERNEL(pack_spikes)(
    u64 rows,
    u64 neurons,
    const signal *__restrict__ spikes,
    u32 *__restrict__ words)
{
    const u64 words_of_row = words_of(neurons);
    const u64 word = thread_index() / 32;
    if (word >= rows * words_of_row) return;
    const u64 neuron = word % words_of_row * 32 + thread_index() % 32;
    const bool fired = neuron < neurons && load(spikes[word / words_of_row * neurons + neuron]) != real(0.0);
    const u32 bits = votes(fired);
    if (thread_index() % 32 == 0) words[word] = bits;
}

// And back, as 0 and 1.
extern "C" __global__ void KERNEL(unpack_spikes)(
    u64 rows,
    u64 neurons,
    const u32 *__restrict__ words,
    signal *__restrict__ spikes)
{
    const u64 index = thread_index();
    if (index >= rows * neurons) return;
    const u64 neuron = index % neurons;
    const u32 word = words[index / neurons * words_of(neurons) + neuron / 32];
    store(spikes[index], word >> neuron % 32 & 1 ? real(1.0) : real(0.0));
}
