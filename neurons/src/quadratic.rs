//! The quadratic integrate-and-fire neuron.

use crate::neuron;

neuron! {
    /// Quadratic integrate-and-fire (Latham et al., 2000; Gerstner et al., *Neuronal Dynamics*, eq. 5.16).
    ///
    /// ```text
    /// H[t] = V[t-1] + (X[t] + a0 (V[t-1] - v_rest) (V[t-1] - v_c)) / tau
    /// ```
    pub struct Qif {
        /// Membrane time constant, in steps.
        param tau = 2.0 where tau > 1.0;
        /// Resting potential.
        param v_rest = 0.0;
        /// Critical potential: above it the membrane runs away without input.
        param v_c = 0.8;
        /// Curvature.
        param a0 = 1.0 where a0 > 0.0;
        /// Reset potential, and the membrane potential before the first step.
        param v_reset = -0.1;

        charge = v + (x + a0 * (v - v_rest) * (v - v_c)) / tau;
        reset hard | soft;
    }
}
