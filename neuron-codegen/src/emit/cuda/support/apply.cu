namespace surrogates {

// The distance from the threshold, limited to where every surrogate is finite.
__device__ __forceinline__ acc_t bounded(acc_t u) {
#if defined(F64)
    const acc_t bound = 1e150;
#else
    const acc_t bound = 1e18f;
#endif
    return math::bounded(u, -bound, bound);
}

// Kernels that are compiled for a surrogate outside of the list have its definition at the end of the source.
#if defined(CUSTOM_SURROGATE)
__device__ __forceinline__ acc_t custom(acc_t u, const acc_t (&values)[SURROGATE_PARAMETERS]);
#endif

// Overwrites the first `count` distances from the threshold with the surrogate gradient there, and possibly the rest. A
// whole chunk is tested once, at its half.
template <int COUNT>
__device__ __forceinline__ void dispatch(const SurrogateGradient &gradient, acc_t (&values)[COUNT], int count) {
    constexpr int FIRST = COUNT < STEPS ? COUNT : HALF_CHUNK;
#define APPLY(name) \
    UNROLL(i, FIRST) values[i] = surrogates::name(values[i], gradient.parameters); \
    if (count > FIRST) UNROLL(i, COUNT - FIRST) \
        values[i + FIRST] = surrogates::name(values[i + FIRST], gradient.parameters)
#if defined(CUSTOM_SURROGATE)
    APPLY(custom);
#else
#define CASE(index, name) case index: APPLY(name); break;
    switch (gradient.surrogate_index) {
        SURROGATES(CASE)
        // No surrogate has that index; NaN shows it.
        default: UNROLL(i, COUNT) values[i] = __uint_as_float(0x7fc00000u);
    }
#undef CASE
#endif
#undef APPLY
}

// The same for one lane's turn, or for one step. The surrogate is chosen once for all values in flight.
template <int COUNT>
__device__ __forceinline__ void apply(const SurrogateGradient &gradient, acc_t (&values)[COUNT], int count) {
    UNROLL(i, COUNT) values[i] = surrogates::bounded(values[i]);
    dispatch(gradient, values, count);
}

// The same for the first `rows` rows of a chunk. With one lane, all at once, unless a kernel has time for `PART` at a time.
//
// With several lanes four at a time, in a loop that is not unrolled: code for all surrogates and all values would take most
// of the compiler's time. Registers cannot be indexed, so the values are rotated through the same ones.
template <int PART_OF_ONE_LANE = STEPS, int ROWS, int LANES>
__device__ __forceinline__ void apply(const SurrogateGradient &gradient, acc_t (&values)[ROWS][LANES], int rows) {
    constexpr int COUNT = ROWS * LANES;
    constexpr int PART = LANES == 1 ? PART_OF_ONE_LANE : 4;
    _Pragma("unroll 1") for (int done = 0; done < COUNT; done += PART) {
        acc_t part[PART];
        UNROLL(i, PART) part[i] = surrogates::bounded(values[i / LANES][i % LANES]);
        if (done < rows * LANES) dispatch(gradient, part, rows * LANES - done);
        UNROLL(i, COUNT - PART) values[i / LANES][i % LANES] = values[(i + PART) / LANES][(i + PART) % LANES];
        UNROLL(i, PART) values[(i + COUNT - PART) / LANES][(i + COUNT - PART) % LANES] = part[i];
    }
}

} // namespace surrogates
