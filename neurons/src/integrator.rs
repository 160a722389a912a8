//! A read-out that does not fire.

use crate::neuron;

neuron! {
    /// Leaky integrator: the membrane of [`Lif`](crate::Lif) without spikes, whose potential is the output. The usual
    /// read-out of a network.
    ///
    /// ```text
    /// Y[t] = V[t] = V[t-1] + (X[t] - V[t-1]) / tau       with `decay_input`
    /// Y[t] = V[t] = V[t-1] +  X[t] - V[t-1]  / tau       without
    /// ```
    pub struct LeakyIntegrator {
        /// Membrane time constant, in steps.
        param tau = 2.0 where tau >= 1.0;
        /// Whether the input is divided by `tau` too.
        flag decay_input = true;

        charge = v + if decay_input { (x - v) / tau } else { x - v / tau };
        output = h;
    }
}
