//! The adaptive exponential integrate-and-fire neuron.

use crate::neuron;

neuron! {
    /// Adaptive exponential integrate-and-fire, AdEx (Brette and Gerstner, 2005), forward Euler. Units are
    /// those of the paper: mV, pA, nS, pF, ms.
    ///
    /// ```text
    /// c_m dV/dt   = -g_l (V - e_l) + g_l delta_t exp((V - v_t) / delta_t) - w + X
    /// tau_w dw/dt = a (V - e_l) - w;     after a spike  w = w + b
    /// ```
    ///
    /// The exponent is at most 15. Above that, with any reasonable time step, the neuron fires in the next step anyway;
    /// without the bound its gradient would be of the order of 1e9 there and soon overflow.
    pub struct AdEx {
        /// Membrane capacitance, pF.
        param c_m = 281.0 where c_m > 0.0;
        /// Leak conductance, nS.
        param g_l = 30.0 where g_l > 0.0;
        /// Leak reversal potential, mV.
        param e_l = -70.6;
        /// Threshold of the exponential, mV.
        param v_t = -50.4;
        /// Slope factor, mV.
        param delta_t = 2.0 where delta_t > 0.0;
        /// Subthreshold adaptation, nS.
        param a = 4.0;
        /// Spike-triggered adaptation, pA.
        param b = 80.5;
        /// Adaptation time constant, ms.
        param tau_w = 144.0 where tau_w > 0.0;
        /// Time step, ms.
        param dt = 0.1 where dt > 0.0;
        /// Potential at which a spike is counted, mV: where the exponential has taken over.
        param v_threshold = 0.0;
        /// Reset potential, and the membrane potential before the first step, mV.
        param v_reset = -70.6;
        /// Injected current, pA.
        input x;
        /// Adaptation current, pA.
        state w = 0.0;

        let leak = g_l * (e_l - v);
        let upswing = g_l * delta_t * exp(min((v - v_t) / delta_t, 15.0));
        charge = v + dt / c_m * (leak + upswing - w + x);
        update w = w + dt / tau_w * (a * (v - e_l) - w) + b * spike;
        reset hard;
    }
}
