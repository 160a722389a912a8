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

    // Replaces every distance from the threshold by the surrogate gradient there.
    template <int ROWS, int LANES> __device__ __forceinline__ void surrogate(real (&values)[ROWS][LANES]) const {
#define EACH(name) \
    _Pragma("unroll") for (auto &row : values) \
        _Pragma("unroll") for (real &u : row) u = surrogates::name(surrogates::bounded(u), parameters)
#if defined(OWN_SURROGATE)
        EACH(own);
#else
#define CASE(index, name) case index: EACH(name); break;
        switch (surrogate_index) { SURROGATES(CASE) }
#undef CASE
#endif
#undef EACH
    }

    // The same for one step.
    template <int LANES> __device__ __forceinline__ void surrogate(real (&values)[LANES]) const {
        surrogate(reinterpret_cast<real (&)[1][LANES]>(values));
    }
};
