//! Leaky integrate-and-fire with a refractory period.

use crate::neuron;

neuron! {
    /// Leaky integrate-and-fire with exact propagator and absolute refractory period (Rotter and Diesmann,
    /// 1999; NEST's `iaf_psc_delta` with constant current).
    ///
    /// ```text
    /// H[t] = e_l + P (V[t-1] - e_l) + (1 - P) tau / c_m X[t]          P = exp(-dt / tau)
    /// ```
    ///
    /// For `t_ref` after a spike the membrane stays at `v_reset`; `t_ref` is a multiple of `dt`.
    ///
    /// With a short time step a step changes the potential by less than float32 resolves. What is rounded off is carried
    /// on to the next step (Kahan, 1965), so that the potential is as accurate as its format.
    pub struct RefractoryLif {
        /// Membrane time constant, ms.
        param tau = 10.0 where tau > 0.0;
        /// Membrane capacitance, pF.
        param c_m = 250.0 where c_m > 0.0;
        /// Resting potential, mV.
        param e_l = -70.0;
        /// Refractory period, ms.
        param t_ref = 2.0 where t_ref >= 0.0, abs(t_ref / dt - round(t_ref / dt)) <= 0.001;
        /// Time step, ms.
        param dt = 0.1 where dt > 0.0;
        /// Threshold, mV.
        param v_threshold = -55.0;
        /// Reset potential, and the membrane potential before the first step, mV.
        param v_reset = -70.0;
        /// Injected current, pA.
        input x;
        /// Steps that are left of the refractory period.
        state refractory = 0.0;
        /// The part of the last change of the potential that was rounded off, mV.
        state remainder = 0.0;

        let decay = -expm1(-dt / tau);
        let change = decay * (e_l - v + tau / c_m * x) + remainder;
        let is_refractory = refractory > 0.5;
        charge = if is_refractory { v_reset } else { v + change };
        update refractory = if spike { round(t_ref / dt) } else { max(refractory - 1.0, 0.0) };
        update remainder = if spike || is_refractory { 0.0 } else { change - (h - v) };
        reset hard;
    }
}
