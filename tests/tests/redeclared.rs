//! Neurons of the crate, declared again with parameters that are learned or differ between neurons.

use neurons::{Alif, Array, CubaLif, DeclaredNeuron, Lif, MultiStepNode, Neuron, ParamKind, gradcheck};

neurons::redeclare! { pub struct LearnedLif: Lif { learnable tau, v_threshold; } }

neurons::redeclare! {
    /// With a documentation of its own.
    #[must_use]
    pub(crate) struct LearnedCuba: CubaLif { learnable tau_syn; array v_reset; }
}

neurons::redeclare! { struct LearnedAlif: Alif { learnable beta; } }

fn x_seq() -> Array<f64> {
    let values = (0..20 * 6).map(|i: usize| (i * 37 % 101) as f64 / 25.0);
    Array::from_vec([20, 2, 3], values.collect()).unwrap()
}

/// The spikes of a neuron, with the given values of parameters.
fn spikes<N: Neuron + Clone>(
    neuron: N,
    parameters: &[(&str, Array<f64>)],
) -> (Array<f64>, MultiStepNode<N, f64>) {
    let mut node = MultiStepNode::<N, f64>::new(neuron);
    for (name, values) in parameters {
        node.set_parameter(name, values.clone()).unwrap();
    }
    (node.forward(&x_seq()).unwrap(), node)
}

#[test]
fn derivatives_are_right() {
    gradcheck(&LearnedLif::default()).unwrap();
    gradcheck(&LearnedCuba::default()).unwrap();
    gradcheck(&LearnedAlif::default()).unwrap();
}

#[test]
fn they_are_the_same_neurons() {
    let (expected, _) = spikes(Lif { tau: 2.5, ..Lif::default() }, &[]);
    assert!(expected.as_slice().unwrap().contains(&1.0));
    assert_eq!(spikes(LearnedLif { tau: 2.5, ..LearnedLif::default() }, &[]).0, expected);
    assert_eq!(spikes(LearnedCuba::default(), &[]).0, spikes(CubaLif::default(), &[]).0);
    assert_eq!(spikes(LearnedAlif::default(), &[]).0, spikes(Alif::default(), &[]).0);

    let learnables =
        |spec: &'static neurons::Spec| spec.learnables().map(|param| param.name).collect::<Vec<_>>();
    assert_eq!(learnables(LearnedLif::SPEC), ["tau", "v_threshold"]);
    assert_eq!(learnables(LearnedCuba::SPEC), ["tau_syn"]);
    let v_reset = LearnedCuba::SPEC.params.iter().find(|param| param.name == "v_reset").unwrap();
    assert_eq!(v_reset.kind, ParamKind::Array);
    assert_eq!(LearnedCuba::SPEC.doc.trim(), "With a documentation of its own.");
    assert_eq!(LearnedLif::SPEC.doc, Lif::SPEC.doc);
    let [learned, stock] = [LearnedLif::SPEC, Lif::SPEC].map(|spec| spec.params[0]);
    assert_eq!((learned.name, learned.default, learned.range), (stock.name, stock.default, stock.range));
}

/// A threshold per channel: each is that of a neuron of its own, and so is its gradient.
#[test]
fn channels_have_their_own_thresholds() {
    let thresholds = [0.5, 1.0, 2.0];
    let neuron = LearnedLif { tau: 2.0, ..LearnedLif::default() };
    let values = Array::from_vec([3], thresholds.to_vec()).unwrap();
    let (all, mut node) = spikes(neuron.clone(), &[("v_threshold", values)]);
    node.backward(&Array::full([20, 2, 3], 1.0)).unwrap();
    let grads = node.parameter_grad("v_threshold").unwrap().unwrap();
    for (channel, threshold) in thresholds.into_iter().enumerate() {
        let stock = Lif { tau: 2.0, v_threshold: threshold, ..Lif::default() };
        let (expected, _) = spikes(stock, &[]);
        let each = Array::full([2, 3], threshold);
        let (_, mut node) = spikes(neuron.clone(), &[("v_threshold", each)]);
        node.backward(&Array::full([20, 2, 3], 1.0)).unwrap();
        let grad = node.parameter_grad("v_threshold").unwrap().unwrap();
        // Neurons `channel` and `channel + 3` have it.
        let sum: f64 = [0, 3].map(|at| grad.as_slice().unwrap()[channel + at]).iter().sum();
        let actual = grads.as_slice().unwrap()[channel];
        assert!(sum != 0.0 && (actual - sum).abs() < 1e-12 * sum.abs(), "{actual} {sum}");
        for at in (0..20 * 6).filter(|at| at % 3 == channel) {
            assert_eq!(all.as_slice().unwrap()[at], expected.as_slice().unwrap()[at]);
        }
    }
}

/// The declaration as text is one, for tools that read it again.
#[test]
fn declarations_can_be_read_again() {
    for spec in [LearnedLif::SPEC, LearnedCuba::SPEC, LearnedAlif::SPEC] {
        let analysis = neuron_codegen::check::analyse(spec.declaration.parse().unwrap());
        assert!(analysis.report.is_empty() && analysis.model.is_some(), "{}", spec.declaration);
    }
}
