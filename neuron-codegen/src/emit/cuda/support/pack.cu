// ---- Packing spikes -----------------------------------------------------------------------------------
//
// A thread has a byte of bits, and the spikes of eight neurons.

struct alignas(8 * sizeof(scalar_t)) EightSpikes {
    scalar_t values[8];
};

// Where the spikes of a byte are in rows of `neurons`. Rows of bits are whole words.
struct ByteOfSpikes {
    u64 first;
    int count;

    __device__ __forceinline__ ByteOfSpikes(u64 byte, u64 rows, u64 neurons) {
        const u64 bytes = word_count(neurons) * sizeof(u32);
        // There is one row as a rule, and a division takes longer than everything else.
        const u64 row = rows == 1 ? 0 : byte / bytes;
        const u64 neuron = (byte - row * bytes) * 8;
        first = row * neurons + neuron;
        count = neuron >= neurons ? 0 : neurons - neuron < 8 ? (int)(neurons - neuron) : 8;
    }

    // Whether they are moved by as few instructions as possible.
    __device__ __forceinline__ bool is_aligned(const scalar_t *spikes) const {
        return count == 8 && (u64)(spikes + first) % sizeof(EightSpikes) == 0;
    }
};

// Packs spikes into bits.
extern "C" __global__ void KERNEL(pack_spikes)(
    u64 rows,
    u64 neurons,
    const scalar_t *__restrict__ spikes,
    u32 *__restrict__ words)
{
    const u64 byte = thread_index();
    if (byte >= rows * word_count(neurons) * sizeof(u32)) return;
    const ByteOfSpikes own(byte, rows, neurons);
    EightSpikes eight = {};
    if (own.is_aligned(spikes)) {
        eight = *(const EightSpikes *)(spikes + own.first);
    } else {
        UNROLL(i, 8) if (i < own.count) eight.values[i] = spikes[own.first + i];
    }
    u32 bits = 0;
    UNROLL(i, 8) bits |= load(eight.values[i]) != acc_t(0.0) ? 1u << i : 0u;
    ((unsigned char *)words)[byte] = (unsigned char)bits;
}

// Unpacks bits into spikes, 0 and 1.
extern "C" __global__ void KERNEL(unpack_spikes)(
    u64 rows,
    u64 neurons,
    const u32 *__restrict__ words,
    scalar_t *__restrict__ spikes)
{
    const u64 byte = thread_index();
    if (byte >= rows * word_count(neurons) * sizeof(u32)) return;
    const ByteOfSpikes own(byte, rows, neurons);
    const u32 bits = ((const unsigned char *)words)[byte];
    EightSpikes eight;
    UNROLL(i, 8) store(eight.values[i], bits >> i & 1 ? acc_t(1.0) : acc_t(0.0));
    if (own.is_aligned(spikes)) {
        *(EightSpikes *)(spikes + own.first) = eight;
    } else {
        UNROLL(i, 8) if (i < own.count) spikes[own.first + i] = eight.values[i];
    }
}
