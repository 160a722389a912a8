//! Leaky integrate-and-fire with synaptic current.

use crate::neuron;

neuron! {
    /// Current-based leaky integrate-and-fire, CUBA-LIF: input charges a synaptic current, which decays and
    /// charges the membrane, which leaks (as in Intel's Lava and in Norse).
    ///
    /// ```text
    /// i[t] = (1 - 1 / tau_syn) i[t-1] + X[t]
    /// H[t] = (1 - 1 / tau_mem) V[t-1] + i[t]
    /// ```
    pub struct CubaLif {
        /// Time constant of the current, in steps.
        param tau_syn = 5.0 where tau_syn >= 1.0;
        /// Membrane time constant, in steps.
        param tau_mem = 10.0 where tau_mem >= 1.0;
        /// Synaptic current.
        state i = 0.0;

        let current = (1.0 - 1.0 / tau_syn) * i + x;
        charge = (1.0 - 1.0 / tau_mem) * v + current;
        update i = current;
        reset hard | soft;
    }
}
