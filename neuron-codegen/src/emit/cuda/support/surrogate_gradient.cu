// ---- Surrogate gradients ------------------------------------------------------------------------------

// How spikes are differentiated.
struct SurrogateGradient {
    int surrogate_index;
    int detach_reset;
    acc_t parameters[SURROGATE_PARAMETERS];
};
