//! Right gradients of large numbers pass, since the check knows how they are rounded.

use neuron_runtime::gradcheck::{Failure, Report};
use neuron_runtime::{DeclaredNeuron, gradcheck, neuron};

neuron! {
    /// Potentials in microvolts.
    pub struct Microvolts {
        param tau = 20.0 where tau > 1.0;
        param v_threshold = -50e3;
        param v_reset = -65e3;
        state w = 0.0;
        charge = v + (x - (v - v_reset) - w) / tau;
        update w = 0.9 * w + 0.01 * (v - v_reset) + 500.0 * spike;
        reset hard | soft;
    }
}

neuron! {
    /// The threshold is a unit away from a reset potential that is far from 0.
    pub struct Narrow {
        learnable rest = -65e3;
        param v_threshold = -64999.0;
        param v_reset = -65e3;
        charge = v + 0.5 * (x - (v - rest));
        reset hard | soft;
    }
}

neuron! {
    /// Large currents, over a large resistance.
    pub struct Strong {
        param r = 1e3 where r > 0.0;
        param v_threshold = 1e6;
        charge = 0.9 * v + r * tanh(x / 1e6) * x / 1e3;
        reset hard | soft;
    }
}

neuron! {
    /// Currents of which a million make a threshold.
    pub struct Weak {
        learnable gain = 1e-6 where gain > 0.0;
        state trace = 1e3;
        charge = 0.9 * v + gain * (x + trace * trace);
        update trace = 0.9 * trace + x;
        reset hard | soft | none;
    }
}

neuron! {
    /// A large number inside, which is in none of its arrays.
    pub struct Inner {
        param offset = 1e6;
        charge = ((0.5 * v + x) + offset) - offset;
        reset hard | soft;
    }
}

neuron! {
    /// A threshold of a thousand.
    pub struct Thousand {
        param tau = 10.0 where tau > 1.0;
        learnable v_threshold = 1e3;
        input x, y;
        charge = v + (x * (1.0 + 1e-3 * y) - v) / tau;
        reset hard | soft;
    }
}

neuron! {
    /// Slopes beyond what is expected of a neuron whose threshold is 1.
    pub struct Steep {
        charge = 0.5 * v + 1e4 * sin(1e-2 * x);
        reset soft;
    }
}

neuron! {
    /// Not even float64 says much of it.
    pub struct Hopeless {
        param offset = 1e15;
        charge = ((0.5 * v + x) + offset) - offset;
        reset hard;
    }
}

fn passes<N: DeclaredNeuron>() -> Report {
    match gradcheck(&N::default()) {
        Ok(report) => {
            println!("{}: {report:?}", N::SPEC.name);
            assert!(report.checked > 9 * report.skipped, "{}: {report:?}", N::SPEC.name);
            report
        }
        Err(failure) => panic!("{failure}"),
    }
}

#[test]
fn large_numbers_pass() {
    passes::<Microvolts>();
    passes::<Narrow>();
    passes::<Strong>();
    passes::<Weak>();
    passes::<Inner>();
    passes::<Thousand>();
    passes::<Steep>();
}

/// It is neither wrong nor said to be right.
#[test]
fn what_rounding_hides_is_not_counted() {
    match gradcheck(&Hopeless::default()) {
        Err(Failure::TooFew { gradient: "grad_x_seq", checked, total, reasons, .. }) => {
            assert!(
                checked < total / 10 && reasons.rounding > total / 2,
                "{checked} of {total}, {reasons:?}"
            );
        }
        other => panic!("{other:?}"),
    }
}

/// However much is lost to rounding inside, a right gradient is not called wrong.
#[test]
fn no_offset_makes_it_wrong() {
    for offset in (0..24).map(|i| 2.5f64.powi(i)) {
        let result = gradcheck(&Inner { offset, ..Inner::default() });
        assert!(matches!(result, Ok(_) | Err(Failure::TooFew { .. })), "{offset}: {result:?}");
        assert!(result.is_ok() || offset > 1e6, "{offset}: {result:?}");
        let (v_reset, v_threshold) = (-offset, 1.0 - offset);
        let result = gradcheck(&Narrow { rest: -offset, v_threshold, v_reset, ..Narrow::default() });
        assert!(matches!(result, Ok(_) | Err(Failure::TooFew { .. })), "{offset}: {result:?}");
        assert!(result.is_ok() || offset > 1e6, "{offset}: {result:?}");
    }
}

/// Nor does the unit that a neuron is given in.
#[test]
fn no_unit_makes_it_wrong() {
    for unit in (-9..7).map(|i| 10f64.powi(i)) {
        let result = gradcheck(&Thousand { v_threshold: unit, ..Thousand::default() });
        assert!(matches!(result, Ok(_) | Err(Failure::TooFew { .. })), "unit {unit}: {result:?}");
        assert!(result.is_ok() || !(1e-3..=1e3).contains(&unit), "unit {unit}: {result:?}");
    }
}
