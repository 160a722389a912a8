//! Declarations that went wrong once, each for a kind of mistake in the generator: they compile, and their gradients are
//! right by both ways to train.

#![allow(non_snake_case, non_camel_case_types, mixed_script_confusables)]

use neurons::{Array, DeclaredNeuron, MultiStep, Neuron, Surrogate, gradcheck, neuron, surrogate};

/// Names that meant something to generated code, as constants where it is emitted.
#[allow(dead_code, non_upper_case_globals)]
mod constants {
    pub const x: f64 = 1.0;
    pub const W: f64 = 1.0;
    pub const alpha: f64 = 1.0;
    pub const buffers: f64 = 1.0;
    pub static gradient: f64 = 1.0;
    pub const name: &str = "name";
    pub const u: f64 = 1.0;
    pub static params: u32 = 1;
    pub static template: u32 = 1;
    pub static surrogate: u32 = 1;
}
#[allow(unused_imports)]
use constants::*;

neuron! {
    /// Its state was taken for the spike.
    pub struct Named {
        state s = 0.0;
        charge = 0.5 * v + x - s;
        update s = 0.5 * s + spike;
        reset hard;
    }
}

neuron! {
    /// The same by another name.
    pub struct Renamed {
        state trace = 0.0;
        charge = 0.5 * v + x - trace;
        update trace = 0.5 * trace + spike;
        reset hard;
    }
}

neuron! {
    /// Names that concatenate to those of derivatives.
    pub struct Concatenated {
        input s_to_h, x;
        state v_to_h = 0.0;
        state h_to_v = 0.1;
        charge = 0.9 * v + x + s_to_h * s_to_h - v_to_h * h_to_v;
        update v_to_h = 0.5 * v_to_h + tanh(h);
        update h_to_v = 0.9 * h_to_v;
        reset hard | soft;
    }
}

neuron! {
    /// Words of generated code, of C++ and of other editions of Rust.
    pub struct Gen {
        param double = 2.0 where double > 1.0;
        param nullptr = 0.1;
        param check_finite = 1.0;
        param M_PI = 1.0 where M_PI > 0.0;
        param linux = 1.0;
        param lane = 1.0;
        param num = 1.0;
        param own = 0.0;
        flag block = true;
        learnable W = 1.0;
        input x;
        state x_seq = 0.0;
        state grad_x = 0.1;
        state fired = 0.0;
        let term_1 = x_seq * lane + own * linux * check_finite / M_PI + grad_x * grad_x;
        charge = v / double + x * W + term_1 - nullptr * fired;
        update x_seq = if block { 0.5 * x_seq + num * 0.1 * h } else { 0.1 * h };
        update grad_x = 0.5 * grad_x - 0.1 * tanh(v);
        update fired = 0.9 * fired + spike;
        reset hard | soft;
    }
}

neuron! {
    /// Keywords, and letters that C++ does not have.
    pub struct r#Raw {
        param r#type = 2.0 where r#type > 1.0;
        param τ = 5.0 where τ > 1.0;
        state r#fn = 0.0;
        charge = v + (x - v) / r#type - r#fn;
        update r#fn = r#fn - r#fn / τ + 0.1 * spike;
        reset soft;
    }
}

neuron! {
    /// A derivative that is a part of the charge: the recompute pair read states after the step.
    pub struct Reused {
        charge = v + tanh(v) * x;
        reset hard | soft | none;
    }
}

neuron! {
    /// A choice by the spike whose condition nothing else needs.
    pub struct Chosen {
        state q = 0.0;
        charge = v + x + q;
        update q = if spike { 0.0 } else { q + x };
        reset hard;
    }
}

neuron! {
    /// A named part that uses the spike.
    pub struct Parted {
        state r = 0.0;
        let q = r + spike;
        charge = 0.9 * v + x - r;
        update r = q / (1.0 + q^2);
        reset soft;
    }
}

neuron! {
    /// A potential that is replaced by the input.
    pub struct Replaced {
        charge = tanh(v) + x;
        output = h;
        update v = x;
    }
}

neuron! {
    /// A comparison of what the spike chooses.
    pub struct Clipped {
        charge = v + x;
        update v = max(if spike { v_reset } else { h }, -1.0);
    }
}

neuron! {
    /// Powers wherever an expression may stand.
    pub struct Powers {
        param p = 2.0 where p^2 > 1.0, (1.0 + p^2)^-2 < 1.0;
        state q = p^2 - 3.0;
        charge = v + x * q;
        update q = 0.9 * q;
        reset hard;
    }
}

neuron! {
    /// Numbers whose product is no number.
    pub struct Large {
        charge = 1e200 * (1e200 * (1e-300 * (1e-100 * v))) + x;
        reset none;
    }
}

neuron! {
    /// A state that nothing changes.
    pub struct Constant {
        state a = 0.5;
        charge = v + x;
        threshold = v_threshold + a;
        update a = a;
        reset hard;
    }
}

neuron! {
    /// What is rounded has no gradient.
    pub struct RoundedParameter {
        param p = 1.4;
        charge = v + x * round(p);
        reset hard;
    }
}

neuron! {
    /// What is rounded learns, and is a factor of something else.
    pub struct RoundedLearnable {
        learnable p = 1.4;
        array a = 2.6;
        charge = 0.5 * v + x * round(p) + round(a) * p;
        reset hard | soft;
    }
}

neuron! {
    /// A range with a gap that the parameter's neighbourhood reaches across.
    pub struct Gap {
        learnable p = 0.06 where p > 0.05 || p < 0.045;
        charge = v * p + x;
        reset hard;
    }
}

neuron! {
    /// A state that becomes infinite, and an output that does not depend on it.
    pub struct Exploding {
        state q = 2.0;
        charge = v + x;
        update q = (q + x)^9 * (1.0 + x^2);
        reset hard;
    }
}

surrogate! {
    /// Powers in a range, and names of other languages.
    pub surrogate Sharp {
        param alpha = 1.0 where alpha^2 < 9.0, alpha > 0.0;
        param double = 2.0;
        param DEFINITION = 1.0;
        param new = 1.0;
        let r#type = alpha * double * DEFINITION * new * u;
        primitive = sigmoid(r#type);
    }
}

#[test]
fn gradients_are_right() {
    fn check<N: DeclaredNeuron>() {
        gradcheck(&N::default()).unwrap_or_else(|error| panic!("{error}"));
    }
    check::<Named>();
    check::<Concatenated>();
    check::<Gen>();
    check::<r#Raw>();
    check::<Reused>();
    check::<Chosen>();
    check::<Parted>();
    check::<Replaced>();
    check::<Clipped>();
    check::<Powers>();
    check::<Constant>();
    check::<RoundedParameter>();
    check::<RoundedLearnable>();
    check::<Gap>();
}

#[test]
fn an_infinite_state_has_no_gradient() {
    match gradcheck(&Exploding::default()) {
        Ok(report) => assert!(report.reasons.overflow > 0, "{report:?}"),
        Err(error) => assert!(matches!(error, gradcheck::Failure::TooFew { .. }), "{error}"),
    }
}

/// By hand, and whatever the state is called.
#[test]
fn names_change_nothing() {
    fn grad_x<N: DeclaredNeuron>(shape: Surrogate) -> Vec<f64> {
        let x_seq = Array::from_vec([4, 1], vec![1.2f64, 0.7, 0.9, 0.4]).unwrap();
        let zero = Array::full([1], 0.0);
        let (_, context) =
            MultiStep::new(N::default(), shape).forward_all(&[&x_seq], &[&zero, &zero]).unwrap();
        let grads = context.backward_all(&Array::full([4, 1], 1.0), &[&zero, &zero]).unwrap();
        grads.inputs[0].to_vec().unwrap()
    }
    let found = grad_x::<Named>(Surrogate::atan(2.0));
    for (found, expected) in found.iter().zip([0.4480, 0.1449, 0.2057, 0.1616]) {
        assert!((found - expected).abs() < 5e-5, "{found} {expected}");
    }
    assert_eq!(found, grad_x::<Renamed>(Surrogate::atan(2.0)));
}

#[test]
fn ranges_with_powers_hold() {
    assert!(Powers { p: 0.9, ..Powers::default() }.validate().is_err());
    assert!(Powers { p: -3.0, ..Powers::default() }.validate().is_ok());
    assert!(Sharp::new(2.9, 1.0, 1.0, 1.0).validate().is_ok());
    assert!(Sharp::new(3.1, 1.0, 1.0, 1.0).validate().is_err());
    assert!(Large::default().validate().is_ok());
}
