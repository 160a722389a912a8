//! Neurons of the crate, declared again with parameters that are learned or differ between neurons.

use neurons::{Alif, Array, CubaLif, DeclaredNeuron, Lif, MultiStepNode, Neuron, ParamKind, gradcheck};

neurons::redeclare! { pub struct LearnedLif: Lif { learnable tau, v_threshold; } }

neurons::redeclare! {
    /// With a documentation of its own.
    #[must_use]
    pub(crate) struct LearnedCuba: CubaLif { learnable tau_syn; array v_reset; }
}

neurons::redeclare! { struct LearnedAlif: Alif { learnable beta; } }

neurons::redeclare! {
    /// Normalises its input per channel.
    pub struct NormalisedAlif: Alif {
        array mean = 0.0;
        learnable scale = 1.0;
        learnable shift = 0.0;
        input x = (x - mean) * scale + shift;
        learnable beta;
    }
}

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

/// A transformed input is the neuron behind a pass that transforms it: in both layouts of a channel, same spikes, and the
/// gradients of that pass.
#[test]
fn inputs_are_transformed() {
    gradcheck(&NormalisedAlif::default()).unwrap();
    let (mean, scale, shift) = ([0.5, 1.0, 2.0], [3.0, 0.5, 1.5], [0.25, 1.0, -0.5]);
    for (channels, inner) in [(vec![3], 1), (vec![3, 1], 2)] {
        // [20, 2, 3], and the same memory as [20, 1, 3, 2].
        let shape = if inner == 1 { vec![20, 2, 3] } else { vec![20, 1, 3, 2] };
        let raw = x_seq().to_vec().unwrap();
        let channel = |at: usize| at / inner % 3;
        let transformed = raw.iter().enumerate().map(|(at, x)| {
            let c = channel(at);
            (x - mean[c]) * scale[c] + shift[c]
        });
        let transformed = Array::from_vec(shape.clone(), transformed.collect()).unwrap();
        let array = |values: [f64; 3]| Array::from_vec(channels.clone(), values.to_vec()).unwrap();

        let mut stock = MultiStepNode::<_, f64>::new(Alif::default());
        let mut node = MultiStepNode::<_, f64>::new(NormalisedAlif::default());
        for (name, values) in [("mean", mean), ("scale", scale), ("shift", shift)] {
            node.set_parameter(name, array(values)).unwrap();
        }
        let expected = stock.forward(&transformed).unwrap();
        assert!(expected.as_slice().unwrap().contains(&1.0));
        assert_eq!(node.forward(&Array::from_vec(shape.clone(), raw.clone()).unwrap()).unwrap(), expected);

        let grad_spikes = (0..raw.len()).map(|i| (i % 7) as f64 - 3.0).collect();
        let grad_spikes = Array::from_vec(shape, grad_spikes).unwrap();
        let grad = stock.backward(&grad_spikes).unwrap().to_vec().unwrap();
        let grad_x = node.backward(&grad_spikes).unwrap().to_vec().unwrap();
        let (mut grad_scale, mut grad_shift) = ([0.0; 3], [0.0; 3]);
        for (at, (grad, x)) in grad.iter().zip(&raw).enumerate() {
            let c = channel(at);
            assert!((grad_x[at] - grad * scale[c]).abs() <= 1e-12 * grad.abs().max(1.0));
            grad_scale[c] += grad * (x - mean[c]);
            grad_shift[c] += grad;
        }
        for (name, expected) in [("scale", grad_scale), ("shift", grad_shift)] {
            let found = node.parameter_grad(name).unwrap().unwrap().to_vec().unwrap();
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found - expected).abs() <= 1e-10 * expected.abs().max(1.0),
                    "{name} {found} {expected}"
                );
            }
        }
    }
}
