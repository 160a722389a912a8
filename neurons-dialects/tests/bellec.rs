//! The neurons of Bellec et al. by numbers worked out from their equations.

use neuron_runtime::{Array, Gradient, MultiStep, gradcheck};
use neurons_dialects::bellec::{Eprop, Lsnn};

/// The potentials under a constant input.
fn potentials<N: neuron_runtime::DeclaredNeuron>(neuron: N, x: f64) -> Vec<f64> {
    let zero = Array::full([1], 0.0f64);
    let operation = MultiStep::new(neuron, Gradient::default());
    let (_, v) = operation.inference_with_v(&[&Array::full([4, 1], x)], &[&zero; 3]).unwrap();
    v.into_vec().unwrap()
}

#[test]
fn resets_one_step_later() {
    let lsnn = potentials(Lsnn { tau: 1.0, tau_a: 1.0, beta: 1.6, ..Lsnn::default() }, 10.0);
    for (v, expected) in lsnn.iter().zip([6.3212, 6.6353, 6.3787, 6.1475]) {
        assert!((v - expected).abs() < 1e-4, "{lsnn:?}");
    }
    // 2, then 2 / e + 2 - 1, and so on: fires in every step.
    let eprop = potentials(Eprop { tau: 1.0, ..Eprop::default() }, 2.0);
    let mut expected = 2.0;
    for v in eprop {
        assert!((v - expected).abs() < 1e-12, "{v} {expected}");
        expected = (-1.0f64).exp() * expected + 1.0;
    }
}

#[test]
fn gradients() {
    gradcheck(&Lsnn::default()).unwrap();
    gradcheck(&Eprop::default()).unwrap();
}
