//! States recorded in every step, with gradients of the records.

use neuron_runtime::{Array, Error, Gradient, MultiStep, MultiStepNode, Reset, Surrogate, neuron};

use crate::neurons::{Adaptive, Leaky, at, numbers, part};

neuron! {
    /// No spikes, so that finite differences are exact up to rounding.
    pub struct Graded {
        learnable w = 0.3;
        learnable v_reset = 0.5;
        state a = w * v_reset;
        charge = 0.5 * v + w * x + a;
        update a = 0.9 * a + 0.1 * h * h;
        output = h * h;
    }
}

const STEPS: usize = 5;

fn sum_of_products(a: &Array<f64>, b: &Array<f64>) -> f64 {
    a.as_slice().unwrap().iter().zip(b.as_slice().unwrap()).map(|(a, b)| a * b).sum()
}

/// The loss depends on the output and on both states of every step.
#[test]
fn gradients_are_finite_differences() {
    let x_seq = numbers(&[STEPS, 2, 3], 1.0, 1);
    let [of_output, of_v, of_a] = [2, 3, 4].map(|seed| numbers(&[STEPS, 2, 3], 1.0, seed));
    let run = |x_seq: &Array<f64>, w: f64, v_reset: f64| {
        let mut node = MultiStepNode::<Graded, f64>::default();
        node.set_parameter("w", Array::full([], w)).unwrap();
        node.set_parameter("v_reset", Array::full([], v_reset)).unwrap();
        let (output, records) = node.forward_recorded(&[x_seq], &["a", "v"]).unwrap();
        let loss = sum_of_products(&output, &of_output)
            + sum_of_products(&records[0], &of_a)
            + sum_of_products(&records[1], &of_v);
        let grads = node.backward_recorded(&of_output, &[("v", &of_v), ("a", &of_a)]).unwrap();
        (loss, grads, node)
    };
    let (_, grads, node) = run(&x_seq, 0.3, 0.5);
    let close = |grad: f64, loss: &dyn Fn(f64) -> f64| {
        let numeric = (loss(1e-5) - loss(-1e-5)) / 2e-5;
        assert!((grad - numeric).abs() < 1e-7, "{grad} {numeric}");
    };
    for (i, grad) in grads[0].as_slice().unwrap().iter().enumerate() {
        close(*grad, &|by| {
            let mut x_seq = x_seq.clone();
            x_seq.as_mut_slice().unwrap()[i] += by;
            run(&x_seq, 0.3, 0.5).0
        });
    }
    let grad = |name| node.parameter_grad(name).unwrap().unwrap().as_slice().unwrap()[0];
    close(grad("w"), &|by| run(&x_seq, 0.3 + by, 0.5).0);
    close(grad("v_reset"), &|by| run(&x_seq, 0.3, 0.5 + by).0);
}

/// The loss is on the membrane of a neuron that fires, against the equations written out.
#[test]
fn gradients_of_the_membrane_by_hand() {
    let tau = 2.0;
    let (x_seq, grad_spike, grad_v_seq) =
        (numbers(&[STEPS, 4], 3.0, 1), numbers(&[STEPS, 4], 1.0, 2), numbers(&[STEPS, 4], 1.0, 3));
    let surrogate = Surrogate::atan(2.0);
    for reset in [Reset::Hard, Reset::Soft] {
        let neuron = Leaky { tau, reset, ..Leaky::default() };
        let mut node = MultiStepNode::<_, f64>::with_gradient(neuron, surrogate);
        let (spikes, records) = node.forward_recorded(&[&x_seq], &["v"]).unwrap();
        assert!(spikes.as_slice().unwrap().contains(&1.0));
        let grads = node.backward_recorded(&grad_spike, &[("v", &grad_v_seq)]).unwrap();
        for n in 0..4 {
            let of = |array: &Array<f64>, t: usize| array.as_slice().unwrap()[t * 4 + n];
            let mut carried = 0.0;
            for t in (0..STEPS).rev() {
                let before = if t == 0 { 0.0 } else { of(&records[0], t - 1) };
                let h = before + (of(&x_seq, t) - before) / tau;
                let (s, slope) = (f64::from(h >= 1.0), surrogate.gradient(h - 1.0));
                let through_reset = if reset == Reset::Hard { 1.0 - s - h * slope } else { 1.0 - slope };
                let grad_h = of(&grad_spike, t) * slope + (carried + of(&grad_v_seq, t)) * through_reset;
                assert!((of(&grads[0], t) - grad_h / tau).abs() < 1e-14, "{reset} {t}");
                carried = grad_h * (1.0 - 1.0 / tau);
            }
        }
    }
}

/// Everything that is not recorded is that of a pass that records nothing, bit for bit.
#[test]
fn recording_changes_nothing_else() {
    let (x_seq, grad) = (numbers(&[12, 2, 3], 3.0, 1), numbers(&[12, 2, 3], 1.0, 2));
    let mut plain = MultiStepNode::<Adaptive, f64>::default();
    let mut node = MultiStepNode::<Adaptive, f64>::default();
    let spikes = plain.forward(&x_seq).unwrap();
    let (recorded, records) = node.forward_recorded(&[&x_seq], &["w", "v", "w"]).unwrap();
    assert_eq!((&recorded, node.states()), (&spikes, plain.states()));
    assert_eq!(records[0], records[2]);
    let mut steps = MultiStepNode::<Adaptive, f64>::default();
    for t in 0..12 {
        steps.forward(&part(&x_seq, t..t + 1)).unwrap();
        assert_eq!([at(&records[1], t), at(&records[0], t)], steps.states().unwrap());
    }
    let expected = plain.backward(&grad).unwrap();
    assert_eq!(node.backward(&grad).unwrap(), expected);
    assert_eq!(node.grad_states(), plain.grad_states());

    let mut eval = MultiStepNode::<Adaptive, f64>::default();
    eval.eval();
    for names in [&["v"][..], &["v", "w"], &[]] {
        eval.reset();
        let (spikes_of_eval, records_of_eval) = eval.forward_recorded(&[&x_seq], names).unwrap();
        let expected = names.iter().map(|name| records[usize::from(*name == "v")].clone());
        assert_eq!((spikes_of_eval, records_of_eval), (spikes.clone(), expected.collect()));
        assert_eq!(eval.states(), plain.states());
    }
    assert!(eval.backward(&grad).is_err());
}

/// A pass that recorded is followed by one that did not.
#[test]
fn gradients_flow_between_passes() {
    let (x_seq, grad) = (numbers(&[8, 3], 3.0, 1), numbers(&[8, 3], 1.0, 2));
    let mut node = MultiStepNode::<Adaptive, f64>::default();
    node.keep_passes(2);
    node.forward_recorded(&[&part(&x_seq, 0..4)], &["v"]).unwrap();
    node.forward(&part(&x_seq, 4..8)).unwrap();
    let mut whole = MultiStepNode::<Adaptive, f64>::default();
    whole.forward(&x_seq).unwrap();
    let expected = whole.backward(&grad).unwrap();
    assert_eq!(node.backward(&part(&grad, 4..8)).unwrap(), part(&expected, 4..8));
    assert_eq!(node.backward(&part(&grad, 0..4)).unwrap(), part(&expected, 0..4));
}

#[test]
fn records_that_do_not_fit() {
    let x_seq = numbers(&[4, 3], 3.0, 1);
    let mut node = MultiStepNode::<Adaptive, f64>::default();
    let unknown = node.forward_recorded(&[&x_seq], &["v", "u"]).unwrap_err();
    assert_eq!(unknown.to_string(), "Adaptive has no state `u`; available: `v`, `w`");
    let empty = node.forward_recorded(&[&Array::zeros([0, 3])], &["w"]).unwrap_err();
    assert!(matches!(empty, Error::Empty { what: "T", .. }));
    assert_eq!(node.states(), None);
    node.forward_recorded(&[&x_seq], &["w"]).unwrap();
    let error = node.backward_recorded(&x_seq, &[("v", &x_seq)]).unwrap_err();
    assert_eq!(error.to_string(), "Adaptive: the forward pass did not record `v`; recorded: `w`");
    let error = node.backward_recorded(&x_seq, &[("w", &Array::zeros([3]))]).unwrap_err();
    assert_eq!(error.to_string(), "Adaptive: expected shape [4, 3] for `grad_w_seq`, found [3]");
    let error = node.backward_recorded(&Array::zeros([3, 3]), &[]).unwrap_err();
    assert_eq!(error.to_string(), "Adaptive: expected shape [4, 3] for `grad_spike`, found [3, 3]");
    // The pass is still there.
    node.backward_recorded(&x_seq, &[("w", &x_seq)]).unwrap();
    node.forward(&x_seq).unwrap();
    let error = node.backward_recorded(&x_seq, &[("v", &x_seq)]).unwrap_err();
    assert_eq!(error.to_string(), "Adaptive: the forward pass did not record `v`; recorded: none");

    let operation = MultiStep::new(Adaptive::default(), Gradient::default());
    let state = Array::zeros([3]);
    let (_, _, context) = operation.forward_recorded(&[&x_seq], &[&state, &state], &["v"]).unwrap();
    let arity = Error::Arity { neuron: "Adaptive", what: "state gradients", expected: 2, actual: 1 };
    assert_eq!(context.backward_all(&x_seq, &[], &[&state]), Err(arity));
}
