//! BindsNET 0.3.4. Neurons fire at `>=` and reset in the same step, except for [`Izhikevich`]. The potential decays about
//! `rest` by the factor `exp(-dt / tc_decay)`, during refractoriness too: only the input is held back.
//!
//! There are no gradients there; here they are those of any neuron.

use neuron_runtime::neuron;

neuron! {
    /// `LIFNodes`: the input is left out in the `refrac / dt` steps after a spike.
    pub struct Lif {
        /// Time step, ms.
        param dt = 1.0 where dt > 0.0;
        /// Resting potential, mV.
        param rest = -65.0;
        /// Refractory period, ms.
        param refrac = 5.0 where refrac >= 0.0;
        /// Membrane time constant, ms.
        param tc_decay = 100.0 where tc_decay > 0.0;
        /// `thresh`: threshold, mV.
        param v_threshold = -52.0;
        /// `reset`: potential after a spike, mV.
        param v_reset = -65.0;
        /// What is left of the refractory period, ms; it falls below 0 without end.
        state refrac_count = 0.0;

        charge = rest + exp(-dt / tc_decay) * (v - rest) + if refrac_count <= 0.0 { x } else { 0.0 };
        update refrac_count = if spike { refrac } else { refrac_count - dt };
        reset hard;
    }
}

neuron! {
    /// `AdaptiveLIFNodes`, and `DiehlAndCookNodes` (Diehl and Cook, 2015) with `one_spike = False`: [`Lif`] with a
    /// threshold that rises by `theta_plus` with each spike. It has decayed once before it is compared.
    pub struct AdaptiveLif {
        /// Time step, ms.
        param dt = 1.0 where dt > 0.0;
        /// Resting potential, mV.
        param rest = -65.0;
        /// Refractory period, ms.
        param refrac = 5.0 where refrac >= 0.0;
        /// Membrane time constant, ms.
        param tc_decay = 100.0 where tc_decay > 0.0;
        /// Rise of the threshold by a spike, mV.
        param theta_plus = 0.05;
        /// Time constant of its decay, ms.
        param tc_theta_decay = 1e7 where tc_theta_decay > 0.0;
        /// `thresh`: threshold, mV.
        param v_threshold = -52.0;
        /// `reset`: potential after a spike, mV.
        param v_reset = -65.0;
        /// What is left of the refractory period, ms; it falls below 0 without end.
        state refrac_count = 0.0;
        /// Rise of the threshold, mV.
        state theta = 0.0;

        let raised = theta * exp(-dt / tc_theta_decay);
        charge = rest + exp(-dt / tc_decay) * (v - rest) + if refrac_count <= 0.0 { x } else { 0.0 };
        threshold = v_threshold + raised;
        update theta = raised + theta_plus * spike;
        update refrac_count = if spike { refrac } else { refrac_count - dt };
        reset hard;
    }
}

neuron! {
    /// `CurrentLIFNodes`: the input passes through an exponential current. The refractory period is counted before it is
    /// asked for, so the current is left out for one step less than the input of [`Lif`] is.
    pub struct CurrentLif {
        /// Time step, ms.
        param dt = 1.0 where dt > 0.0;
        /// Resting potential, mV.
        param rest = -65.0;
        /// Refractory period, ms.
        param refrac = 5.0 where refrac >= 0.0;
        /// Membrane time constant, ms.
        param tc_decay = 100.0 where tc_decay > 0.0;
        /// Time constant of the current, ms.
        param tc_i_decay = 2.0 where tc_i_decay > 0.0;
        /// `thresh`: threshold, mV.
        param v_threshold = -52.0;
        /// `reset`: potential after a spike, mV.
        param v_reset = -65.0;
        /// What is left of the refractory period, ms; it falls below 0 without end.
        state refrac_count = 0.0;
        /// Synaptic current.
        state i = 0.0;

        let current = i * exp(-dt / tc_i_decay) + x;
        let left = refrac_count - dt;
        charge = rest + exp(-dt / tc_decay) * (v - rest) + if left <= 0.0 { current } else { 0.0 };
        update i = current;
        update refrac_count = if spike { refrac } else { left };
        reset hard;
    }
}

neuron! {
    /// `IzhikevichNodes` (Izhikevich, 2003), with a, b, c and d of each neuron: two half steps for `v` with one `u`, then
    /// one step for `u` with the new `v`. The potential that is given out is not reset; the next step begins with that.
    pub struct Izhikevich {
        /// Time step, ms.
        param dt = 1.0 where dt > 0.0;
        /// Rate of the recovery, 1/ms.
        array a = 0.02;
        /// Its sensitivity to the potential.
        array b = 0.2;
        /// Potential after a spike, mV.
        array c = -65.0;
        /// Jump of the recovery by a spike.
        array d = 8.0;
        /// `thresh`: where a spike is counted, mV.
        param v_threshold = 45.0;
        /// Recovery.
        state u = -13.0;
        /// Spike of the step before.
        state s = 0.0;

        let before = if s > 0.0 { c } else { v };
        let recovery = if s > 0.0 { u + d } else { u };
        let half = before + dt / 2.0 * (0.04 * before^2 + 5.0 * before + 140.0 - recovery + x);
        charge = half + dt / 2.0 * (0.04 * half^2 + 5.0 * half + 140.0 - recovery + x);
        update u = recovery + dt * a * (b * h - recovery);
        update s = spike;
        reset none;
    }
}
