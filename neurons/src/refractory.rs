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
    /// For `t_ref` after a spike the membrane stays at `v_reset`.
    pub struct RefractoryLif {
        /// Membrane time constant, ms.
        param tau = 10.0 where tau > 0.0;
        /// Membrane capacitance, pF.
        param c_m = 250.0 where c_m > 0.0;
        /// Resting potential, mV.
        param e_l = -70.0;
        /// Refractory period, ms.
        param t_ref = 2.0 where t_ref >= 0.0;
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

        let propagator = exp(-dt / tau);
        let integrated = e_l + propagator * (v - e_l) + (1.0 - propagator) * tau / c_m * x;
        charge = if refractory > 0.5 { v_reset } else { integrated };
        update refractory = if spike { t_ref / dt } else { max(refractory - 1.0, 0.0) };
        reset hard;
    }
}
