//! The integrate-and-fire neuron.

use crate::neuron;

neuron! {
    /// Integrate-and-fire: a perfect integrator of its input (Lapicque, 1907, without leak).
    ///
    /// ```text
    /// H[t] = V[t-1] + X[t]
    /// ```
    pub struct If {
        charge = v + x;
        reset hard | soft;
    }
}
