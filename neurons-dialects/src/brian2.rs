//! Brian2 2.9.0. Equations are the user's there, and Brian's part is the integrator, the order of a step (integrate,
//! compare, synapses, reset) and the refractory period, which counts from the step of the spike: a potential is held for
//! `refractory / dt - 1` steps. The neurons here are those of Brian's examples, with thresholds `v > v_th`. Time and its
//! step have one unit, whichever.
//!
//! There are no gradients there; here they are those of any neuron.

use neuron_runtime::neuron;

neuron! {
    /// Leaky integrate-and-fire, `method="exact"`: `dv/dt = (v_rest - v + R x) / tau : 1 (unless refractory)`.
    pub struct LifExact {
        /// Time step.
        param dt = 0.1 where dt > 0.0;
        /// Membrane time constant.
        param tau = 10.0 where tau > 0.0;
        /// Resting potential.
        param v_rest = 0.0;
        /// Resistance.
        param R = 1.0;
        /// Refractory period, in steps.
        param refractory_steps = 20.0 where refractory_steps >= 0.0;
        state v = v_rest;
        /// Steps that are left of the refractory period.
        state left = 0.0;

        let target = v_rest + R * x;
        charge = if left > 0.0 { v } else { target + (v - target) * exp(-dt / tau) };
        spike = if left > 0.0 { 0.0 } else { heaviside(h > v_threshold) };
        update left = if spike { refractory_steps - 1.0 } else { max(left - 1.0, 0.0) };
        reset hard;
    }
}

neuron! {
    /// With an exponential current, `method="exact"`: `dv/dt = (v_rest - v + i) / tau_m : 1 (unless refractory)`,
    /// `di/dt = -i / tau_s : 1`. The input arrives at the synapses, so acts from the next step on.
    pub struct CubaExact {
        /// Time step.
        param dt = 0.1 where dt > 0.0;
        /// Membrane time constant.
        param tau_m = 10.0 where tau_m > 0.0;
        /// Synaptic time constant.
        param tau_s = 5.0 where tau_s > 0.0;
        /// Resting potential.
        param v_rest = 0.0;
        /// Refractory period, in steps.
        param refractory_steps = 20.0 where refractory_steps >= 0.0;
        state v = v_rest;
        /// Synaptic current.
        state i = 0.0;
        /// Steps that are left of the refractory period.
        state left = 0.0;

        // `tau_s / (tau_s - tau_m) * (exp(-dt / tau_s) - exp(-dt / tau_m))`, which is finite for equal time constants, too.
        let response = dt / tau_m * exp(-dt / tau_m) * exprel(dt / tau_m - dt / tau_s);
        let integrated = v_rest + (v - v_rest) * exp(-dt / tau_m) + i * response;
        charge = if left > 0.0 { v } else { integrated };
        spike = if left > 0.0 { 0.0 } else { heaviside(h > v_threshold) };
        update i = i * exp(-dt / tau_s) + x;
        update left = if spike { refractory_steps - 1.0 } else { max(left - 1.0, 0.0) };
        reset hard;
    }
}

neuron! {
    /// Adaptive exponential integrate-and-fire (Brette and Gerstner, 2005), `method="euler"`.
    pub struct AdExEuler {
        /// Time step, ms.
        param dt = 0.1 where dt > 0.0;
        /// Membrane capacitance, pF.
        param C = 281.0 where C > 0.0;
        /// Leak conductance, nS.
        param gL = 30.0;
        /// Leak reversal potential, mV.
        param EL = -70.6;
        /// Where the exponential takes over, mV.
        param VT = -50.4;
        /// How sharply it does, mV.
        param DeltaT = 2.0 where DeltaT > 0.0;
        /// Adaptation time constant, ms.
        param tauw = 144.0 where tauw > 0.0;
        /// Subthreshold adaptation, nS.
        param a = 4.0;
        /// Adaptation by a spike, pA.
        param b = 80.5;
        /// `Vcut`: where a spike is counted, mV.
        param v_threshold = -40.4;
        /// `Vr`: potential after a spike, mV.
        param v_reset = -70.6;
        state v = EL;
        /// Adaptation, pA.
        state w = 0.0;

        charge = v + dt * (gL * (EL - v) + gL * DeltaT * exp((v - VT) / DeltaT) + x - w) / C;
        spike = h > v_threshold;
        update w = w + dt * (a * (v - EL) - w) / tauw + b * spike;
        reset hard;
    }
}

neuron! {
    /// The simple model (Izhikevich, 2003), `method="euler"`: both equations use the old values.
    pub struct IzhikevichEuler {
        /// Time step, ms.
        param dt = 0.1 where dt > 0.0;
        /// Rate of the recovery, 1/ms.
        param a = 0.02;
        /// Its sensitivity to the potential.
        param b = 0.2;
        /// Its jump by a spike.
        param d = 8.0;
        /// Where a spike is counted, mV.
        param v_threshold = 30.0;
        /// `c`: potential after a spike, mV.
        param v_reset = -65.0;
        /// Recovery.
        state u = b * v_reset;

        charge = v + dt * (0.04 * v^2 + 5.0 * v + 140.0 - u + x);
        spike = h > v_threshold;
        update u = u + dt * a * (b * v - u) + d * spike;
        reset hard;
    }
}

neuron! {
    /// With an excitatory conductance, `method="exponential_euler"`:
    /// `dv/dt = (gL (EL - v) + g (Ee - v)) / C : volt (unless refractory)`, `dg/dt = -g / tau_e : siemens`.
    pub struct CobaExponentialEuler {
        /// Time step, ms.
        param dt = 0.1 where dt > 0.0;
        /// Membrane capacitance, pF.
        param C = 200.0 where C > 0.0;
        /// Leak conductance, nS.
        param gL = 10.0;
        /// Leak reversal potential, mV.
        param EL = -60.0;
        /// Excitatory reversal potential, mV.
        param Ee = 0.0;
        /// Time constant of the conductance, ms.
        param tau_e = 5.0 where tau_e > 0.0;
        /// Refractory period, in steps.
        param refractory_steps = 50.0 where refractory_steps >= 0.0;
        /// `v_th`: threshold, mV.
        param v_threshold = -50.0;
        /// Potential after a spike, mV.
        param v_reset = -60.0;
        state v = EL;
        /// Excitatory conductance, nS.
        state g = 0.0;
        /// Steps that are left of the refractory period.
        state left = 0.0;

        // The solution for constant `g`, written so that it is finite without conductance, too.
        let current = gL * (EL - v) + g * (Ee - v);
        charge = if left > 0.0 { v } else { v + dt / C * current * exprel(-dt / C * (gL + g)) };
        spike = if left > 0.0 { 0.0 } else { heaviside(h > v_threshold) };
        update g = g * exp(-dt / tau_e) + x;
        update left = if spike { refractory_steps - 1.0 } else { max(left - 1.0, 0.0) };
        reset hard;
    }
}

neuron! {
    /// Hodgkin and Huxley (1952) in the form of Brian's examples, `method="exponential_euler"`. A spike is counted where the
    /// potential rises above `v_threshold`, and the next one once it has been below (`refractory="v > v_th"`).
    pub struct HhExponentialEuler {
        /// Time step, ms.
        param dt = 0.01 where dt > 0.0;
        /// Membrane capacitance, µF/cm².
        param C = 1.0 where C > 0.0;
        /// Leak conductance, mS/cm².
        param gL = 0.3;
        /// Leak reversal potential, mV.
        param EL = -54.4;
        /// Sodium conductance, mS/cm².
        param gNa = 120.0;
        /// Sodium reversal potential, mV.
        param ENa = 50.0;
        /// Potassium conductance, mS/cm².
        param gK = 36.0;
        /// Potassium reversal potential, mV.
        param EK = -77.0;
        /// `v_th`: where a spike is counted, mV.
        param v_threshold = -20.0;
        state v = -65.0;
        /// Activation of sodium.
        state m = 0.0529;
        /// Activation of potassium.
        state n = 0.3177;
        /// `h`: inactivation of sodium.
        state h_gate = 0.5961;
        /// Whether a spike may be counted.
        state free = 1.0;

        let alpha_m = 1.0 / exprel(-(v + 40.0) / 10.0);
        let beta_m = 4.0 * exp(-(v + 65.0) / 18.0);
        let alpha_n = 0.1 / exprel(-(v + 55.0) / 10.0);
        let beta_n = 0.125 * exp(-(v + 65.0) / 80.0);
        let alpha_h = 0.07 * exp(-(v + 65.0) / 20.0);
        let beta_h = 1.0 / (1.0 + exp(-(v + 35.0) / 10.0));
        let sodium = gNa * m^3 * h_gate;
        let potassium = gK * n^4;
        let current = gL * (EL - v) + sodium * (ENa - v) + potassium * (EK - v) + x;
        charge = v + dt / C * current * exprel(-dt / C * (gL + sodium + potassium));
        spike = if free > 0.0 { heaviside(h > v_threshold) } else { 0.0 };
        update m = m + dt * (alpha_m - (alpha_m + beta_m) * m) * exprel(-dt * (alpha_m + beta_m));
        update n = n + dt * (alpha_n - (alpha_n + beta_n) * n) * exprel(-dt * (alpha_n + beta_n));
        update h_gate = h_gate + dt * (alpha_h - (alpha_h + beta_h) * h_gate) * exprel(-dt * (alpha_h + beta_h));
        update free = if spike { 0.0 } else if free > 0.0 || v <= v_threshold { 1.0 } else { 0.0 };
        reset none;
    }
}
