//! Leaky integrate-and-fire with integer spikes.

use crate::neuron;

neuron! {
    /// Integer leaky integrate-and-fire, I-LIF (Luo et al., 2024): in training, a step gives the number of spikes that
    /// the potential is worth, up to `levels`; for inference each becomes that many steps of a binary neuron. The
    /// rounding is differentiated as if it were not there ("straight through"), and the reset takes the number of spikes
    /// as a constant, as the authors' code does.
    ///
    /// ```text
    /// H[t] = V[t-1] - V[t-1] / tau + X[t]
    /// S[t] = round(clamp(H[t] / v_threshold, 0, levels))        ties to even
    /// V[t] = H[t] - S[t] v_threshold
    /// ```
    pub struct Ilif {
        /// Membrane time constant, in steps; the paper's `beta` is `1 - 1 / tau`.
        param tau = 4.0 / 3.0 where tau > 1.0;
        /// Spikes of a step, at most.
        param levels = 4.0 where levels >= 1.0;
        /// The potential that one spike is worth.
        param v_threshold = 1.0 where v_threshold > 0.0;

        charge = v - v / tau + x;
        let count = round(clamp(h / v_threshold, 0.0, levels));
        output = count;
        update v = h - detach(count) * v_threshold;
    }
}
