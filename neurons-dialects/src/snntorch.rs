//! snnTorch 1.0.0. Neurons fire at `>`. Unless said otherwise a spike resets in the next step, at its start, and the reset
//! is not differentiated: the potential that is given out has not been reset. Decays are factors, clamped to 0 to 1.
//!
//! Surrogate: `atan(alpha=2)`, here `ATan` with `alpha = 2`.

use neuron_runtime::neuron;

neuron! {
    /// `Leaky(reset_mechanism="subtract")` (Eshraghian et al., 2023).
    pub struct LeakySubtract {
        /// Factor by which the potential decays.
        learnable beta = 0.9;
        /// `threshold`
        learnable v_threshold = 1.0;

        charge = clamp(beta, 0.0, 1.0) * v + x - if v > v_threshold { v_threshold } else { 0.0 };
        spike = h > v_threshold;
        reset none;
    }
}

neuron! {
    /// `Leaky(reset_mechanism="zero")`: the input of the step that resets is kept.
    pub struct LeakyZero {
        /// Factor by which the potential decays.
        learnable beta = 0.9;
        /// `threshold`
        learnable v_threshold = 1.0;

        charge = x + if v > v_threshold { 0.0 } else { clamp(beta, 0.0, 1.0) * v };
        spike = h > v_threshold;
        reset none;
    }
}

neuron! {
    /// `Leaky(reset_mechanism="none")`.
    pub struct LeakyNone {
        /// Factor by which the potential decays.
        learnable beta = 0.9;
        /// `threshold`
        learnable v_threshold = 1.0;

        charge = clamp(beta, 0.0, 1.0) * v + x;
        spike = h > v_threshold;
        reset none;
    }
}

neuron! {
    /// `Leaky(reset_mechanism="subtract", reset_delay=False)`: also reset in the step of the spike, differentiated. If the
    /// potential was given out above the threshold and is not any more, the threshold is added back.
    pub struct LeakySubtractNoDelay {
        /// Factor by which the potential decays.
        learnable beta = 0.9;
        /// `threshold`
        learnable v_threshold = 1.0;

        let fired = if v > v_threshold { 1.0 } else { 0.0 };
        charge = clamp(beta, 0.0, 1.0) * v + x - fired * v_threshold;
        spike = h > v_threshold;
        update v = h - (spike - fired) * v_threshold;
    }
}

neuron! {
    /// `Leaky(reset_mechanism="zero", reset_delay=False)`: also reset in the step of the spike, differentiated. If the
    /// potential was given out above the threshold and is not any more, it is doubled.
    pub struct LeakyZeroNoDelay {
        /// Factor by which the potential decays.
        learnable beta = 0.9;
        /// `threshold`
        learnable v_threshold = 1.0;

        let fired = if v > v_threshold { 1.0 } else { 0.0 };
        charge = clamp(beta, 0.0, 1.0) * (1.0 - fired) * v + x;
        spike = h > v_threshold;
        update v = h - (spike - fired) * h;
    }
}

neuron! {
    /// `Synaptic(reset_mechanism="subtract")`: the current of the step acts at once.
    pub struct SynapticSubtract {
        /// Factor by which the current decays.
        learnable alpha = 0.9;
        /// Factor by which the potential decays.
        learnable beta = 0.8;
        /// `threshold`
        learnable v_threshold = 1.0;
        /// Synaptic current.
        state syn = 0.0;

        let current = clamp(alpha, 0.0, 1.0) * syn + x;
        charge = clamp(beta, 0.0, 1.0) * v + current - if v > v_threshold { v_threshold } else { 0.0 };
        spike = h > v_threshold;
        update syn = current;
        reset none;
    }
}

neuron! {
    /// `Synaptic(reset_mechanism="zero")`: the potential loses the current of the step that resets; the current is not
    /// reset.
    pub struct SynapticZero {
        /// Factor by which the current decays.
        learnable alpha = 0.9;
        /// Factor by which the potential decays.
        learnable beta = 0.8;
        /// `threshold`
        learnable v_threshold = 1.0;
        /// Synaptic current.
        state syn = 0.0;

        let current = clamp(alpha, 0.0, 1.0) * syn + x;
        charge = if v > v_threshold { 0.0 } else { clamp(beta, 0.0, 1.0) * v + current };
        spike = h > v_threshold;
        update syn = current;
        reset none;
    }
}

neuron! {
    /// `Lapicque(beta=.., reset_mechanism="subtract")` (Lapicque, 1907), with `R = 1` and the capacitance that `beta` would
    /// give the exact solution: it decays by `1 + ln(beta)`, not by `beta`, and scales the input by `-ln(beta)`.
    pub struct LapicqueSubtract {
        /// Factor by which the exact solution would decay.
        param beta = 0.8 where beta > 0.0, beta < 1.0;
        /// Time step.
        param time_step = 1.0 where time_step > 0.0;
        /// `threshold`
        learnable v_threshold = 1.0;

        let capacitance = time_step / ln(1.0 / beta);
        let rate = time_step / capacitance;
        charge = rate * x + (1.0 - rate) * v - if v > v_threshold { v_threshold } else { 0.0 };
        spike = h > v_threshold;
        reset none;
    }
}

neuron! {
    /// `Lapicque(R=.., C=.., reset_mechanism="zero")`: forward Euler. The `beta` that snnTorch computes of `R` and `C` is
    /// not used there.
    pub struct LapicqueRcZero {
        /// Resistance.
        param R = 5.1 where R > 0.0;
        /// Capacitance.
        param C = 1.5 where C > 0.0;
        /// Time step.
        param time_step = 1.0 where time_step > 0.0;
        /// `threshold`
        learnable v_threshold = 1.0;

        let charged = time_step / C * x + (1.0 - time_step / (R * C)) * v;
        charge = if v > v_threshold { 0.0 } else { charged };
        spike = h > v_threshold;
        reset none;
    }
}

neuron! {
    /// `Alpha(reset_mechanism="zero")`: the potential is a function of two currents and not carried on, except to tell
    /// whether it is reset; a spike resets the currents, too.
    pub struct AlphaZero {
        /// Factor by which the excitatory current decays.
        param alpha = 0.85 where alpha > 0.0, alpha < 1.0;
        /// Factor by which the inhibitory current decays.
        learnable beta = 0.7 where beta > 0.0, ln(beta / alpha) < 0.0;
        /// `threshold`
        learnable v_threshold = 1.0;
        /// Excitatory current.
        state syn_exc = 0.0;
        /// Inhibitory current.
        state syn_inh = 0.0;

        let scale = ln(beta) / ln(beta / alpha);
        let kept = if v > v_threshold { 0.0 } else { 1.0 };
        let excitation = kept * (alpha * syn_exc + x);
        let inhibition = kept * (beta * syn_inh - x);
        charge = scale * (excitation + inhibition);
        spike = h > v_threshold;
        update syn_exc = excitation;
        update syn_inh = inhibition;
        reset none;
    }
}

neuron! {
    /// `Alpha(reset_mechanism="subtract")`: subtracts the threshold from the excitatory current, and the inhibitory current
    /// from itself; the potential of that step gets the old inhibitory current back.
    pub struct AlphaSubtract {
        /// Factor by which the excitatory current decays.
        param alpha = 0.85 where alpha > 0.0, alpha < 1.0;
        /// Factor by which the inhibitory current decays.
        learnable beta = 0.7 where beta > 0.0, ln(beta / alpha) < 0.0;
        /// `threshold`
        learnable v_threshold = 1.0;
        /// Excitatory current.
        state syn_exc = 0.0;
        /// Inhibitory current.
        state syn_inh = 0.0;

        let scale = ln(beta) / ln(beta / alpha);
        let fired = if v > v_threshold { 1.0 } else { 0.0 };
        let excitation = alpha * syn_exc + x;
        let inhibition = beta * syn_inh - x;
        charge = scale * (excitation + inhibition) + fired * syn_inh;
        spike = h > v_threshold;
        update syn_exc = excitation - fired * v_threshold;
        update syn_inh = (1.0 - fired) * inhibition;
        reset none;
    }
}

neuron! {
    /// `RLeaky(all_to_all=False, reset_mechanism="subtract")`: the spike of the step before is an input, with the weight `V`,
    /// and differentiated.
    pub struct RLeakySubtract {
        /// Factor by which the potential decays.
        learnable beta = 0.9;
        /// Weight of the own spike.
        learnable V = 1.0;
        /// `threshold`
        learnable v_threshold = 1.0;
        /// Spike of the step before.
        state spk = 0.0;

        let lowered = if v > v_threshold { v_threshold } else { 0.0 };
        charge = clamp(beta, 0.0, 1.0) * v + x + V * spk - lowered;
        spike = h > v_threshold;
        update spk = spike;
        reset none;
    }
}

neuron! {
    /// `StateLeaky`: never reset. `tau` is `1 / (1 - beta)` of the constructor's `beta`, so it decays by `exp(-(1 - beta))`,
    /// not by `beta`.
    pub struct StateLeaky {
        /// Time constant, in steps.
        learnable tau = 10.0 where tau > 0.0;
        /// `threshold`
        learnable v_threshold = 1.0;

        charge = exp(-1.0 / tau) * v + x;
        spike = h > v_threshold;
        reset none;
    }
}

neuron! {
    /// `LeakyParallel` with diagonal weights: an `RNN` with a rectifier, never reset.
    pub struct LeakyParallel {
        /// Factor by which the potential decays.
        param beta = 0.9;
        /// `threshold`
        learnable v_threshold = 1.0;

        charge = max(clamp(beta, 0.0, 1.0) * v + x, 0.0);
        spike = h > v_threshold;
        reset none;
    }
}
