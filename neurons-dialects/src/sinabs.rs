//! Sinabs 3.1.3. Neurons fire at `>=` and reset in the same step, softly and differentiated; `trunc(h / threshold)` times
//! where there may be several spikes. Decays are `exp(-1 / tau)`. Surrogates give the threshold no gradient.
//!
//! `min_v_mem` is the lowest potential, after the reset; its default stands for `None`, no bound.

use neuron_runtime::{neuron, surrogate};

surrogate! {
    /// `SingleExponential`, of the distance from the threshold as a multiple of the threshold. Also used where several
    /// spikes are counted.
    pub surrogate SingleExponential {
        /// Width, as a multiple of the threshold.
        param grad_width = 0.5 where grad_width > 0.0;

        let rise = 1.0 - exp(-abs(u) / grad_width);
        primitive = if u < 0.0 { 0.5 - rise } else { 0.5 + rise };
    }
}

surrogate! {
    /// `PeriodicExponential` at one of its thresholds.
    pub surrogate PeriodicExponential {
        /// Width.
        param grad_width = 0.5 where grad_width > 0.0;

        let rise = grad_width * (1.0 - exp(-abs(u) / grad_width));
        primitive = if u < 0.0 { 0.5 - rise } else { 0.5 + rise };
    }
}

neuron! {
    /// `LIF` without `tau_syn`, with `spike_fn=SingleSpike`.
    pub struct LifSingle {
        /// Membrane time constant, in steps.
        learnable tau_mem = 10.0 where tau_mem > 0.0;
        /// Whether the input is scaled by `1 - exp(-1 / tau_mem)`.
        flag norm_input = true;
        /// `spike_threshold`
        param v_threshold = 1.0 where v_threshold > 0.0;

        let alpha = exp(-1.0 / tau_mem);
        charge = alpha * v + if norm_input { (1.0 - alpha) * x } else { x };
        spike = (h - v_threshold) / v_threshold >= 0.0;
        reset soft;
    }
}

neuron! {
    /// `LIF` with `reset_fn=MembraneReset`: adds `reset_value` in every step, spike or not; the reset is not
    /// differentiated.
    pub struct LifMembraneReset {
        /// Membrane time constant, in steps.
        learnable tau_mem = 10.0 where tau_mem > 0.0;
        /// Whether the input is scaled by `1 - exp(-1 / tau_mem)`.
        flag norm_input = true;
        /// What is added to the potential in every step.
        param reset_value = 0.0;
        /// `spike_threshold`
        param v_threshold = 1.0 where v_threshold > 0.0;

        let alpha = exp(-1.0 / tau_mem);
        charge = alpha * v + if norm_input { (1.0 - alpha) * x } else { x };
        spike = (h - v_threshold) / v_threshold >= 0.0;
        update v = h * (1.0 - detach(spike)) + reset_value;
    }
}

neuron! {
    /// `LIF` with `tau_syn` and `spike_fn=MultiSpike`: the input decays before it acts.
    pub struct LifMultiSynMin {
        /// Membrane time constant, in steps.
        learnable tau_mem = 10.0 where tau_mem > 0.0;
        /// Synaptic time constant, in steps.
        learnable tau_syn = 5.0 where tau_syn > 0.0;
        /// Whether the current is scaled by `1 - exp(-1 / tau_mem)`.
        flag norm_input = true;
        /// The lowest potential.
        param min_v_mem = -1e30;
        /// `spike_threshold`
        param v_threshold = 1.0 where v_threshold > 0.0;
        /// Synaptic current.
        state i_syn = 0.0;

        let alpha = exp(-1.0 / tau_mem);
        let current = exp(-1.0 / tau_syn) * (i_syn + x);
        charge = alpha * v + if norm_input { (1.0 - alpha) * current } else { current };
        spike = straight_through(
            max(trunc(h / v_threshold), 0.0),
            heaviside((h - v_threshold) / v_threshold >= 0.0));
        update v = max(h - spike * v_threshold, min_v_mem);
        update i_syn = current;
    }
}

neuron! {
    /// `IAF` with `spike_fn=MultiSpike` and `PeriodicExponential`: the surrogate acts at each multiple of the threshold.
    pub struct IafMulti {
        /// The lowest potential.
        param min_v_mem = -1e30;
        /// `spike_threshold`
        param v_threshold = 1.0 where v_threshold > 0.0;

        charge = v + x;
        // Above the threshold the surrogate is given twice the distance from halfway between two multiples of it.
        let phase = h / v_threshold - 0.5;
        let distance = if h < v_threshold { h } else { 2.0 * v_threshold * (phase - floor(phase)) } - v_threshold;
        spike = straight_through(max(trunc(h / v_threshold), 0.0), heaviside(straight_through(distance, h) >= 0.0));
        update v = max(h - spike * v_threshold, min_v_mem);
    }
}

neuron! {
    /// `ExpLeak`: the membrane of [`LifSingle`], whose potential is the output. The input is not scaled by default.
    pub struct ExpLeak {
        /// Membrane time constant, in steps.
        learnable tau_mem = 10.0 where tau_mem > 0.0;
        /// Whether the input is scaled by `1 - exp(-1 / tau_mem)`.
        flag norm_input = false;

        let alpha = exp(-1.0 / tau_mem);
        charge = alpha * v + if norm_input { (1.0 - alpha) * x } else { x };
        output = h;
    }
}

neuron! {
    /// `ALIF` with `spike_fn=SingleSpike` (Bellec et al., 2018): the scale of the input goes into the current, so that it
    /// loses `1 - exp(-1 / tau_mem)` in every step. The threshold has a gradient through the reset only.
    // The threshold is 0 only if the adaptation is negative, which spikes do not make it.
    #[allow(deprecated)]
    pub struct Alif {
        /// Membrane time constant, in steps.
        learnable tau_mem = 10.0 where tau_mem > 0.0;
        /// Time constant of the adaptation, in steps.
        learnable tau_adapt = 25.0 where tau_adapt > 0.0;
        /// Synaptic time constant, in steps.
        learnable tau_syn = 5.0 where tau_syn > 0.0;
        /// Rise of the threshold by the adaptation.
        param adapt_scale = 1.8;
        /// The lowest potential.
        param min_v_mem = -1e30;
        /// `spike_threshold`: the threshold at rest.
        param v_threshold = 1.0 where v_threshold > 0.0;
        /// Synaptic current.
        state i_syn = 0.0;
        /// Adaptation.
        state b = 0.0;

        let alpha = exp(-1.0 / tau_mem);
        let adapt = exp(-1.0 / tau_adapt);
        let current = (1.0 - alpha) * exp(-1.0 / tau_syn) * (i_syn + x);
        let raised = v_threshold + adapt_scale * b;
        charge = alpha * v + current;
        spike = (h - detach(raised)) / detach(raised) >= 0.0;
        update v = max(h - spike * raised, min_v_mem);
        update i_syn = current;
        update b = adapt * b + (1.0 - adapt) * spike;
    }
}
