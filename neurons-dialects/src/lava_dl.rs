//! lava-dl 0.6.0.

use neuron_runtime::{neuron, surrogate};

surrogate! {
    /// The exponential surrogate of SLAYER (Shrestha and Orchard, 2018).
    pub surrogate Slayer {
        /// Width.
        param tau_rho = 1.0 where tau_rho > 0.0;
        /// Scale: twice the area.
        param scale_rho = 1.0 where scale_rho > 0.0;

        let tail = scale_rho / 2.0 * exp(-abs(u) / tau_rho);
        primitive = if u < 0.0 { tail } else { scale_rho - tail };
    }
}

neuron! {
    /// `slayer.neuron.cuba.Neuron`: fixed point, with states in units of 1/4096 and decays rounded to it. The potential that
    /// is given out has not been reset; the next step begins at 0. It fires `eps`, a hundredth of a unit, above the
    /// threshold, so as if at `>`. Gradients are those of the two filters, as if there were no reset and no rounding.
    pub struct SlayerCuba {
        /// Decay of the current.
        param current_decay = 0.25;
        /// Decay of the potential.
        param voltage_decay = 0.125;
        /// What the threshold is raised by.
        param eps = 0.01 / 4096.0;
        /// `threshold`
        param v_threshold = 1.0;
        /// Synaptic current.
        state current = 0.0;

        let level = v_threshold + eps;
        let kept_current = (4096.0 - round(4096.0 * current_decay)) / 4096.0;
        let kept_voltage = (4096.0 - round(4096.0 * voltage_decay)) / 4096.0;
        let filtered = straight_through(
            (trunc(4096.0 * current * kept_current) + trunc(4096.0 * x)) / 4096.0,
            (1.0 - current_decay) * current + x);
        charge = straight_through(
            trunc(4096.0 * (if v < level { v } else { 0.0 }) * kept_voltage) / 4096.0 + filtered,
            (1.0 - voltage_decay) * v + filtered);
        spike = h - level >= 0.0;
        update current = filtered;
        reset none;
    }
}
