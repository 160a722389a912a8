//! Rockpool 3.1.0.

use neuron_runtime::neuron;

neuron! {
    /// `LIFTorch`: fires `floor(h / threshold)` times at `>=` and resets in the same step, softly and differentiated. The
    /// input decays before it acts and is not scaled. The slope of the count is that of `h / threshold`, from `window`
    /// below the threshold on (`StepPWL`); there is no other surrogate.
    pub struct Lif {
        /// Time step, s.
        param dt = 0.001 where dt > 0.0;
        /// Membrane time constant, s.
        learnable tau_mem = 0.02 where tau_mem > 0.0;
        /// Synaptic time constant, s.
        learnable tau_syn = 0.02 where tau_syn > 0.0;
        /// Constant input of the potential.
        learnable bias = 0.0;
        /// `threshold`
        learnable v_threshold = 1.0 where v_threshold > 0.0;
        /// How far below the threshold the count has a slope.
        param window = 0.5;
        /// Synaptic current.
        state isyn = 0.0;

        let current = exp(-dt / tau_syn) * (isyn + x);
        charge = exp(-dt / tau_mem) * v + current + bias;
        let ratio = h / v_threshold;
        spike = straight_through(
            if h >= v_threshold { floor(ratio) } else { 0.0 },
            if h >= v_threshold - window { ratio } else { 0.0 });
        update isyn = current;
        reset soft;
    }
}
