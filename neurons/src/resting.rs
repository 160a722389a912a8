//! Leaky integrate-and-fire whose resting and reset potentials differ.

use crate::neuron;

neuron! {
    /// Leaky integrate-and-fire that relaxes to a resting potential of its own and starts there, forward Euler with
    /// the time step as the unit of time (Gerstner et al., *Neuronal Dynamics*, 2014, section 1.3).
    ///
    /// ```text
    /// H[t] = V[t-1] + (X[t] - (V[t-1] - v_rest)) / tau
    /// ```
    ///
    /// [`Lif`](crate::Lif) is the special case `v_rest = v_reset`.
    pub struct RestingLif {
        /// Membrane time constant, in steps.
        param tau = 10.0 where tau > 1.0;
        /// Resting potential, and the potential before the first step.
        param v_rest = -65.0;
        /// Potential at which the neuron fires.
        param v_threshold = -50.0;
        /// Potential after a hard reset.
        param v_reset = -70.0;
        state v = v_rest;

        charge = v + (x - (v - v_rest)) / tau;
        reset hard | soft;
    }
}
