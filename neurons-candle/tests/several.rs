//! A neuron with two inputs and two states: how they are stacked, and which gradient goes where.

mod common;

use candle_core::{DType, Result, Tensor, Var};
use common::{distance, random, spike};
use neuron_runtime::neuron;
use neurons_candle::{Gradient, Node, initial_state, multi_step, step};

neuron! {
    /// Leaky integrate-and-fire with an adaptation current, which an input turns on and off.
    pub struct Adaptive {
        /// Membrane time constant in time steps.
        param tau = 2.0 where tau > 1.0;
        /// What a spike adds to the adaptation current.
        param jump = 0.3;
        input x, gate;
        /// Adaptation current.
        state w = jump / 2.0;

        charge = v + (x - v) / tau - w * gate;
        update w = 0.9 * w + jump * spike;
        reset hard;
    }
}

fn unrolled(neuron: &Adaptive, inputs: [&Tensor; 2], states: [&Tensor; 2]) -> Result<[Tensor; 3]> {
    let (mut v, mut w, mut spikes) = (states[0].clone(), states[1].clone(), Vec::new());
    for t in 0..inputs[0].dim(0)? {
        let (x, gate) = (inputs[0].get(t)?, inputs[1].get(t)?);
        let h = ((&v + ((x - &v)? / neuron.tau)?)? - (&w * gate)?)?;
        let s = spike(&(&h - neuron.v_threshold)?, Gradient::default().surrogate)?;
        v = ((&s * neuron.v_reset)? + (s.affine(-1.0, 1.0)? * h)?)?;
        w = ((w * 0.9)? + (&s * neuron.jump)?)?;
        spikes.push(s);
    }
    Ok([Tensor::stack(&spikes, 0)?, v, w])
}

/// A loss in which every output counts, with its own weight.
fn loss(outputs: &[&Tensor]) -> Tensor {
    let weigh =
        |(seed, x): (u64, &&Tensor)| (*x * random(x.dims(), -1.0..1.0, seed)).unwrap().sum_all().unwrap();
    let terms: Vec<_> = (20..).zip(outputs).map(weigh).collect();
    Tensor::stack(&terms, 0).unwrap().sum_all().unwrap()
}

#[test]
fn every_gradient_finds_its_tensor() {
    let neuron = Adaptive { v_reset: -0.2, ..Adaptive::default() };
    let variable = |shape: &[usize], seed| Var::from_tensor(&random(shape, 0.0..2.0, seed)).unwrap();
    let (x, gate) = (variable(&[6, 2, 4], 1), variable(&[6, 2, 4], 2));
    let (v, w) = (variable(&[2, 4], 3), variable(&[2, 4], 4));

    let [spikes, v_next, w_next] = unrolled(&neuron, [&x, &gate], [&v, &w]).unwrap();
    let expected = loss(&[&spikes, &v_next, &w_next]).backward().unwrap();

    let initial = [v.as_tensor().clone(), w.as_tensor().clone()];
    let (actual, states) = multi_step(&neuron, Gradient::default(), &[&x, &gate], &initial).unwrap();
    assert_eq!(distance(&actual, &spikes), 0.0);
    assert!(distance(&states[0], &v_next) < 1e-12 && distance(&states[1], &w_next) < 1e-12);
    let grads = loss(&[&actual, &states[0], &states[1]]).backward().unwrap();
    for (name, variable) in [("x", &x), ("gate", &gate), ("v", &v), ("w", &w)] {
        let (actual, expected) = (grads.get(variable).unwrap(), expected.get(variable).unwrap());
        assert!(distance(actual, expected) < 1e-10, "{name}: {actual} instead of {expected}");
    }
}

#[test]
fn every_state_has_its_initial_value() {
    let neuron = Adaptive { v_reset: -0.2, ..Adaptive::default() };
    let x = random(&[3], 0.0..1.0, 1).to_dtype(DType::F16).unwrap();
    let states = initial_state(&neuron, &x).unwrap();
    let values: Vec<_> = states.iter().map(|state| state.to_vec1::<f32>().unwrap()).collect();
    assert_eq!(values, [[-0.2f32; 3], [0.15; 3]]);
}

#[test]
fn names_in_errors_are_those_of_the_declaration() {
    let (neuron, x) = (Adaptive::default(), random(&[3], 0.0..1.0, 1));
    let states = initial_state(&neuron, &x).unwrap();
    let error = step(&neuron, Gradient::default(), &[&x, &random(&[2], 0.0..1.0, 1)], &states);
    assert_eq!(error.unwrap_err().to_string(), "expected shape [3] for `gate`, found [2]");
    let error = step(&neuron, Gradient::default(), &[&x, &x], &states[..1]);
    assert_eq!(
        error.unwrap_err().to_string(),
        "Adaptive: wrong number of states: expected 2 (v, w), found 1"
    );
    // A layer has one input to give.
    let error = Node::new(neuron, Gradient::default()).unwrap().step(&x);
    assert_eq!(
        error.unwrap_err().to_string(),
        "Adaptive: wrong number of inputs: expected 2 (x, gate), found 1"
    );
}
