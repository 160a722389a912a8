//! States of a node: set, saved, learned, recorded; and variables that leave their range.

mod common;

use candle_core::{DType, Device, Tensor, Var};
use common::{Lif, distance, random};
use neuron_runtime::{Array, Error as NeuronError, MultiStepNode, neuron};
use neurons_candle::{Error, Gradient, MultiStep, Node, OutOfRange};

neuron! {
    /// No spikes, so that finite differences are exact up to rounding; the initial states depend on what is learned.
    pub struct Graded {
        learnable w = 0.3 where w > 0.0, w < 1.0;
        state a = w;
        charge = 0.5 * v + w * x + a;
        update a = 0.9 * a + 0.1 * h * h;
        output = h * h;
    }
}

fn node() -> Node<Graded> {
    Node::new(Graded::default(), Gradient::default()).unwrap()
}

fn var(shape: &[usize], seed: u64) -> Var {
    Var::from_tensor(&random(shape, 0.2..0.8, seed)).unwrap()
}

fn array(tensor: &Tensor) -> Array<f64> {
    Array::from_vec(tensor.dims(), tensor.flatten_all().unwrap().to_vec1().unwrap()).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn states_are_set_and_learned() {
    let x_seq = random(&[5, 2, 3], 0.0..1.0, 1);
    let (v, w) = (var(&[2, 3], 2), var(&[], 3));
    let mut node = node().with_parameter("w", w.as_tensor().clone()).unwrap();
    node.set_state("v", v.as_tensor().clone()).unwrap();
    assert!(node.states().is_none() && node.state("a").unwrap().is_none());
    assert_eq!(node.state("v").unwrap().unwrap().id(), v.id());
    let output = node.multi_step(&x_seq).unwrap();
    let grads = output.sum_all().unwrap().backward().unwrap();

    let mut runtime = MultiStepNode::<Graded, f64>::default();
    runtime.set_parameter("w", array(&w)).unwrap();
    runtime.set_state("v", array(&v)).unwrap();
    assert_eq!(runtime.forward(&array(&x_seq)).unwrap(), array(&output));
    runtime.backward(&Array::full([5, 2, 3], 1.0)).unwrap();
    assert_eq!(runtime.grad_state("v").unwrap().unwrap(), &array(grads.get(&v).unwrap()));
    let expected = runtime.parameter_grad("w").unwrap().unwrap();
    let difference = values(grads.get(&w).unwrap())[0] - expected.as_slice().unwrap()[0];
    assert!(difference.abs() < 1e-12, "{difference}");

    // Saved and restored; once more after a reset.
    let saved = node.states().unwrap().to_vec();
    let next = node.step(&x_seq.get(0).unwrap()).unwrap();
    node.set_states(saved.clone()).unwrap();
    assert_eq!(distance(&node.step(&x_seq.get(0).unwrap()).unwrap(), &next), 0.0);
    node.reset();
    for (name, state) in ["v", "a"].into_iter().zip(saved) {
        node.set_state(name, state).unwrap();
    }
    assert_eq!(distance(&node.step(&x_seq.get(0).unwrap()).unwrap(), &next), 0.0);
}

#[test]
fn states_that_do_not_fit() {
    let mut node = node();
    let ones = |shape: &[usize], dtype| Tensor::ones(shape, dtype, &Device::Cpu).unwrap();
    let text = |result: Result<(), Error>| result.unwrap_err().to_string();
    assert_eq!(
        text(node.set_state("b", ones(&[2], DType::F32))),
        "Graded has no state `b`; available: `v`, `a`"
    );
    let half = text(node.set_state("a", ones(&[2], DType::F16)));
    assert_eq!(half, "expected f32 or f64 for state `a`, found f16");
    node.set_state("a", ones(&[2], DType::F32)).unwrap();
    assert_eq!(text(node.set_state("v", ones(&[3], DType::F32))), "expected shape [2] for `v`, found [3]");
    assert_eq!(text(node.set_state("v", ones(&[2], DType::F64))), "expected f32 for `v`, found f64");
    let count = text(node.set_states(vec![ones(&[2], DType::F32)]));
    assert_eq!(count, "Graded: wrong number of states: expected 2 (v, a), found 1");
    let error = node.step(&ones(&[3], DType::F32)).unwrap_err();
    assert_eq!(error.to_string(), "expected shape [3] for `a`, found [2]");
    // Still there.
    node.step(&ones(&[2], DType::F32)).unwrap();
    assert_eq!(text(node.set_state("v", ones(&[3], DType::F32))), "expected shape [2] for `v`, found [3]");
}

/// A loss on both states over time, against the runtime's gradients of records.
#[test]
fn records_are_part_of_the_graph() {
    let x_seq = Var::from_tensor(&random(&[6, 2, 3], 0.0..1.0, 1)).unwrap();
    let [of_output, of_v, of_a] = [2, 3, 4].map(|seed| random(&[6, 2, 3], -1.0..1.0, seed));
    let mut node = node();
    let (output, records) = node.multi_step_recorded(&[&x_seq], &["v", "a"]).unwrap();
    let terms = [(&output, &of_output), (&records[0], &of_v), (&records[1], &of_a)];
    let terms = terms.map(|(x, weights)| (x * weights).unwrap().sum_all().unwrap());
    let grads = Tensor::stack(&terms, 0).unwrap().sum_all().unwrap().backward().unwrap();

    let mut runtime = MultiStepNode::<Graded, f64>::default();
    let (spikes, expected) = runtime.forward_recorded(&[&array(&x_seq)], &["v", "a"]).unwrap();
    assert_eq!(
        (array(&output), array(&records[0]), array(&records[1])),
        (spikes, expected[0].clone(), expected[1].clone())
    );
    let of = [("v", &array(&of_v)), ("a", &array(&of_a))];
    let expected = runtime.backward_recorded(&array(&of_output), &of).unwrap();
    let actual = values(grads.get(&x_seq).unwrap());
    for (actual, expected) in actual.iter().zip(expected[0].as_slice().unwrap()) {
        assert!((actual - expected).abs() < 1e-12, "{actual} {expected}");
    }

    let before = node.states().unwrap()[0].clone();
    assert!(node.multi_step_recorded(&[&x_seq], &["u"]).is_err());
    let empty = Tensor::zeros((0, 2, 3), DType::F64, &Device::Cpu).unwrap();
    assert!(matches!(node.multi_step_recorded(&[&empty], &["v"]), Err(Error::Empty { .. })));
    assert!(matches!(node.multi_step_recorded(&[], &["v"]), Err(Error::Count { .. })));
    assert!(matches!(
        node.multi_step_recorded(&[&x_seq.narrow(1, 0, 1).unwrap()], &["v"]),
        Err(Error::Shape { .. })
    ));
    assert_eq!(node.states().unwrap()[0].id(), before.id());
}

#[test]
fn evaluation_is_no_part_of_a_graph() {
    let x = Var::from_tensor(&random(&[4], 0.5..2.0, 6)).unwrap();
    let mut node = Node::new(Lif::default(), Gradient::default()).unwrap();
    node.step(&x).unwrap();
    let mut other = node.clone();
    assert!(node.is_training());
    node.eval();
    assert!(!node.is_training());
    let output = node.step(&x).unwrap();
    assert!(!output.track_op() && node.states().unwrap().iter().all(|state| !state.track_op()));
    assert_eq!(distance(&output, &other.step(&x).unwrap()), 0.0);
    assert!(other.states().unwrap()[0].track_op());
    node.train();
    assert!(node.step(&x).unwrap().track_op());
}

#[test]
fn variables_are_moved_into_their_range() {
    let x_seq = random(&[4, 3], 0.0..1.0, 1);
    let given = [-0.5, 0.5, 2.0];
    for dtype in [DType::F64, DType::F32, DType::F16, DType::BF16] {
        let w =
            Var::from_tensor(&Tensor::new(&given, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()).unwrap();
        let inside = Tensor::full(0.5, 3, &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
        let layer = |values: &Tensor| {
            // The layer is made before an optimiser moves its variable.
            let before = w.as_tensor().copy().unwrap();
            w.set(&inside).unwrap();
            let layer = MultiStep::new(Graded::default(), Gradient::default()).unwrap();
            let layer = layer.with_parameter("w", values.clone()).unwrap();
            w.set(&before).unwrap();
            layer
        };
        for data in [DType::F32, DType::F64] {
            w.set(&Tensor::new(&given, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()).unwrap();
            let x_seq = x_seq.to_dtype(data).unwrap();
            let refusing = layer(w.as_tensor());
            let error = refusing.forward(&x_seq).unwrap_err();
            assert!(matches!(error, Error::Neuron(NeuronError::ParameterRange { name: "w", .. })), "{error}");
            let clamping = refusing.with_out_of_range(OutOfRange::Clamp);
            let output = clamping.forward(&x_seq).unwrap();
            assert!(output.sum_all().unwrap().backward().unwrap().get(&w).is_some());
            let moved = w.to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap();
            assert!(moved[0] > 0.0 && moved[0] < 1e-6, "{moved:?}");
            assert!(moved[1] == 0.5 && moved[2] < 1.0 && moved[2] > 0.99, "{moved:?}");
            // In range, also in the format that computes.
            assert!(moved.iter().all(|w| *w as f32 > 0.0 && (*w as f32) < 1.0) || data == DType::F64);
        }
    }
    // A variable that was out of range before.
    let w = Var::from_tensor(&Tensor::new(1.5, &Device::Cpu).unwrap()).unwrap();
    let layer = MultiStep::new(Graded::default(), Gradient::default()).unwrap();
    assert!(layer.clone().with_parameter("w", w.as_tensor().clone()).is_err());
    let layer = layer.with_out_of_range(OutOfRange::Clamp);
    layer.with_parameter("w", w.as_tensor().clone()).unwrap();
    assert_eq!(w.to_scalar::<f64>().unwrap(), 1.0 - f64::EPSILON / 2.0);
    // What was computed from variables cannot be moved.
    let w = Var::from_tensor(&Tensor::new(0.5, &Device::Cpu).unwrap()).unwrap();
    let double = (w.as_tensor() * 2.5).unwrap();
    let layer =
        MultiStep::new(Graded::default(), Gradient::default()).unwrap().with_out_of_range(OutOfRange::Clamp);
    assert!(layer.with_parameter("w", double).is_err());
}
