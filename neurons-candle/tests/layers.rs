//! Layers: where state starts, how long it lasts, what flows through it; and what they refuse.

mod common;

use std::slice;

use candle_core::{DType, Device, Module, Tensor, Var};
use common::{Lif, distance, random};
use neurons_candle::{Error, Gradient, MultiStep, Node, Surrogate, initial_state, multi_step};

fn layer() -> MultiStep<Lif> {
    MultiStep::new(Lif::default(), Gradient::default()).unwrap()
}

fn node() -> Node<Lif> {
    Node::new(Lif { v_reset: 0.25, ..Lif::default() }, Gradient::default()).unwrap()
}

fn call(x_seq: &Tensor, states: &[Tensor]) -> Error {
    multi_step(&Lif::default(), Gradient::default(), &[x_seq], states).unwrap_err()
}

#[test]
fn state_starts_at_v_reset_and_lasts_until_reset() {
    let x_seq = random(&[8, 2, 3], 0.0..2.0, 5);
    let mut whole = node();
    let expected = whole.multi_step(&x_seq).unwrap();

    let mut node = node();
    assert!(node.states().is_none());
    for round in 0..2 {
        let first = node.multi_step(&x_seq.narrow(0, 0, 5).unwrap()).unwrap();
        let rest = (5..8).map(|t| node.step(&x_seq.get(t).unwrap()).unwrap()).collect::<Vec<_>>();
        let spikes = Tensor::cat(&[first, Tensor::stack(&rest, 0).unwrap()], 0).unwrap();
        assert_eq!(distance(&spikes, &expected), 0.0, "round {round}");
        assert_eq!(distance(&node.states().unwrap()[0], &whole.states().unwrap()[0]), 0.0);
        node.reset();
    }

    // No input: one step towards v_reset, where it is already.
    node.step(&Tensor::full(0.0f32, 4, &Device::Cpu).unwrap()).unwrap();
    let v = node.states().unwrap()[0].to_vec1::<f32>().unwrap();
    assert_eq!(v, [0.25; 4]);
}

#[test]
fn gradients_reach_back_until_detached() {
    let x = Var::from_tensor(&random(&[4], 0.1..0.4, 6)).unwrap();
    let mut node = node();
    node.step(&x).unwrap();
    let later = Tensor::zeros(4, DType::F64, &Device::Cpu).unwrap();
    let spikes = node.step(&later).unwrap();
    assert!(spikes.sum_all().unwrap().backward().unwrap().get(&x).is_some());

    node.detach();
    let spikes = node.step(&later).unwrap();
    assert!(spikes.sum_all().unwrap().backward().unwrap().get(&x).is_none());
}

#[test]
fn an_error_leaves_the_state_alone() {
    let mut node = node();
    node.multi_step(&random(&[3, 4], 0.0..2.0, 7)).unwrap();
    let before = node.states().unwrap()[0].clone();
    assert!(matches!(node.multi_step(&random(&[3, 5], 0.0..2.0, 7)), Err(Error::Shape { .. })));
    assert_eq!(distance(&node.states().unwrap()[0], &before), 0.0);
}

#[test]
fn layers_without_memory_are_modules() {
    let (layer, x_seq) = (layer(), random(&[6, 2, 3], 0.0..2.0, 8));
    let first = x_seq.apply(&layer).unwrap();
    assert_eq!(distance(&first, &Module::forward(&layer, &x_seq).unwrap()), 0.0);

    let (half, states) = layer.forward_from(&x_seq.narrow(0, 0, 3).unwrap(), None).unwrap();
    let (rest, _) = layer.forward_from(&x_seq.narrow(0, 3, 3).unwrap(), Some(&states)).unwrap();
    assert_eq!(distance(&Tensor::cat(&[half, rest], 0).unwrap(), &first), 0.0);
}

#[test]
fn a_rank_one_sequence_is_one_neuron() {
    let x_seq = random(&[6], 1.0..2.0, 9);
    assert_eq!(layer().forward(&x_seq).unwrap().dims(), [6]);
}

#[test]
fn shapes_that_do_not_fit() {
    let (x_seq, v) = (random(&[4, 3, 2], 0.0..1.0, 1), random(&[3, 2], 0.0..1.0, 2));
    let error = call(&x_seq, &[random(&[2, 3], 0.0..1.0, 2)]);
    assert!(matches!(&error, Error::Shape { name, expected, actual }
        if name == "v" && expected == &[3, 2] && actual == &[2, 3]));
    assert_eq!(error.to_string(), "expected shape [3, 2] for `v`, found [2, 3]");

    assert!(matches!(call(&x_seq, &[]), Error::Count { what: "states", expected: 1, actual: 0, .. }));
    let inputs = [&x_seq, &x_seq];
    let error = multi_step(&Lif::default(), Gradient::default(), &inputs, &[v]).unwrap_err();
    assert_eq!(error.to_string(), "Lif: wrong number of inputs: expected 1 (x), found 2");

    let scalar = Tensor::new(1.0f32, &Device::Cpu).unwrap();
    assert!(matches!(call(&scalar, slice::from_ref(&scalar)), Error::NoTime { name } if name == "x_seq"));
    assert!(matches!(layer().forward(&scalar), Err(Error::NoTime { .. })));
    for shape in [[0, 3], [3, 0]] {
        let x_seq = Tensor::zeros(&shape, DType::F32, &Device::Cpu).unwrap();
        let v = Tensor::zeros(shape[1], DType::F32, &Device::Cpu).unwrap();
        assert!(matches!(call(&x_seq, &[v]), Error::Empty { .. }));
        assert!(matches!(layer().forward(&x_seq), Err(Error::Empty { .. })));
    }
}

#[test]
fn formats_that_do_not_fit() {
    let x_seq = random(&[4, 3], 0.0..1.0, 1);
    let v = random(&[3], 0.0..1.0, 2).to_dtype(DType::F32).unwrap();
    let error = call(&x_seq, slice::from_ref(&v));
    assert_eq!(error.to_string(), "expected f64 for `v`, found f32");

    let half = x_seq.to_dtype(DType::F16).unwrap();
    assert!(multi_step(&Lif::default(), Gradient::default(), &[&half], slice::from_ref(&v)).is_ok());
    assert!(matches!(call(&half, &[v.to_dtype(DType::F16).unwrap()]), Error::DType { .. }));

    let integers = x_seq.to_dtype(DType::U32).unwrap();
    assert!(matches!(call(&integers, &[v]), Error::UnsupportedDType { actual: DType::U32, .. }));
    assert!(matches!(initial_state(&Lif::default(), &integers), Err(Error::UnsupportedDType { .. })));
}

#[test]
fn parameters_out_of_range() {
    let wrong = Lif { tau: 0.5, ..Lif::default() };
    assert!(matches!(MultiStep::new(wrong.clone(), Gradient::default()), Err(Error::Neuron(_))));
    assert!(matches!(Node::new(wrong, Gradient::default()), Err(Error::Neuron(_))));

    // Not only when the gradient is asked for.
    let flat = Gradient::from(Surrogate::atan(0.0));
    assert!(matches!(MultiStep::new(Lif::default(), flat), Err(Error::Neuron(_))));
    let (x, v) = (random(&[2, 3], 0.0..1.0, 1), random(&[3], 0.0..1.0, 2));
    assert!(matches!(multi_step(&Lif::default(), flat, &[&x], &[v]), Err(Error::Neuron(_))));

    // In the format that computes: 1e-60 is 0 in float32.
    let tiny = MultiStep::new(Lif::default(), Gradient::from(Surrogate::sigmoid(1e-60))).unwrap();
    let x = random(&[2, 3], 0.0..1.0, 1);
    assert!(tiny.forward(&x.to_dtype(DType::F64).unwrap()).is_ok());
    assert!(matches!(tiny.forward(&x.to_dtype(DType::F32).unwrap()), Err(Error::Neuron(_))));
}

#[test]
fn errors_become_candle_errors() {
    fn user() -> candle_core::Result<Tensor> {
        Ok(layer().forward(&Tensor::new(1.0f32, &Device::Cpu)?)?)
    }
    assert!(user().unwrap_err().to_string().contains("for `x_seq`, found a scalar"));
}
