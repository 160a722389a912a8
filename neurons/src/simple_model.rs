//! Izhikevich's neuron.

use crate::neuron;

neuron! {
    /// Izhikevich's simple model (2003), forward Euler: regular spiking, bursting, chattering, by its four
    /// parameters, of which `c` is `v_reset`.
    ///
    /// ```text
    /// dv/dt = 0.04 v^2 + 5 v + 140 - u + X        at v >= 30 mV:  v = c, u = u + d
    /// du/dt = a (b v - u)
    /// ```
    pub struct Izhikevich {
        /// Rate of recovery, 1/ms.
        param a = 0.02;
        /// Sensitivity of recovery to the membrane potential.
        param b = 0.2;
        /// What a spike adds to recovery.
        param d = 8.0;
        /// Time step, ms.
        param dt = 0.1 where dt > 0.0;
        /// Peak of a spike, mV.
        param v_threshold = 30.0;
        /// `c`: reset potential, and the membrane potential before the first step, mV.
        param v_reset = -65.0;
        /// Membrane recovery.
        state u = b * v_reset;

        charge = v + dt * (0.04 * v * v + 5.0 * v + 140.0 - u + x);
        update u = u + dt * a * (b * v - u) + d * spike;
        reset hard;
    }
}
