//! Leaky integrate-and-fire with an adaptive threshold.

use crate::neuron;

neuron! {
    /// Adaptive leaky integrate-and-fire, ALIF (Bellec et al., 2018; with the unit of time a step): every
    /// spike raises the threshold, which relaxes with a time constant of its own, so that the neuron
    /// remembers over far longer than its membrane does.
    ///
    /// ```text
    /// H[t] = alpha V[t-1] + (1 - alpha) X[t]                       alpha = exp(-1 / tau)
    /// A[t] = v_threshold + beta a[t-1]                             the threshold
    /// a[t] = rho a[t-1] + (1 - rho) S[t]                           rho = exp(-1 / tau_a)
    /// ```
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
