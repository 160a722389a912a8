//! Leaky integrate-and-fire with synaptic current.

use crate::neuron;

neuron! {
    /// Current-based leaky integrate-and-fire, CUBA-LIF: input charges a synaptic current, which decays and
    /// charges the membrane, which leaks.
    ///
    /// ```text
    /// i[t] = (1 - 1 / tau_syn) i[t-1] + X[t]
    /// H[t] = (1 - 1 / tau_mem) V[t-1] + i[t]
    /// ```
    ///
    /// These are the equations of the floating-point LIF process of Intel's Lava with `du = 1 / tau_syn`,
    /// `dv = 1 / tau_mem` and no bias, except that Lava fires where `H` *exceeds* its threshold. Norse scales the current
    /// by `dt / tau_mem` and carries on a current that has decayed before the next input is added.
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
