//! Nengo 4.1.0. The output is the spike times `amplitude / dt`; time is in seconds. [`Lif`] and [`AdaptiveLif`] fire at
//! `> 1`, their refractory period begins where the potential crossed the threshold within the step, and the rest of the
//! step in which it ends is integrated.
//!
//! There are no gradients there; here the time of the crossing has none.

use neuron_runtime::neuron;

neuron! {
    /// `LIF`.
    // Where the potential crosses the threshold, the current is above it: the logarithm is finite.
    #[allow(deprecated)]
    pub struct Lif {
        /// Time step, s.
        param dt = 0.001 where dt > 0.0;
        /// Membrane time constant, s.
        param tau_rc = 0.02 where tau_rc > 0.0;
        /// Refractory period, s.
        param tau_ref = 0.002 where tau_ref >= 0.0;
        /// The lowest potential.
        param min_voltage = 0.0;
        /// What a spike is worth.
        param amplitude = 1.0;
        /// `refractory_time`: when the neuron may fire again, from the end of the step; it falls below 0 without end.
        state refractory_time = 0.0;

        let left = refractory_time - dt;
        charge = x + (v - x) * exp(-clamp(dt - left, 0.0, dt) / tau_rc);
        spike = h > v_threshold;
        output = spike * amplitude / dt;
        let crossing = dt + tau_rc * ln(1.0 - (h - v_threshold) / (x - v_threshold));
        update refractory_time = if h > v_threshold { tau_ref + crossing } else { left };
        update v = if spike { v_reset } else { max(h, min_voltage) };
    }
}

neuron! {
    /// `AdaptiveLIF` (Koch, 1999): spikes raise an adaptation, which is subtracted from the input.
    // As in `Lif`.
    #[allow(deprecated)]
    pub struct AdaptiveLif {
        /// Time step, s.
        param dt = 0.001 where dt > 0.0;
        /// Membrane time constant, s.
        param tau_rc = 0.02 where tau_rc > 0.0;
        /// Refractory period, s.
        param tau_ref = 0.002 where tau_ref >= 0.0;
        /// Time constant of the adaptation, s.
        param tau_n = 1.0 where tau_n > 0.0;
        /// How much a spike adapts.
        param inc_n = 0.01;
        /// The lowest potential.
        param min_voltage = 0.0;
        /// What a spike is worth.
        param amplitude = 1.0;
        /// `refractory_time`: when the neuron may fire again, from the end of the step; it falls below 0 without end.
        state refractory_time = 0.0;
        /// What is subtracted from the input.
        state adaptation = 0.0;

        let current = x - adaptation;
        let left = refractory_time - dt;
        charge = current + (v - current) * exp(-clamp(dt - left, 0.0, dt) / tau_rc);
        spike = h > v_threshold;
        let rate = spike * amplitude / dt;
        output = rate;
        let crossing = dt + tau_rc * ln(1.0 - (h - v_threshold) / (current - v_threshold));
        update refractory_time = if h > v_threshold { tau_ref + crossing } else { left };
        update adaptation = adaptation + dt / tau_n * (inc_n * rate - adaptation);
        update v = if spike { v_reset } else { max(h, min_voltage) };
    }
}

neuron! {
    /// `Izhikevich` (Izhikevich, 2003): the input is at least -30, and the recovery follows the potential after the reset.
    pub struct Izhikevich {
        /// Time step, s.
        param dt = 0.001 where dt > 0.0;
        /// Rate of the recovery, 1/ms: Izhikevich's a.
        param tau_recovery = 0.02;
        /// Its sensitivity to the potential: b.
        param coupling = 0.2;
        /// Its jump by a spike: d.
        param reset_recovery = 8.0;
        /// Where a spike is counted, mV.
        param v_threshold = 30.0;
        /// `reset_voltage`: potential after a spike, mV: c.
        param v_reset = -65.0;
        /// Recovery.
        state recovery = 0.0;

        let step = 1000.0 * dt;
        charge = v + step * (0.04 * v^2 + 5.0 * v + 140.0 - recovery + max(x, -30.0));
        spike = h >= v_threshold;
        output = spike / dt;
        let voltage = if spike { v_reset } else { h };
        update recovery = recovery + step * tau_recovery * (coupling * voltage - recovery) + reset_recovery * spike;
        update v = voltage;
    }
}
