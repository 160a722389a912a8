// ---- Arrays that a call may leave out -----------------------------------------------------------------
//
// Their address is 0: the same test for all threads, once a sequence.

// The only row of an array, or `otherwise` in every lane.
template <typename AnyTile, int LANES>
__device__ __forceinline__ void load_or(
    const AnyTile &tile, acc_t (&lanes)[LANES], const acc_t *array, acc_t otherwise)
{
    if (array) {
        tile.load(lanes, array, 0);
    } else {
        FOR_LANES(lane) lanes[lane] = otherwise;
    }
}

// Stores the only row of an array.
template <typename AnyTile, int LANES>
__device__ __forceinline__ void store_if(const AnyTile &tile, acc_t *array, const acc_t (&lanes)[LANES]) {
    if (array) tile.store(array, 0, lanes);
}
