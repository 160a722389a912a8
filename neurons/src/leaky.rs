//! The leaky integrate-and-fire neuron.

use crate::neuron;

neuron! {
    /// Leaky integrate-and-fire: the membrane relaxes to `v_reset` with time constant `tau` (forward Euler
    /// of `tau dV/dt = -(V - v_reset) + X` with a step of 1; Gerstner et al., *Neuronal Dynamics*, eq. 1.5).
    ///
    /// ```text
    /// H[t] = V[t-1] + (X[t] - (V[t-1] - v_reset)) / tau       with `decay_input`
    /// H[t] = V[t-1] +  X[t] - (V[t-1] - v_reset)  / tau       without
    /// ```
    pub struct Lif {
        /// Membrane time constant, in steps.
        param tau = 100.0 where tau > 1.0;
        /// Whether the input is divided by `tau` too; the opposite of the 2020 API's `detach_input`.
        flag decay_input = true;

        charge = v + if decay_input { (x - (v - v_reset)) / tau } else { x - (v - v_reset) / tau };
        reset hard | soft;
    }
}
