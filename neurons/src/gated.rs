//! Leaky integrate-and-fire with learnable gates.

use crate::neuron;

neuron! {
    /// Gated leaky integrate-and-fire, GLIF (Yao et al., 2022): learnable gates choose between exponential and linear
    /// decay (`alpha`), between input that is scaled in each step and one that is not (`beta`), and between resetting in
    /// proportion and by a fixed amount (`gamma`). All parameters, and the input `conduct`, are given before a sigmoid
    /// that keeps them in 0 to 1.
    ///
    /// ```text
    /// D    = 1 - alpha (1 - tau)
    /// H[t] = D (1 - gamma S[t-1]) V[t-1] - (1 - alpha) linear_decay - (1 - gamma) v_subreset S[t-1]
    ///      + (1 - beta (1 - conduct[t])) X[t]
    /// V[t] = H[t]
    /// ```
    pub struct Glif {
        /// Gate of the decay: 1 exponential, 0 linear too.
        learnable alpha = 0.0;
        /// Gate of the input: 1 scaled by `conduct`, 0 not.
        learnable beta = 0.0;
        /// Gate of the reset: 1 in proportion to the potential, 0 by `v_subreset`.
        learnable gamma = 0.0;
        /// Factor by which the potential decays in a step; the default is 1/4.
        learnable tau = -ln(3.0);
        /// Amount by which it decays in a step; the default is 1/32.
        learnable linear_decay = -ln(31.0);
        /// Amount by which a spike lowers it; the default is 1/2.
        learnable v_subreset = 0.0;
        /// Threshold; the default is 1/2.
        learnable v_threshold = 0.0;
        /// `conduct` is the factor of the input `x` in each step, usually a learnable value for each step.
        input x, conduct;
        /// Spike of the step before.
        state last = 0.0;

        let decay = 1.0 - sigmoid(alpha) * (1.0 - sigmoid(tau));
        let linear = (1.0 - sigmoid(alpha)) * sigmoid(linear_decay);
        let current = x * (1.0 - sigmoid(beta) * (1.0 - sigmoid(conduct)));
        let subreset = decay * v * sigmoid(gamma) + (1.0 - sigmoid(gamma)) * sigmoid(v_subreset);
        charge = decay * v - linear + current - subreset * last;
        threshold = sigmoid(v_threshold);
        update last = spike;
        reset none;
    }
}
