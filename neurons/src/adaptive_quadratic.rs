//! The adaptive quadratic integrate-and-fire neuron.

use crate::neuron;

neuron! {
    /// Adaptive quadratic integrate-and-fire: the form of Izhikevich's model that SpikingJelly calls
    /// `IzhikevichNode`.
    ///
    /// ```text
    /// H[t] = V[t-1] + (X[t] + a0 (V[t-1] - v_rest) (V[t-1] - v_c) - w[t-1]) / tau
    /// w[t] = w[t-1] + (a (H[t] - v_rest) - w[t-1]) / tau_w + b S[t]
    /// ```
    pub struct AdaptiveQif {
        /// Membrane time constant, in steps.
        param tau = 2.0 where tau > 1.0;
        /// Resting potential.
        param v_rest = 0.0;
        /// Critical potential: above it the membrane runs away without input.
        param v_c = 0.8;
        /// Curvature.
        param a0 = 1.0 where a0 > 0.0;
        /// Subthreshold adaptation.
        param a = 0.0;
        /// Spike-triggered adaptation.
        param b = 0.0;
        /// Adaptation time constant, in steps.
        param tau_w = 2.0 where tau_w > 1.0;
        /// Reset potential, and the membrane potential before the first step.
        param v_reset = -0.1;
        /// Adaptation current.
        state w = 0.0;

        charge = v + (x + a0 * (v - v_rest) * (v - v_c) - w) / tau;
        update w = w + (a * (h - v_rest) - w) / tau_w + b * spike;
        reset hard | soft;
    }
}
