// ---- Parameters that may differ between neurons -------------------------------------------------------

// Where the first neuron of a tile is in a parameter of `count` channels of `inner` neurons. Most parameters of a kernel have
// the same shape: divisions take as long as several steps, so they are done again for another shape only.
struct ParamPlace {
    u64 count = 0;
    u64 inner = 0;
    u32 channel = 0;
    u32 neuron = 0; // of the channel

    __device__ __forceinline__ void find(u64 first, u64 new_count, u64 new_inner) {
        if (count == new_count && inner == new_inner) return;
        count = new_count;
        inner = new_inner;
        const u32 before = inner == 1 ? (u32)first : (u32)first / (u32)inner;
        neuron = (u32)first - before * (u32)inner;
        channel = before % (u32)count;
    }
};

// The N neurons are seen as [batch, count, inner]: one value per channel.
struct ParamArray {
    const acc_t *values;
    u64 count;
    u64 inner;

    __device__ __forceinline__ acc_t of(u64 neuron) const {
        return values[count == 1 ? 0 : neuron / inner % count];
    }

    template <typename AnyTile, int LANES>
    __device__ __forceinline__ void load(acc_t (&lanes)[LANES], const AnyTile &tile, ParamPlace &) const {
        FOR_LANES(lane) lanes[lane] = of(tile.neuron(lane));
    }

    // Neighbours are of the same channel or of the next one.
    template <int LANES>
    __device__ __forceinline__ void load(acc_t (&lanes)[LANES], const Tile<LANES> &tile, ParamPlace &place) const {
        if (count == 1) {
            FOR_LANES(lane) lanes[lane] = values[0];
        } else if (tile.count >> 32) {
            FOR_LANES(lane) lanes[lane] = of(tile.neuron(lane));
        } else {
            place.find(tile.first, count, inner);
            u32 channel = place.channel, neuron = place.neuron;
            if (inner == 1 && count % LANES == 0 && (u64)values % sizeof(Packed<acc_t, LANES>) == 0) {
                const Packed<acc_t, LANES> packed = *(const Packed<acc_t, LANES> *)(values + channel);
                FOR_LANES(lane) lanes[lane] = packed.values[lane];
                return;
            }
            FOR_LANES(lane) {
                lanes[lane] = values[channel];
                if (++neuron == inner) {
                    neuron = 0;
                    channel = channel + 1 == count ? 0 : channel + 1;
                }
            }
        }
    }
};
