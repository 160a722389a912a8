//! The operations' values and gradients, against candle's own differentiation of the same model.

mod common;

use std::slice;

use candle_core::{DType, Tensor, Var};
use common::{Lif, distance, random, unrolled};
use neuron_runtime::Reset;
use neurons_candle::{Gradient, Surrogate, multi_step, step};

/// A loss in which every output counts, with its own weight.
fn loss(spikes: &Tensor, v: &Tensor) -> Tensor {
    let weigh = |x: &Tensor, seed| {
        let weights = random(x.dims(), -1.0..1.0, seed).to_dtype(x.dtype()).unwrap();
        (x * weights).unwrap().sum_all().unwrap().to_dtype(DType::F64).unwrap()
    };
    (weigh(spikes, 11) + weigh(v, 12)).unwrap()
}

fn variables(dtype: DType) -> (Var, Var) {
    let x_seq = random(&[7, 3, 5], -0.5..2.5, 1).to_dtype(dtype).unwrap();
    let v = random(&[3, 5], -0.5..0.9, 2).to_dtype(dtype).unwrap();
    (Var::from_tensor(&x_seq).unwrap(), Var::from_tensor(&v).unwrap())
}

fn cases() -> Vec<(Lif, Gradient)> {
    let mut cases = Vec::new();
    for reset in [Reset::Hard, Reset::Soft] {
        for decay_input in [false, true] {
            for detach_reset in [false, true] {
                for surrogate in [Surrogate::atan(2.0), Surrogate::sigmoid(4.0)] {
                    let lif = Lif { tau: 1.7, decay_input, v_threshold: 0.8, v_reset: -0.1, reset };
                    cases.push((lif, Gradient { surrogate, detach_reset }));
                }
            }
        }
    }
    cases
}

#[test]
fn sequence_equals_unrolled_tensors() {
    for (lif, gradient) in cases() {
        let (x_seq, v) = variables(DType::F64);
        let (expected_spikes, expected_v) = unrolled(&lif, gradient, &x_seq, &v).unwrap();
        let expected = loss(&expected_spikes, &expected_v).backward().unwrap();

        let (spikes, states) = multi_step(&lif, gradient, &[&x_seq], &[v.as_tensor().clone()]).unwrap();
        let grads = loss(&spikes, &states[0]).backward().unwrap();

        let count = spikes.sum_all().unwrap().to_scalar::<f64>().unwrap();
        assert!(count > 5.0 && count < 100.0, "a case that says little: {count} spikes");
        let case = format!("{lif:?} {gradient:?}");
        assert_eq!(distance(&spikes, &expected_spikes), 0.0, "{case}");
        assert!(distance(&states[0], &expected_v) < 1e-12, "{case}");
        for variable in [&x_seq, &v] {
            let (actual, expected) = (grads.get(variable).unwrap(), expected.get(variable).unwrap());
            assert!(distance(actual, expected) < 1e-10, "{case}: {actual} instead of {expected}");
        }
    }
}

#[test]
fn single_steps_equal_a_sequence() {
    for (lif, gradient) in cases() {
        let (x_seq, v) = variables(DType::F64);
        let (spikes, states) = multi_step(&lif, gradient, &[&x_seq], &[v.as_tensor().clone()]).unwrap();
        let expected = loss(&spikes, &states[0]).backward().unwrap();

        let (mut states, mut spikes) = (vec![v.as_tensor().clone()], Vec::new());
        for t in 0..x_seq.dim(0).unwrap() {
            let (spike, next) = step(&lif, gradient, &[&x_seq.get(t).unwrap()], &states).unwrap();
            (states, _) = (next, spikes.push(spike));
        }
        let grads = loss(&Tensor::stack(&spikes, 0).unwrap(), &states[0]).backward().unwrap();
        for variable in [&x_seq, &v] {
            let (actual, expected) = (grads.get(variable).unwrap(), expected.get(variable).unwrap());
            assert!(distance(actual, expected) < 1e-12, "{lif:?} {gradient:?}");
        }
    }
}

#[test]
fn lower_precision_follows() {
    let (lif, gradient) = (Lif::default(), Gradient::default());
    let run = |dtype: DType, state: DType| {
        // Multiples of 1/8, which every format holds exactly, away from the threshold.
        let x_seq = ((random(&[7, 15], -2.0..12.0, 1).round().unwrap() * 0.25).unwrap() + 0.125).unwrap();
        let x_seq = Var::from_tensor(&x_seq.to_dtype(dtype).unwrap()).unwrap();
        let v = Var::zeros(15, state, x_seq.device()).unwrap();
        let (spikes, states) = multi_step(&lif, gradient, &[&x_seq], &[v.as_tensor().clone()]).unwrap();
        assert_eq!((spikes.dtype(), states[0].dtype()), (dtype, state));
        let grads = loss(&spikes, &states[0]).backward().unwrap();
        let (grad_x, grad_v) = (grads.get(&x_seq).unwrap().clone(), grads.get(&v).unwrap().clone());
        assert_eq!((grad_x.dtype(), grad_v.dtype()), (dtype, state));
        (spikes, grad_x, grad_v)
    };
    let exact = run(DType::F64, DType::F64);
    for (dtype, tolerance) in [(DType::F32, 1e-6), (DType::F16, 4e-3), (DType::BF16, 3e-2)] {
        let (spikes, grad_x, grad_v) = run(dtype, DType::F32);
        assert_eq!(distance(&spikes, &exact.0), 0.0, "{dtype:?}");
        assert!(distance(&grad_x, &exact.1) < tolerance, "{dtype:?}");
        assert!(distance(&grad_v, &exact.2) < tolerance, "{dtype:?}");
    }
}

#[test]
fn strided_inputs_are_read_as_they_are_seen() {
    let (lif, gradient) = (Lif::default(), Gradient::default());
    let (x_seq, v) = variables(DType::F32);
    let (expected, _) = multi_step(&lif, gradient, &[&x_seq], &[v.as_tensor().clone()]).unwrap();

    let swap = |x: &Tensor, a, b| x.transpose(a, b).unwrap().contiguous().unwrap().transpose(a, b).unwrap();
    let (strided_x, strided_v) = (swap(&x_seq, 0, 2), swap(&v, 0, 1));
    assert!(!strided_x.is_contiguous() && !strided_v.is_contiguous());
    let (spikes, _) = multi_step(&lif, gradient, &[&strided_x], &[strided_v]).unwrap();
    assert_eq!(distance(&spikes, &expected), 0.0);

    // One current for all steps: its gradient is the sum over time.
    let current = Var::from_tensor(&random(&[3, 5], 0.0..2.5, 3)).unwrap();
    let v = random(&[3, 5], 0.0..0.1, 4);
    let (spikes, states) =
        multi_step(&lif, gradient, &[&current.broadcast_left(6).unwrap()], slice::from_ref(&v)).unwrap();
    let grads = loss(&spikes, &states[0]).backward().unwrap();
    let (spikes, v) = unrolled(&lif, gradient, &current.broadcast_left(6).unwrap(), &v).unwrap();
    let expected = loss(&spikes, &v).backward().unwrap();
    assert!(distance(grads.get(&current).unwrap(), expected.get(&current).unwrap()) < 1e-10);
}

#[test]
fn constants_get_no_gradient() {
    let (x_seq, _) = variables(DType::F64);
    let v = random(&[3, 5], 0.0..0.1, 4);
    let (spikes, _) =
        multi_step(&Lif::default(), Gradient::default(), &[&x_seq], slice::from_ref(&v)).unwrap();
    let grads = spikes.sum_all().unwrap().backward().unwrap();
    assert!(grads.get(&x_seq).is_some() && grads.get(&v).is_none());
}

/// Several backward passes over one graph, at once, through the output, the state, or both.
#[test]
fn passes_over_one_graph_do_not_mix() {
    let (x_seq, v) = variables(DType::F64);
    let run = || multi_step(&Lif::default(), Gradient::default(), &[&x_seq], &[v.as_tensor().clone()]);
    let losses = |(spikes, states): (Tensor, Vec<Tensor>)| {
        let of_spikes = (spikes.sqr().unwrap().sum_all().unwrap() * 3.0).unwrap();
        let of_state = (states[0].sum_all().unwrap() * 5.0).unwrap();
        [(&of_spikes + &of_state).unwrap(), of_spikes, of_state]
    };
    let grad = |loss: &Tensor| loss.backward().unwrap().get(&x_seq).unwrap().clone();
    // Of graphs of their own.
    let expected = [0, 1, 2].map(|which| grad(&losses(run().unwrap())[which]));
    assert!(distance(&expected[0], &(&expected[1] + &expected[2]).unwrap()) < 1e-12);
    assert!(distance(&expected[0], &expected[1]) > 0.1 && distance(&expected[0], &expected[2]) > 0.1);
    let shared = losses(run().unwrap());
    std::thread::scope(|scope| {
        for turn in 0..3 {
            let (shared, expected, grad) = (&shared, &expected, &grad);
            scope.spawn(move || {
                for number in 0..60 {
                    let which = (turn + number) % 3;
                    assert_eq!(distance(&grad(&shared[which]), &expected[which]), 0.0, "loss {which}");
                }
            });
        }
    });
}

/// Candle finds the output through a state, although no loss depends on it.
#[test]
fn losses_of_a_state_only() {
    let (x_seq, v) = variables(DType::F64);
    let (_, states) =
        multi_step(&Lif::default(), Gradient::default(), &[&x_seq], &[v.as_tensor().clone()]).unwrap();
    let grads = states[0].sum_all().unwrap().backward().unwrap();
    let (_, unrolled_v) = unrolled(&Lif::default(), Gradient::default(), &x_seq, &v).unwrap();
    let expected = unrolled_v.sum_all().unwrap().backward().unwrap();
    for variable in [&x_seq, &v] {
        let (actual, expected) = (grads.get(variable).unwrap(), expected.get(variable).unwrap());
        assert!(distance(actual, expected) < 1e-12);
        assert!(actual.abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap() > 0.0);
    }
}
