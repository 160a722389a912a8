// ---- Packing spikes -----------------------------------------------------------------------------------

// Packs spikes into bits. A warp packs the values of one word.
extern "C" __global__ void KERNEL(pack_spikes)(
    u64 rows,
    u64 neurons,
    const scalar_t *__restrict__ spikes,
    u32 *__restrict__ words)
{
    const u64 words_per_row = word_count(neurons);
    const u64 word = thread_index() / WORD;
    if (word >= rows * words_per_row) return;
    const u64 neuron = word % words_per_row * WORD + thread_index() % WORD;
    const bool fired = neuron < neurons && load(spikes[word / words_per_row * neurons + neuron]) != acc_t(0.0);
    const u32 bits = ballot(fired);
    if (thread_index() % WORD == 0) words[word] = bits;
}

// Unpacks bits into spikes, 0 and 1.
extern "C" __global__ void KERNEL(unpack_spikes)(
    u64 rows,
    u64 neurons,
    const u32 *__restrict__ words,
    scalar_t *__restrict__ spikes)
{
    const u64 index = thread_index();
    if (index >= rows * neurons) return;
    const u64 neuron = index % neurons;
    const u32 word = words[index / neurons * word_count(neurons) + neuron / WORD];
    store(spikes[index], word >> neuron % WORD & 1 ? acc_t(1.0) : acc_t(0.0));
}
