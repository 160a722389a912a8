//! SpikingJelly 2.0.0. Neurons fire at `h >= v_threshold` and reset in the same step, hard to `v_reset` or, where
//! `v_reset` is `None` there, softly by `v_threshold`; a soft reset takes `v_reset` as 0 in the leak.
//!
//! Surrogates: `Sigmoid` with `alpha = 4`; `Rect` with `alpha = 1` for [`Cuba`] and [`Clif`].

use neuron_runtime::neuron;

neuron! {
    /// `ILIFNode` (Luo et al., 2024): the output is the number of spikes that the potential is worth, rounded to even.
    /// The rounding is differentiated as if it were not there, from 0 to `levels`.
    pub struct Ilif {
        /// Membrane time constant, in steps.
        param tau = 4.0 / 3.0 where tau > 1.0;
        /// Spikes of a step, at most.
        param levels = 4.0 where levels >= 1.0;
        /// The potential that one spike is worth.
        param v_threshold = 1.0 where v_threshold > 0.0;

        charge = v - v / tau + x;
        let count = round(clamp(h / v_threshold, 0.0, levels));
        output = count;
        update v = h - count * v_threshold;
    }
}

neuron! {
    /// `KLIFNode` (Jiang and Zhang, 2023) with `scale_reset = False`: scaled by `k` and rectified before it fires; the
    /// scaled potential is reset.
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

neuron! {
    /// `KLIFNode` with `scale_reset = True`: fires as [`Klif`], but what is reset, and carried on, is `h / k`, with the
    /// threshold `v_threshold / k`.
    pub struct KlifScaleReset {
        /// Slope.
        learnable k = 1.0 where k > 0.0;
        /// Membrane time constant, in steps.
        param tau = 2.0 where tau > 1.0;
        /// Whether the input is divided by `tau` too.
        flag decay_input = true;
        /// Whether the reset is soft: `v_reset = None`.
        flag soft_reset = false;

        let lif = v + if decay_input { (x - (v - v_reset)) / tau } else { x - (v - v_reset) / tau };
        charge = max(k * lif, 0.0);
        update v = if soft_reset { (h - spike * v_threshold) / k } else if spike { v_reset } else { h / k };
    }
}

neuron! {
    /// `GatedLIFNode` (Yao et al., 2022): learnable gates between exponential and linear decay (`alpha`), scaled and
    /// plain input (`beta`), proportional and fixed reset (`gamma`). Everything learnable is given before a sigmoid. The
    /// reset is part of the next step's charge.
    pub struct Glif {
        /// Gate of the decay.
        learnable alpha = 0.0;
        /// Gate of the input.
        learnable beta = 0.0;
        /// Gate of the reset.
        learnable gamma = 0.0;
        /// Factor by which the potential decays.
        learnable tau = -ln(3.0);
        /// Amount by which it decays.
        learnable linear_decay = -ln(31.0);
        /// Amount by which a spike lowers it.
        learnable v_subreset = 0.0;
        /// Threshold.
        learnable v_threshold = 0.0;
        /// `conduct` is the factor of `x`, one value for each step.
        input x, conduct;
        /// Spike of the step before.
        state last = 0.0;

        let decay = (1.0 - sigmoid(alpha) * (1.0 - sigmoid(tau))) * v;
        let linear = (1.0 - sigmoid(alpha)) * sigmoid(linear_decay);
        let current = x * (1.0 - sigmoid(beta) * (1.0 - sigmoid(conduct)));
        let subreset = decay * sigmoid(gamma) + (1.0 - sigmoid(gamma)) * sigmoid(v_subreset);
        charge = decay - linear + current - subreset * last;
        threshold = sigmoid(v_threshold);
        update last = spike;
        reset none;
    }
}

neuron! {
    /// `CUBALIFNode`: the current has decayed once before the input is added, and acts in the same step; both decays are
    /// factors.
    pub struct Cuba {
        /// Factor by which the current decays.
        param c_decay = 0.5;
        /// Factor by which the potential decays.
        param v_decay = 0.75;
        /// Threshold.
        param v_threshold = 0.5;
        /// Synaptic current.
        state c = 0.0;

        let current = c_decay * c + x;
        charge = v_decay * v + current;
        update c = current;
        reset hard | soft;
    }
}

neuron! {
    /// `LIAFNode` (Wu et al., 2021) with `act=relu` and `threshold_related=True`: a spike resets the potential, but what is
    /// given out is how far it was above the threshold.
    pub struct Liaf {
        /// Membrane time constant, in steps.
        param tau = 2.0 where tau > 1.0;

        charge = v + (x - (v - v_reset)) / tau;
        spike = h >= v_threshold;
        output = max(h - v_threshold, 0.0);
        reset hard | soft;
    }
}

neuron! {
    /// `CLIFNode` (Huang et al., 2024): a complementary potential `m` remembers spikes, as long as the neuron stays
    /// excited, and deepens the reset.
    pub struct Clif {
        /// Membrane time constant, in steps.
        param tau = 2.0 where tau > 1.0;
        /// Complementary potential.
        state m = 0.0;

        charge = v - v / tau + x;
        let complement = m * sigmoid(h / tau) + spike;
        update m = complement;
        update v = h - spike * (v_threshold + sigmoid(complement));
    }
}

neuron! {
    /// Resonate-and-fire, discretised by rotating and damping `(u, v)`: the input arrives at `u` and reaches `v` a step
    /// later; a spike resets `v` and leaves `u`.
    pub struct Raf {
        /// Damping: negative.
        param b = -0.2;
        /// Angular frequency.
        param omega = 1.0;
        /// Time step.
        param dt = 1.0 where dt > 0.0;
        /// Real part; `v` is the imaginary one.
        state u = 0.0;

        let damping = exp(b * dt);
        charge = damping * (u * sin(omega * dt) + v * cos(omega * dt));
        update u = damping * (u * cos(omega * dt) - v * sin(omega * dt)) + x;
        reset hard | soft;
    }
}
