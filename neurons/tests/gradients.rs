//! Finite differences of the relaxed model, for every neuron.

use neurons::{Eif, If, Lif, Neuron, Qif, gradcheck};

fn check<N: Neuron>() {
    let report = gradcheck(&N::default()).unwrap_or_else(|failure| panic!("{failure}"));
    println!("{}: {report:?}", N::SPEC.name);
    assert!(report.checked > 500 && report.largest_error < 1e-8, "{report:?}");
}

#[test]
fn integrate_and_fire() {
    check::<If>();
}

#[test]
fn leaky() {
    check::<Lif>();
}

#[test]
fn quadratic() {
    check::<Qif>();
}

#[test]
fn exponential() {
    check::<Eif>();
}
