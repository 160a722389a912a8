//! lava-nc 0.10.0, the process models in floating point. Neurons fire at `>` and reset in the same step, to 0. Decays are
//! `1 - du` and `1 - dv`.
//!
//! There are no gradients there; here they are those of any neuron.

use neuron_runtime::neuron;

neuron! {
    /// `PyLifModelFloat`: the current of the step acts at once.
    pub struct Lif {
        /// Decay of the current.
        param du = 0.0;
        /// Decay of the potential.
        param dv = 0.0;
        /// Constant input of the potential.
        param bias = 0.0;
        /// `vth`: threshold.
        param v_threshold = 10.0;
        /// Synaptic current.
        state u = 0.0;

        let current = (1.0 - du) * u + x;
        charge = (1.0 - dv) * v + current + bias;
        spike = h > v_threshold;
        update u = current;
        reset hard;
    }
}

neuron! {
    /// `PyLifRefractoryModelFloat`: the potential is held for the `refractory_period` steps after a spike, while the current
    /// goes on.
    pub struct LifRefractory {
        /// Decay of the current.
        param du = 0.0;
        /// Decay of the potential.
        param dv = 0.0;
        /// Constant input of the potential.
        param bias = 0.0;
        /// Steps that the potential is held.
        param refractory_period = 1.0 where refractory_period >= 0.0;
        /// `vth`: threshold.
        param v_threshold = 10.0;
        /// Synaptic current.
        state u = 0.0;
        /// Steps that are left of the refractory period.
        state left = 0.0;

        let current = (1.0 - du) * u + x;
        charge = if left > 0.0 { v } else { (1.0 - dv) * v + current + bias };
        spike = h > v_threshold;
        update u = current;
        update left = if spike { refractory_period } else { max(left - 1.0, 0.0) };
        reset hard;
    }
}
