//! Leaky integrate-and-fire with an adaptive threshold.

use crate::neuron;

neuron! {
    /// Adaptive leaky integrate-and-fire, ALIF, after Bellec et al. (2018, 2020), with the time step as the unit of
    /// time: every spike raises the threshold, which relaxes with its own time constant, so that the neuron's memory is
    /// far longer than its membrane's.
    ///
    /// ```text
    /// H[t] = alpha V[t-1] + (1 - alpha) X[t]                       alpha = exp(-1 / tau)
    /// A[t] = v_threshold + beta a[t-1]                             the threshold
    /// a[t] = rho a[t-1] + (1 - rho) S[t]                           rho = exp(-1 / tau_a)
    /// ```
    ///
    /// The reset is that of the other neurons of this crate: within the step, by `v_threshold` if it is soft. Both papers
    /// subtract one step later, and what they subtract does not decay: `V[t] = alpha V[t-1] + ... - S[t-1] B`, with
    /// `B = A[t]` in 2018 and `B = v_threshold` in 2020, where `a` is not scaled by `1 - rho`.
    /// The crate `spiking-neurons-dialects` has both, in its module `bellec`.
    pub struct Alif {
        /// Membrane time constant, in steps.
        param tau = 20.0 where tau > 0.0;
        /// Time constant of the threshold, in steps.
        param tau_a = 200.0 where tau_a > 0.0;
        /// How much the threshold rises: by `beta` if the neuron fires all the time.
        param beta = 1.6 where beta >= 0.0;
        /// Trace of the spikes, 0 to 1.
        state a = 0.0;

        let alpha = exp(-1.0 / tau);
        let rho = exp(-1.0 / tau_a);
        charge = alpha * v + (1.0 - alpha) * x;
        threshold = v_threshold + beta * a;
        update a = rho * a + (1.0 - rho) * spike;
        reset soft | hard;
    }
}
