// ---- Gradient -----------------------------------------------------------------------------------------

namespace surrogates {

// A distance from the threshold; beyond the bound it counts as that, so that every surrogate is finite.
__device__ __forceinline__ real bounded(real u) {
#if defined(F64)
    const real bound = 1e150;
#else
    const real bound = 1e18f;
#endif
    u = u > bound ? bound : u;
    return u < -bound ? -bound : u;
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
            if (done < rows * LANES) choose(part);
            EACH_OF(COUNT - PART) values[i / LANES][i % LANES] = values[(i + PART) / LANES][(i + PART) % LANES];
            EACH_OF(PART) values[(i + COUNT - PART) / LANES][(i + COUNT - PART) % LANES] = part[i];
        }
    }

    // The same for one step.
    template <int LANES> __device__ __forceinline__ void surrogate(real (&values)[LANES]) const {
        EACH_OF(LANES) values[i] = surrogates::bounded(values[i]);
        choose(values);
    }

    template <int COUNT> __device__ __forceinline__ void choose(real (&values)[COUNT]) const {
#if defined(OWN_SURROGATE)
        EACH_OF(COUNT) values[i] = surrogates::own(values[i], parameters);
#else
#define CASE(index, name) case index: EACH_OF(COUNT) values[i] = surrogates::name(values[i], parameters); break;
        switch (surrogate_index) { SURROGATES(CASE) }
#undef CASE
#endif
    }
};
