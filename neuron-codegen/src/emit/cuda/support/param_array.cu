// ---- Parameters that may differ between neurons -------------------------------------------------------

// The N neurons are seen as [batch, count, inner]: one value per channel.
struct ParamArray {
    const acc_t *values;
    u64 count;
    u64 inner;

    __device__ __forceinline__ acc_t of(u64 neuron) const {
        return values[count == 1 ? 0 : neuron / inner % count];
    }

    template <typename AnyTile, int LANES>
    __device__ __forceinline__ void load(acc_t (&lanes)[LANES], const AnyTile &tile) const {
        FOR_LANES(lane) lanes[lane] = of(tile.neuron(lane));
    }
};
