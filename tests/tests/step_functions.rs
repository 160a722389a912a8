//! Neurons whose spikes are not just `h >= threshold`: other comparisons, step functions anywhere and several of them,
//! numbers of spikes, gradients that are stopped or replaced.

use neurons::{Array, Gradient, MultiStep, gradcheck, neuron};

neuron! {
    /// norse's refractory LIF: the refractory gate has a surrogate gradient, too.
    pub struct Refractory {
        learnable k = 0.1;
        learnable v_threshold = 1.0;
        param rho_reset = 3.0;
        state rho = 0.0;

        charge = v + k * (x - v);
        let z = heaviside(h > v_threshold);
        let m = heaviside(rho > 0.0);
        let fires = (1.0 - m) * z;
        spike = fires;
        update v = (1.0 - m) * ((1.0 - z) * h + z * v_reset) + m * v;
        update rho = (1.0 - fires) * max(rho - m, 0.0) + fires * rho_reset;
    }
}

neuron! {
    /// Fires strictly above its threshold.
    pub struct Strict {
        charge = v + 0.5 * (x - v);
        spike = h > v_threshold;
        reset hard | soft;
    }
}

neuron! {
    /// spyx's LIF: the potential before the input fires.
    pub struct Before {
        learnable beta = 0.8;
        charge = beta * v + x;
        spike = v > v_threshold;
        update v = h - spike * v_threshold;
    }
}

neuron! {
    /// sinabs' adaptive LIF, as far as its threshold is concerned.
    pub struct Relative {
        state b = 0.0;
        charge = 0.9 * v + x;
        let threshold_now = max(v_threshold + 1.8 * b, 0.1);
        spike = heaviside((h - threshold_now) / detach(threshold_now) >= 0.0);
        update b = 0.9 * b + 0.1 * spike;
        update v = h - spike * threshold_now;
    }
}

neuron! {
    /// rockpool's LIF: several spikes a step.
    pub struct Several {
        learnable v_threshold = 1.0 where v_threshold > 0.0;
        charge = 0.9 * v + x;
        spike = straight_through(
            if h >= v_threshold { floor(h / v_threshold) } else { 0.0 },
            if h >= v_threshold - 0.5 { h / v_threshold } else { 0.0 });
        reset soft;
    }
}

neuron! {
    /// The leaky integrate-and-analog-fire neuron: its spike resets, something else leaves it.
    pub struct Analog {
        charge = v + 0.5 * (x - v);
        spike = h >= v_threshold;
        output = max(h - v_threshold, 0.0);
        reset hard | soft;
    }
}

neuron! {
    /// A gate in the charge, by the state that the last step left.
    pub struct Gated {
        state a = 0.0;
        charge = v + heaviside(a < 0.5) * x - 0.1 * v;
        reset hard;
        update a = 0.7 * a + 0.4 * spike;
    }
}

neuron! {
    /// Starts elsewhere than where it is reset to.
    pub struct Rest {
        learnable v_rest = -0.4;
        state v = v_rest;
        charge = v + 0.1 * (v_rest - v + x);
        reset hard;
    }
}

neuron! {
    /// A step function of a step function: the relaxed neuron has two surrogate gradients, at distances of its own.
    pub struct Nested {
        learnable v_threshold = 1.0;
        charge = 0.9 * v + x;
        let strong = heaviside(x > 0.5);
        spike = heaviside(v > -0.2) * heaviside(h > v_threshold + 0.3 * strong);
        reset hard | soft;
    }
}

#[test]
fn gradients() {
    gradcheck(&Nested::default()).unwrap();
    gradcheck(&Refractory::default()).unwrap();
    gradcheck(&Strict::default()).unwrap();
    gradcheck(&Before::default()).unwrap();
    gradcheck(&Several::default()).unwrap();
    gradcheck(&Analog::default()).unwrap();
    gradcheck(&Gated::default()).unwrap();
    gradcheck(&Rest::default()).unwrap();
    gradcheck(&Relative::default()).unwrap();
}

neuron! {
    /// A spike by its own name and by that of a `let`.
    pub struct Named {
        charge = 0.9 * v + x;
        let fires = heaviside(h >= v_threshold);
        spike = fires;
        update v = h - fires * v_threshold;
    }
}

/// `detach_reset` is about the spike, whatever it is called.
#[test]
fn resets_are_detached_by_any_name() {
    let x = Array::from_vec([3, 1], vec![0.8f64, 0.5, 0.4]).unwrap();
    let (zero, ones) = (Array::full([1], 0.0), Array::full([3, 1], 1.0));
    let gradient = Gradient { detach_reset: true, ..Gradient::default() };
    let (.., context) = MultiStep::new(Named::default(), gradient).forward(&x, &zero).unwrap();
    let named = context.backward(&ones, &zero).unwrap();
    let (.., context) = MultiStep::new(Plain::default(), gradient).forward(&x, &zero).unwrap();
    assert_eq!(named, context.backward(&ones, &zero).unwrap());
}

neuron! {
    /// [`Named`] by the reset of that name.
    pub struct Plain {
        charge = 0.9 * v + x;
        reset soft;
    }
}
