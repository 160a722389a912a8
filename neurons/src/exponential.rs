//! The exponential integrate-and-fire neuron.

use crate::neuron;

neuron! {
    /// Exponential integrate-and-fire (Fourcaud-Trocmé et al., 2003; Gerstner et al., *Neuronal Dynamics*,
    /// eq. 5.6).
    ///
    /// ```text
    /// H[t] = V[t-1] + (X[t] + v_rest - V[t-1] + delta_t exp((V[t-1] - theta_rh) / delta_t)) / tau
    /// ```
    pub struct Eif {
        /// Membrane time constant, in steps.
        param tau = 2.0 where tau > 1.0;
        /// Resting potential.
        param v_rest = 0.0;
        /// Rheobase threshold: where the exponential takes over.
        param theta_rh = 0.8;
        /// Sharpness: the range of potentials over which it does.
        param delta_t = 1.0 where delta_t > 0.0;
        /// Reset potential, and the membrane potential before the first step.
        param v_reset = -0.1;

        charge = v + (x + v_rest - v + delta_t * exp((v - theta_rh) / delta_t)) / tau;
        reset hard | soft;
    }
}
