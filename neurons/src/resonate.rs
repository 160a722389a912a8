//! A neuron that resonates.

use crate::neuron;

neuron! {
    /// Resonate-and-fire (Izhikevich, 2001): a damped oscillation that fires on its imaginary part, and so prefers
    /// input of its own frequency. A spike resets the imaginary part alone.
    ///
    /// ```text
    /// U[t] = exp(b dt) (U[t-1] cos(omega dt) - V[t-1] sin(omega dt)) + X[t]
    /// H[t] = exp(b dt) (U[t-1] sin(omega dt) + V[t-1] cos(omega dt))
    /// ```
    pub struct ResonateAndFire {
        /// Damping, per unit of time.
        param b = -0.2 where b < 0.0;
        /// Angular frequency, radians per unit of time.
        param omega = 1.0 where omega > 0.0;
        /// Time step.
        param dt = 1.0 where dt > 0.0;
        /// Real part, which the input drives.
        state u = 0.0;

        let cosine = exp(b * dt) * cos(omega * dt);
        let sine = exp(b * dt) * sin(omega * dt);
        charge = sine * u + cosine * v;
        update u = cosine * u - sine * v + x;
        reset hard | soft;
    }
}
