//! Norse 1.1.0. Neurons fire at `>`; integration is forward Euler, with rates `tau_*_inv` in 1/s. The reset acts in the
//! same step, hard unless said otherwise, and is differentiated unless said otherwise.
//!
//! Surrogate: `super`, here `SuperSpike` with `alpha = 1`; Norse ignores its `alpha` there.

use neuron_runtime::neuron;

neuron! {
    /// `LIFCell` (`lif_feed_forward_step`): the input is added to the current and acts on the potential at once; what is
    /// carried on has decayed.
    pub struct Lif {
        /// Time step, s.
        param dt = 0.001 where dt > 0.0;
        /// Rate of the current, 1/s.
        learnable tau_syn_inv = 200.0;
        /// Rate of the membrane, 1/s.
        learnable tau_mem_inv = 100.0;
        /// Leak potential.
        learnable v_leak = 0.0;
        /// `v_th`: threshold.
        learnable v_threshold = 1.0;
        /// Potential after a spike.
        learnable v_reset = 0.0;
        state v = v_leak;
        /// Synaptic current.
        state i = 0.0;

        let current = i + x;
        charge = v + dt * tau_mem_inv * (v_leak - v + current);
        spike = h > v_threshold;
        update i = current - dt * tau_syn_inv * current;
        reset hard;
    }
}

neuron! {
    /// `LIFRecurrentCell` (`lif_step`) with the recurrent input in `x`: [`Lif`] with a reset that is not differentiated.
    pub struct LifRecurrent {
        /// Time step, s.
        param dt = 0.001 where dt > 0.0;
        /// Rate of the current, 1/s.
        learnable tau_syn_inv = 200.0;
        /// Rate of the membrane, 1/s.
        learnable tau_mem_inv = 100.0;
        /// Leak potential.
        learnable v_leak = 0.0;
        /// `v_th`: threshold.
        learnable v_threshold = 1.0;
        /// Potential after a spike.
        learnable v_reset = 0.0;
        state v = v_leak;
        /// Synaptic current.
        state i = 0.0;

        let current = i + x;
        charge = v + dt * tau_mem_inv * (v_leak - v + current);
        spike = h > v_threshold;
        update i = current - dt * tau_syn_inv * current;
        update v = if h > v_threshold { v_reset } else { h };
    }
}

neuron! {
    /// `lif_current_encoder`, and `LIFBoxCell`: no synaptic current.
    pub struct LifCurrentEncoder {
        /// Time step, s.
        param dt = 0.001 where dt > 0.0;
        /// Rate of the membrane, 1/s.
        learnable tau_mem_inv = 100.0;
        /// Leak potential.
        learnable v_leak = 0.0;
        /// `v_th`: threshold.
        learnable v_threshold = 1.0;
        /// Potential after a spike.
        learnable v_reset = 0.0;
        state v = v_leak;

        charge = v + dt * tau_mem_inv * (v_leak - v + x);
        spike = h > v_threshold;
        reset hard;
    }
}

neuron! {
    /// `LICell` (`li_feed_forward_step`): the membrane of [`Lif`], whose potential is the output.
    pub struct Li {
        /// Time step, s.
        param dt = 0.001 where dt > 0.0;
        /// Rate of the current, 1/s.
        learnable tau_syn_inv = 200.0;
        /// Rate of the membrane, 1/s.
        learnable tau_mem_inv = 100.0;
        /// Leak potential.
        learnable v_leak = 0.0;
        state v = v_leak;
        /// Synaptic current.
        state i = 0.0;

        let current = i + x;
        charge = v + dt * tau_mem_inv * (v_leak - v + current);
        update i = current - dt * tau_syn_inv * current;
        output = h;
    }
}

neuron! {
    /// `LSNNCell` (`lsnn_feed_forward_step`; Bellec et al., 2018): `b` is the threshold itself, relaxes to `v_threshold`
    /// and rises by `beta` with a spike. The input reaches `v` a step later.
    pub struct Lsnn {
        /// Time step, s.
        param dt = 0.001 where dt > 0.0;
        /// Rate of the current, 1/s.
        learnable tau_syn_inv = 200.0;
        /// Rate of the membrane, 1/s.
        learnable tau_mem_inv = 100.0;
        /// Rate of the adaptation, 1/s.
        learnable tau_adapt_inv = 1.0 / 700.0;
        /// Leak potential.
        learnable v_leak = 0.0;
        /// `v_th`: threshold at rest.
        learnable v_threshold = 1.0;
        /// Potential after a spike.
        learnable v_reset = 0.0;
        /// Rise of the threshold by a spike.
        learnable beta = 1.8;
        state v = v_leak;
        /// Synaptic current.
        state i = 0.0;
        /// Threshold.
        state b = v_threshold;

        let relaxed = b + dt * tau_adapt_inv * (v_threshold - b);
        charge = v + dt * tau_mem_inv * (v_leak - v + i);
        spike = h > relaxed;
        update b = relaxed + beta * spike;
        update i = i - dt * tau_syn_inv * i + x;
        reset hard;
    }
}

neuron! {
    /// `ada_lif_step`: `b` is subtracted from the current. The reset subtracts `v_threshold - v_reset`.
    pub struct AdaLif {
        /// Time step, s.
        param dt = 0.001 where dt > 0.0;
        /// Rate of the current, 1/s.
        learnable tau_syn_inv = 200.0;
        /// Rate of the membrane, 1/s.
        learnable tau_mem_inv = 100.0;
        /// Rate of the adaptation, 1/s.
        learnable tau_adapt_inv = 1.0 / 700.0;
        /// Leak potential.
        learnable v_leak = 0.0;
        /// `v_th`: threshold.
        learnable v_threshold = 1.0;
        /// Potential after a spike at the threshold.
        learnable v_reset = 0.0;
        /// Adaptation by a spike.
        learnable beta = 1.8;
        state v = v_leak;
        /// Synaptic current.
        state i = 0.0;
        /// Adaptation.
        state b = 0.0;

        charge = v + dt * tau_mem_inv * (v_leak - v + i - b);
        spike = h > v_threshold;
        update b = b - dt * tau_adapt_inv * b + beta * spike;
        update i = i - dt * tau_syn_inv * i + x;
        update v = h - spike * (v_threshold - v_reset);
    }
}

neuron! {
    /// `LIFAdExCell` (Brette and Gerstner, 2005): one threshold for the exponential and for the spike.
    /// `lif_adex_current_encoder` is another neuron, whose adaptation forgets its old value.
    pub struct AdEx {
        /// Time step, s.
        param dt = 0.001 where dt > 0.0;
        /// Rate of the current, 1/s.
        learnable tau_syn_inv = 200.0;
        /// Rate of the membrane, 1/s.
        learnable tau_mem_inv = 100.0;
        /// Rate of the adaptation, 1/s.
        learnable tau_ada_inv = 2.0;
        /// Leak potential.
        learnable v_leak = 0.0;
        /// `v_th`: threshold.
        learnable v_threshold = 1.0;
        /// Potential after a spike.
        learnable v_reset = 0.0;
        /// Sharpness of the exponential.
        learnable delta_T = 0.5 where delta_T > 0.0;
        /// Adaptation by the potential.
        learnable adaptation_current = 4.0;
        /// Adaptation by a spike.
        learnable adaptation_spike = 0.02;
        state v = v_leak;
        /// Synaptic current.
        state i = 0.0;
        /// Adaptation.
        state a = 0.0;

        let current = i + x;
        let upswing = delta_T * exp((v - v_threshold) / delta_T);
        charge = v + dt * tau_mem_inv * (v_leak - v + upswing + current - a);
        spike = h > v_threshold;
        update i = current - dt * tau_syn_inv * current;
        update a = a + dt * tau_ada_inv * (adaptation_current * (v - v_leak) - a) + adaptation_spike * spike;
        reset hard;
    }
}

neuron! {
    /// `LIFExCell`: [`AdEx`] without adaptation.
    pub struct LifEx {
        /// Time step, s.
        param dt = 0.001 where dt > 0.0;
        /// Rate of the current, 1/s.
        learnable tau_syn_inv = 200.0;
        /// Rate of the membrane, 1/s.
        learnable tau_mem_inv = 100.0;
        /// Leak potential.
        learnable v_leak = 0.0;
        /// `v_th`: threshold.
        learnable v_threshold = 1.0;
        /// Potential after a spike.
        learnable v_reset = 0.0;
        /// Sharpness of the exponential.
        learnable delta_T = 0.5 where delta_T > 0.0;
        state v = v_leak;
        /// Synaptic current.
        state i = 0.0;

        let current = i + x;
        let upswing = delta_T * exp((v - v_threshold) / delta_T);
        charge = v + dt * tau_mem_inv * (v_leak - v + upswing + current);
        spike = h > v_threshold;
        update i = current - dt * tau_syn_inv * current;
        reset hard;
    }
}

neuron! {
    /// `IzhikevichCell` (Izhikevich, 2003), regular spiking: both equations use the old values.
    pub struct Izhikevich {
        /// Rate of the recovery, 1/ms.
        learnable a = 0.02;
        /// Its sensitivity to the potential.
        learnable b = 0.2;
        /// `c`: potential after a spike, mV.
        learnable v_reset = -65.0;
        /// Jump of the recovery by a spike.
        learnable d = 8.0;
        /// Coefficient of the square.
        learnable sq = 0.04;
        /// Coefficient of the potential.
        learnable mn = 5.0;
        /// Constant current.
        learnable bias = 140.0;
        /// `v_th`: where a spike is counted, mV.
        param v_threshold = 30.0;
        /// Steps of 1 ms in a second.
        param tau_inv = 250.0;
        /// Time step, s.
        param dt = 0.001 where dt > 0.0;
        /// Recovery.
        state u = b * v_reset;

        let step = tau_inv * dt;
        charge = v + step * (sq * v^2 + mn * v + bias - u + x);
        spike = h > v_threshold;
        update u = u + step * a * (b * v - u) + d * spike;
        reset hard;
    }
}

neuron! {
    /// `LIFRefracCell` (`lif_refrac_feed_forward_step`): [`Lif`] whose potential is held for the `rho_reset` steps after a
    /// spike, while the current goes on. Being refractory is a step function of `rho`, with the slope of a spike.
    pub struct LifRefrac {
        /// Time step, s.
        param dt = 0.001 where dt > 0.0;
        /// Rate of the current, 1/s.
        learnable tau_syn_inv = 200.0;
        /// Rate of the membrane, 1/s.
        learnable tau_mem_inv = 100.0;
        /// Leak potential.
        learnable v_leak = 0.0;
        /// `v_th`: threshold.
        learnable v_threshold = 1.0;
        /// Potential after a spike.
        learnable v_reset = 0.0;
        /// Steps that a neuron is refractory.
        param rho_reset = 5.0 where rho_reset >= 0.0;
        state v = v_leak;
        /// Synaptic current.
        state i = 0.0;
        /// Steps that are left of the refractory period.
        state rho = 0.0;

        let current = i + x;
        let above = heaviside(h > v_threshold);
        let refractory = heaviside(rho > 0.0);
        charge = v + dt * tau_mem_inv * (v_leak - v + current);
        spike = (1.0 - refractory) * above;
        update i = current - dt * tau_syn_inv * current;
        update v = (1.0 - refractory) * ((1.0 - above) * h + above * v_reset) + refractory * v;
        update rho = (1.0 - spike) * max(rho - refractory, 0.0) + spike * rho_reset;
    }
}
