//! Leaky integrate-and-fire with a learnable slope.

use crate::neuron;

neuron! {
    /// KLIF (Jiang and Zhang, 2023): [`Lif`](crate::Lif) whose potential is scaled by a learnable `k` and rectified
    /// before it fires, so that the slope of the surrogate gradient is learned.
    ///
    /// ```text
    /// U[t] = V[t-1] + (X[t] - (V[t-1] - v_reset)) / tau       with `decay_input`
    /// U[t] = V[t-1] +  X[t] - (V[t-1] - v_reset)  / tau       without
    /// H[t] = max(k U[t], 0)
    /// ```
    pub struct Klif {
        /// Slope.
        learnable k = 1.0;
        /// Membrane time constant, in steps.
        param tau = 2.0 where tau > 1.0;
        /// Whether the input is divided by `tau` too.
        flag decay_input = true;

        let lif = v + if decay_input { (x - (v - v_reset)) / tau } else { x - (v - v_reset) / tau };
        charge = max(k * lif, 0.0);
        reset hard | soft;
    }
}
