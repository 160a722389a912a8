//! Spyx 1.0.0. Neurons fire at `>`, on the potential before the input of the step. The reset subtracts, in the step that
//! gives the spike out, and is differentiated. Decays are factors, clamped to 0 to 1.
//!
//! Surrogate: `superspike(k)`, here `FastSigmoid` with `slope = k`.

use neuron_runtime::neuron;

neuron! {
    /// `LIF`.
    pub struct Lif {
        /// Factor by which the potential decays.
        learnable beta = 0.8;
        /// `threshold`
        param v_threshold = 1.0;

        charge = clamp(beta, 0.0, 1.0) * v + x;
        spike = v > v_threshold;
        reset soft;
    }
}

neuron! {
    /// `CuBaLIF`: the reset decays with the potential, unlike in [`Lif`].
    pub struct Cuba {
        /// Factor by which the current decays.
        learnable alpha = 0.7;
        /// Factor by which the potential decays.
        learnable beta = 0.9;
        /// `threshold`
        param v_threshold = 1.0;
        /// Synaptic current.
        state i = 0.0;

        let decay = clamp(beta, 0.0, 1.0);
        let current = clamp(alpha, 0.0, 1.0) * i + x;
        charge = decay * v + current;
        spike = v > v_threshold;
        update v = h - decay * spike * v_threshold;
        update i = current;
    }
}

neuron! {
    /// `ALIF`: the threshold rises towards `v_threshold + 1` with spikes; what is subtracted is the raised one.
    pub struct Alif {
        /// Factor by which the potential decays.
        learnable beta = 0.8;
        /// Factor by which the rise of the threshold decays.
        learnable gamma = 0.9;
        /// `threshold`
        param v_threshold = 1.0;
        /// Rise of the threshold.
        state t = 0.0;

        let decay = clamp(gamma, 0.0, 1.0);
        let raised = v_threshold + t;
        charge = clamp(beta, 0.0, 1.0) * v + x;
        spike = v > raised;
        update v = h - spike * raised;
        update t = decay * t + (1.0 - decay) * spike;
    }
}

neuron! {
    /// `PSU_LIF`: fires on the potential after the input, and is never reset.
    pub struct PsuLif {
        /// Factor by which the potential decays.
        learnable beta = 0.8;
        /// `threshold`
        param v_threshold = 1.0;

        charge = clamp(beta, 0.0, 1.0) * v + x;
        spike = h > v_threshold;
        reset none;
    }
}
