//! Leaky integrate-and-fire with a learnable membrane time constant.

use crate::neuron;

neuron! {
    /// Parametric leaky integrate-and-fire, PLIF (Fang et al., 2021): [`Lif`](crate::Lif) whose time constant is
    /// learned, as `1 / tau = sigmoid(w)`, which keeps `tau > 1`.
    ///
    /// ```text
    /// H[t] = V[t-1] + (X[t] - (V[t-1] - v_reset)) sigmoid(w)       with `decay_input`
    /// H[t] = V[t-1] +  X[t] - (V[t-1] - v_reset)  sigmoid(w)       without
    /// ```
    pub struct Plif {
        /// The time constant in steps is `1 + exp(-w)`: `w = -ln(tau - 1)`, 0 for `tau = 2`.
        learnable w = 0.0;
        /// Whether the input is divided by the time constant too.
        flag decay_input = true;

        let reciprocal_tau = sigmoid(w);
        charge = v + if decay_input {
            (x - (v - v_reset)) * reciprocal_tau
        } else {
            x - (v - v_reset) * reciprocal_tau
        };
        reset hard | soft;
    }
}
