//! Gradients that finite differences do not resolve are not called wrong; next to them, wrong ones are found.

use neuron_runtime::gradcheck::Failure;
use neuron_runtime::{DeclaredNeuron, gradcheck, neuron};

neuron! {
    /// The output oscillates faster than differences are taken, beside a potential that is squared in every step.
    pub struct Winding {
        charge = 2.0 + (x - v^2);
        output = cos(v);
    }
}

neuron! {
    /// `1 - spike` has few digits in the relaxed neuron, and its inverse is as inexact.
    pub struct Inverse {
        state q = 1.0;
        charge = expm1(1.0 + x);
        update q = if spike { 0.0 } else { q + ((if q != 0.0 { 1.0 / q } else { 0.0 }) - h) };
        reset hard;
    }
}

neuron! {
    /// Far above the threshold, `(1 - spike) * h` is a staircase.
    pub struct Staircase {
        param v_threshold = 0.42;
        param v_reset = 0.19;
        input x, y;
        charge = 2.0 + (if y != 0.0 { x / y } else { 0.0 })^2;
        reset hard;
    }
}

neuron! {
    /// A derivative that underflows on the way, of an output that does not overflow.
    pub struct Power {
        state q = 1.0;
        charge = x;
        update q = 0.5 / (1.0 + q^2)^-2;
        reset hard;
    }
}

fn is_not_called_wrong<N: DeclaredNeuron>() {
    let result = gradcheck(&N::default());
    assert!(matches!(result, Ok(_) | Err(Failure::TooFew { .. })), "{}: {result:?}", N::SPEC.name);
}

#[test]
fn what_differences_do_not_resolve_is_not_called_wrong() {
    is_not_called_wrong::<Winding>();
    is_not_called_wrong::<Inverse>();
    is_not_called_wrong::<Staircase>();
    is_not_called_wrong::<Power>();
}

neuron! {
    /// Squared in every step, beside a potential that it does not grow beyond.
    pub struct Squared {
        state q = 2.0;
        charge = 0.5 * v + x;
        update q = 0.1 * q^2 + 0.5 * h;
        reset hard | soft;
    }
}

neuron! {
    /// An output that oscillates, slowly enough.
    pub struct Turning {
        charge = 0.5 * v + 5.0 * x;
        output = cos(3.0 * v);
    }
}

neuron! {
    /// A small current, and a potential that is small after a spike.
    pub struct Faint {
        state trace = 0.0;
        charge = 0.9 * v + 1e-6 * x;
        update trace = 0.5 * trace + (1.0 - spike) * h;
        reset hard | soft;
    }
}
