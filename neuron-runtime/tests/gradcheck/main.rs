//! The gradient check finds wrong gradients, and none in right ones.
#![allow(missing_docs)]

mod hidden;
mod large;
mod limits;
mod wrong;

use neuron_runtime::gradcheck::Failure;
use neuron_runtime::{Error, gradcheck, neuron};

neuron! {
    /// Two states that depend on each other, two inputs, a threshold that moves.
    pub struct Coupled {
        param tau = 2.0 where tau > 1.0;
        flag leaks = true;
        input x, y;
        state w = 0.5;

        let drive = x * y - w;
        charge = v + if leaks { (drive - v) / tau } else { drive };
        threshold = v_threshold + 0.1 * w * w;
        update w = 0.9 * w + 0.2 * tanh(h) * spike;
        reset hard | soft;
    }
}

neuron! {
    /// Every function of the language.
    pub struct Functions {
        charge = v + 0.1 * (exp(x - 2.0) + ln(2.0 + v * v) + sqrt(1.0 + x^2) + tanh(v) + sigmoid(x)
            + atan(v) + erf(x) + sin(v) + cos(x) + 1.0 / (2.0 + x^2)
            + expm1(0.5 * x) + log1p(abs(v)) + log1p(x^2) + exprel(v) + 1.0 / exprel(v - x));
        reset hard | soft;
    }
}

neuron! {
    /// Integers, differentiated as what they are made of.
    pub struct Integers {
        learnable gain = 1.3;
        charge = 0.9 * v + 0.1 * floor(4.0 * x) * trunc(3.0 * v) + floor(2.5 * gain) * x - trunc(x - v);
        reset hard | soft;
    }
}

neuron! {
    /// Kinks, which are not counted as errors.
    pub struct Kinked {
        charge = v + abs(x - 0.5) + max(x, v) - min(0.3, v) + if x < 0.2 { x } else { 2.0 * x };
        reset hard | soft;
    }
}

neuron! {
    /// Learnable parameters in the charge, the threshold, the reset and a second state.
    pub struct Learning {
        learnable w = 0.3;
        array gain = 1.2 where gain > 0.0;
        learnable v_threshold = 0.9;
        learnable v_reset = -0.1;
        learnable beta = 0.4;
        state a = 0.2 * beta;
        charge = v + sigmoid(w) * (gain * x - (v - v_reset));
        threshold = v_threshold + beta * a;
        update a = 0.8 * a + beta * spike;
        reset hard | soft | none;
    }
}

neuron! {
    /// No spikes.
    pub struct Readout {
        learnable tau = 2.0 where tau > 1.0;
        charge = v + (x - v) / tau;
        output = h * h;
    }
}

neuron! {
    /// A reset of its own.
    pub struct Own {
        learnable kappa = 0.7;
        charge = 0.9 * v + x;
        update v = h - kappa * spike * h;
    }
}

#[test]
fn learnable_parameters() {
    let learning = gradcheck(&Learning::default()).unwrap();
    assert_eq!(learning.checked + learning.skipped, 3 * 2 * 24 * (6 + 2 + 4));
    let readout = gradcheck(&Readout::default()).unwrap();
    let own = gradcheck(&Own::default()).unwrap();
    for report in [learning, readout, own] {
        assert_eq!(report.skipped, 0, "{report:?}");
        assert!(report.largest_error > 0.0 && report.largest_error < 1e-8, "{report:?}");
    }
}

#[test]
fn right_gradients_pass() {
    // Inputs at every step and states, for every reset, flag and surrogate.
    let coupled = gradcheck(&Coupled::default()).unwrap();
    assert_eq!(coupled.checked + coupled.skipped, 2 * 2 * 2 * 24 * (6 * 2 + 2));
    let [functions, integers] = [gradcheck(&Functions::default()), gradcheck(&Integers::default())];
    for report in [coupled, functions.unwrap(), integers.unwrap()] {
        assert_eq!(report.skipped, 0, "{report:?}");
        assert!(report.largest_error > 0.0 && report.largest_error < 1e-8, "{report:?}");
    }
}

#[test]
fn kinks_are_stepped_over() {
    let report = gradcheck(&Kinked::default()).unwrap();
    assert!(report.checked > 20 * report.skipped, "{report:?}");
}

#[test]
fn a_neuron_that_cannot_run_says_why() {
    let failure = gradcheck(&Coupled { tau: 1.0, ..Coupled::default() }).unwrap_err();
    assert!(matches!(failure, Failure::Run(Error::ParameterRange { name: "tau", .. })), "{failure}");
}
