// ---- Gradient -----------------------------------------------------------------------------------------

namespace surrogates {

// A distance from the threshold; beyond the bound it counts as that, so that every surrogate is finite.
__device__ __forceinline__ real bounded(real u) {
#if defined(F64)
    const real bound = 1e150;
#else
    const real bound = 1e18f;
#endif
    return math::bounded(u, -bound, bound);
}

// Defined at the end of the source where kernels are compiled for one surrogate that is not in the list.
#if defined(OWN_SURROGATE)
__device__ __forceinline__ real own(real u, const real (&values)[4]);
#endif

} // namespace surrogates

// How spikes are differentiated. The surrogate is chosen once for all values that a thread has in flight.
struct Gradient {
    int surrogate_index;
    int detach_reset;
    real parameters[4];

    // Replaces every distance from the threshold by the surrogate gradient there, in the first `rows` rows.
    //
    // Those of more than one lane a few at a time, in a loop whose body is compiled once: all surrogates for all
    // values at once are most of what a compiler has to do. Registers have no index, so the values go round.
    template <int ROWS, int LANES> __device__ __forceinline__ void surrogate(real (&values)[ROWS][LANES], int rows) const {
        constexpr int COUNT = ROWS * LANES;
        constexpr int PART = LANES == 1 ? COUNT : 4;
        _Pragma("unroll 1") for (int done = 0; done < COUNT; done += PART) {
            real part[PART];
            EACH_OF(PART) part[i] = surrogates::bounded(values[i / LANES][i % LANES]);
            if (done < rows * LANES) choose(part, rows * LANES - done);
            EACH_OF(COUNT - PART) values[i / LANES][i % LANES] = values[(i + PART) / LANES][(i + PART) % LANES];
            EACH_OF(PART) values[(i + COUNT - PART) / LANES][(i + COUNT - PART) % LANES] = part[i];
        }
    }

    // The same of one lane, or in one step.
    template <int COUNT> __device__ __forceinline__ void surrogate(real (&values)[COUNT], int count) const {
        EACH_OF(COUNT) values[i] = surrogates::bounded(values[i]);
        choose(values, count);
    }

    // The same for the first `count` of some values; what becomes of the others does not matter. There is one test,
    // half-way.
    template <int COUNT> __device__ __forceinline__ void choose(real (&values)[COUNT], int count) const {
        constexpr int FIRST = COUNT < STEPS ? COUNT : HALF;
#define APPLY(name) \
    EACH_OF(FIRST) values[i] = surrogates::name(values[i], parameters); \
    if (count > FIRST) EACH_OF(COUNT - FIRST) values[i + FIRST] = surrogates::name(values[i + FIRST], parameters)
#if defined(OWN_SURROGATE)
        APPLY(own);
#else
#define CASE(index, name) case index: APPLY(name); break;
        switch (surrogate_index) { SURROGATES(CASE) }
#undef CASE
#endif
#undef APPLY
    }
};
