//! Training steps: a forward pass with its backward pass.

use neuron_runtime::{Array, DeclaredNeuron, Error, Gradient, MultiStep, Reset, Step, Surrogate};

use crate::neurons::{Adaptive, Leaky, Shunted, numbers};

#[test]
fn one_step_by_hand() {
    // tau = 2: h = (x + v) / 2, here below the threshold, at it, and above.
    let neuron = Leaky { tau: 2.0, ..Leaky::default() };
    let (x, v) = (
        Array::from_vec([3], vec![1.0, 1.0, 3.0]).unwrap(),
        Array::from_vec([3], vec![0.0, 1.0, 0.0]).unwrap(),
    );
    let h = [0.5, 1.0, 1.5];
    let grad_spike = Array::from_vec([3], vec![1.0, 2.0, 3.0]).unwrap();
    let grad_v_next = Array::from_vec([3], vec![-1.0, 0.5, 0.25]).unwrap();
    for (reset, detach_reset) in
        [(Reset::Hard, false), (Reset::Hard, true), (Reset::Soft, false), (Reset::Soft, true)]
    {
        let surrogate = Surrogate::atan(2.0);
        let step = Step::new(Leaky { reset, ..neuron.clone() }, Gradient { surrogate, detach_reset });
        let (spike, v_next, context) = step.forward(&x, &v).unwrap();
        assert_eq!(spike.as_slice().unwrap(), [0.0, 1.0, 1.0]);
        assert_eq!(
            v_next.as_slice().unwrap(),
            if reset == Reset::Hard { [0.5, 0.0, 0.0] } else { [0.5, 0.0, 0.5] }
        );
        assert_eq!(step.inference(&x, &v).unwrap(), (spike.clone(), v_next));
        let (grad_x, grad_v) = context.backward(&grad_spike, &grad_v_next).unwrap();
        for (i, h) in h.into_iter().enumerate() {
            let (s, d) = (spike.as_slice().unwrap()[i], surrogate.gradient(h - 1.0));
            let through_spike = match (detach_reset, reset) {
                (true, _) => 0.0,
                (false, Reset::Hard) => -h * d,
                (false, Reset::Soft) => -d,
                (false, Reset::None | Reset::Custom) => unreachable!("not declared"),
            };
            let direct = if reset == Reset::Hard { 1.0 - s } else { 1.0 };
            let grad_h = grad_spike.as_slice().unwrap()[i] * d
                + grad_v_next.as_slice().unwrap()[i] * (direct + through_spike);
            for grad in [grad_x.as_slice().unwrap()[i], grad_v.as_slice().unwrap()[i]] {
                let grad: f64 = grad;
                assert!(
                    (grad - grad_h / 2.0).abs() < 1e-15,
                    "{reset} {detach_reset}: {grad}, {}",
                    grad_h / 2.0
                );
            }
        }
    }
}

#[test]
fn several_states_and_inputs_are_in_the_order_of_their_declaration() {
    let step = MultiStep::new(Adaptive::default(), Surrogate::default());
    let (x_seq, v, w) = (numbers(&[4, 3], 3.0, 1), numbers(&[3], 1.0, 2), numbers(&[3], 1.0, 3));
    let (stepped, context) = step.forward_all(&[&x_seq], &[&v, &w]).unwrap();
    assert_eq!(stepped, step.inference_all(&[&x_seq], &[&v, &w]).unwrap());
    assert_eq!((stepped.spike.shape(), stepped.states.len()), (&[4, 3][..], 2));
    let grads = context.backward_all(&stepped.spike, &[&v, &w]).unwrap();
    assert_eq!((grads.inputs[0].shape(), grads.states.len()), (&[4, 3][..], 2));
    // More adaptation means a lower potential.
    assert!(grads.states[0].as_slice().unwrap()[0] * grads.states[1].as_slice().unwrap()[0] < 0.0);

    let step = Step::new(Shunted::default(), Surrogate::default());
    let (stepped, _) = step.forward_all(&[&v, &w], &[&w]).unwrap();
    let h = |i: usize| {
        w.as_slice().unwrap()[i] + v.as_slice().unwrap()[i]
            - w.as_slice().unwrap()[i] * w.as_slice().unwrap()[i]
    };
    let spike: Vec<f64> = (0..3).map(|i| f64::from(h(i) >= 1.0)).collect();
    assert_eq!(stepped.spike.as_slice().unwrap(), spike);
}

#[test]
fn wrong_arrays_are_named() {
    let step = MultiStep::new(Leaky::default(), Surrogate::default());
    let error = step.forward(&Array::<f32>::zeros([5, 2, 3]), &Array::zeros([3, 2])).unwrap_err();
    assert_eq!(error.to_string(), "Leaky: expected shape [T, 3, 2] for `x`, found [5, 2, 3]");
    let (_, _, context) = step.forward(&Array::<f32>::zeros([5, 2, 3]), &Array::zeros([2, 3])).unwrap();
    let error = context.backward(&Array::zeros([4, 2, 3]), &Array::zeros([2, 3])).unwrap_err();
    assert_eq!(error.to_string(), "Leaky: expected shape [5, 2, 3] for `grad_spike`, found [4, 2, 3]");
    let error = context.backward(&Array::zeros([5, 2, 3]), &Array::zeros([6])).unwrap_err();
    assert_eq!(error.to_string(), "Leaky: expected shape [2, 3] for `grad_v_next`, found [6]");

    let step = Step::new(Adaptive::default(), Surrogate::default());
    let (x, v) = (Array::<f32>::zeros([3]), Array::zeros([3]));
    let arity = |actual| Error::Arity { neuron: "Adaptive", what: "states", expected: 2, actual };
    assert_eq!(step.forward(&x, &v).unwrap_err(), arity(1));
    assert_eq!(step.forward_all(&[&x], &[]).unwrap_err(), arity(0));
    let error = step.forward_all(&[&x], &[&v, &Array::zeros([4])]).unwrap_err();
    assert_eq!(error.to_string(), "Adaptive: expected shape [3] for `w`, found [4]");
    assert_eq!(Adaptive::SPEC.states.len(), 2);

    let step = Step::new(Shunted::default(), Surrogate::default());
    let (_, context) = step.forward_all(&[&x, &x], &[&v]).unwrap();
    let arity = Error::Arity { neuron: "Shunted", what: "inputs", expected: 2, actual: 1 };
    assert_eq!(context.backward(&x, &v).unwrap_err(), arity);
}
