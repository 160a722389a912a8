//! States that are set: their values, gradients, and what does not fit.

use neuron_runtime::{Array, Error, MultiStepNode, Node, Surrogate, neuron};

use crate::neurons::{Adaptive, numbers, part};

neuron! {
    /// No spikes, so that finite differences are exact up to rounding; the initial states depend on what is learned.
    pub struct Graded {
        learnable w = 0.3;
        learnable v_reset = 0.5;
        state a = w * w;
        charge = 0.5 * v + x + a;
        update a = 0.9 * a + 0.1 * h;
        output = h * h;
    }
}

const STEPS: usize = 4;

fn ones() -> Array<f64> {
    Array::full([STEPS, 2, 3], 1.0)
}

fn moved(array: &Array<f64>, i: usize, by: f64) -> Array<f64> {
    let mut array = array.clone();
    array.as_mut_slice().unwrap()[i] += by;
    array
}

/// Against finite differences, over two passes.
#[test]
fn initial_states_are_learned() {
    let x_seq = numbers(&[2 * STEPS, 2, 3], 1.0, 1);
    let start = [numbers(&[2, 3], 1.0, 2), numbers(&[2, 3], 1.0, 3)];
    let run = |start: &[Array<f64>]| {
        let mut node = MultiStepNode::<Graded, f64>::default();
        node.keep_passes(2);
        node.set_states(start.to_vec()).unwrap();
        assert_eq!(node.states().unwrap(), start);
        let halves = [0..STEPS, STEPS..2 * STEPS];
        let sum = |steps| node.forward(&part(&x_seq, steps)).unwrap().into_vec().unwrap().iter().sum::<f64>();
        let loss: f64 = halves.map(sum).iter().sum();
        (loss, node)
    };
    let (_, mut node) = run(&start);
    assert_eq!(node.grad_state("a").unwrap(), None);
    node.backward(&ones()).unwrap();
    node.backward(&ones()).unwrap();
    for (at, name) in ["v", "a"].into_iter().enumerate() {
        let grad = node.grad_state(name).unwrap().unwrap().as_slice().unwrap();
        assert_eq!(grad, node.grad_states().unwrap()[at].as_slice().unwrap());
        for (i, grad) in grad.iter().enumerate() {
            let loss = |by: f64| {
                let mut start = start.clone();
                start[at] = moved(&start[at], i, by);
                run(&start).0
            };
            let numeric = (loss(1e-5) - loss(-1e-5)) / 2e-5;
            assert!((grad - numeric).abs() < 1e-7 * numeric.abs(), "{name}[{i}]: {grad} {numeric}");
        }
    }
    // What they would have depended on, had they not been set.
    let zero = Some(Array::zeros([]));
    assert_eq!(node.parameter_grad("v_reset").unwrap(), zero);
    assert_eq!(node.parameter_grad("w").unwrap(), zero);
}

/// One state is set, the other one still depends on its parameter, whose gradient is that of finite differences.
#[test]
fn others_keep_their_initial_values() {
    let x_seq = numbers(&[STEPS, 2, 3], 1.0, 1);
    let v = numbers(&[2, 3], 1.0, 2);
    let run = |w: f64| {
        let mut node = MultiStepNode::<Graded, f64>::default();
        node.set_state("v", v.clone()).unwrap();
        assert_eq!(node.state("v").unwrap(), Some(&v));
        assert_eq!(node.state("a").unwrap(), Some(&Array::full([2, 3], 0.09)));
        // Of the parameters at the time of the pass.
        node.set_parameter("w", Array::full([], w)).unwrap();
        let loss: f64 = node.forward(&x_seq).unwrap().as_slice().unwrap().iter().sum();
        node.backward(&ones()).unwrap();
        let grads =
            ["w", "v_reset"].map(|name| node.parameter_grad(name).unwrap().unwrap().as_slice().unwrap()[0]);
        (loss, grads)
    };
    let (_, [grad, of_v_reset]) = run(0.4);
    let numeric = (run(0.4 + 1e-5).0 - run(0.4 - 1e-5).0) / 2e-5;
    assert!((grad - numeric).abs() < 1e-7 * numeric.abs(), "{grad} {numeric}");
    // Only the initial value of `v` depends on it.
    assert_eq!(of_v_reset, 0.0);
}

#[test]
fn states_are_saved_and_restored() {
    let x_seq = numbers(&[2 * STEPS, 5], 3.0, 1);
    let mut node = MultiStepNode::<Adaptive, f64>::default();
    node.forward(&part(&x_seq, 0..STEPS)).unwrap();
    let saved = node.states().unwrap().to_vec();
    let expected = node.forward(&part(&x_seq, STEPS..2 * STEPS)).unwrap();
    let end = node.states().unwrap().to_vec();
    assert_ne!(saved, end);

    let mut other = MultiStepNode::<Adaptive, f64>::default();
    for node in [&mut node, &mut other] {
        node.set_states(saved.clone()).unwrap();
        assert_eq!(node.forward(&part(&x_seq, STEPS..2 * STEPS)).unwrap(), expected);
        assert_eq!(node.states().unwrap(), end);
    }
    node.reset();
    assert_eq!(node.state("w").unwrap(), None);
}

/// The gradient of a state that was set in between does not reach the pass before, that of the other does.
#[test]
fn gradients_end_where_a_state_was_set() {
    let x = numbers(&[2, 5], 3.0, 1);
    let rows = [part(&x, 0..1), part(&x, 1..2)];
    let grad = Array::full([1, 5], 1.0);
    let run = |which: &[&str]| {
        let mut node =
            MultiStepNode::<Adaptive, f64>::with_gradient(Adaptive::default(), Surrogate::sigmoid(2.0));
        node.keep_passes(2);
        node.forward(&rows[0]).unwrap();
        for name in which {
            // The same value again.
            let value = node.state(name).unwrap().unwrap().clone();
            node.set_state(name, value).unwrap();
        }
        node.forward(&rows[1]).unwrap();
        node.backward(&grad).unwrap();
        node.backward(&grad).unwrap()
    };
    let (all, without_w, none) = (run(&[]), run(&["w"]), run(&["v", "w"]));
    assert!(all != without_w && without_w != none && all != none);
    let mut alone =
        MultiStepNode::<Adaptive, f64>::with_gradient(Adaptive::default(), Surrogate::sigmoid(2.0));
    alone.forward(&rows[0]).unwrap();
    assert_eq!(alone.backward(&grad).unwrap(), none);
}

#[test]
fn states_that_do_not_fit() {
    let mut node = Node::<Adaptive, f64>::default();
    let error = node.set_state("u", Array::zeros([3])).unwrap_err();
    assert_eq!(error.to_string(), "Adaptive has no state `u`; available: `v`, `w`");
    assert!(matches!(node.grad_state("u"), Err(Error::UnknownState { .. })));
    let arity = Error::Arity { neuron: "Adaptive", what: "states", expected: 2, actual: 1 };
    assert_eq!(node.set_states(vec![Array::zeros([3])]), Err(arity));
    let error = node.set_states(vec![Array::zeros([3]), Array::zeros([2])]).unwrap_err();
    assert_eq!(error.to_string(), "Adaptive: expected shape [3] for `w`, found [2]");
    assert_eq!(node.states(), None);

    node.set_state("w", Array::zeros([3])).unwrap();
    let error = node.set_state("v", Array::zeros([4])).unwrap_err();
    assert_eq!(error.to_string(), "Adaptive: expected shape [3] for `v`, found [4]");
    let before = node.states().unwrap().to_vec();
    assert!(matches!(node.forward(&Array::zeros([4])), Err(Error::Shape { .. })));
    assert_eq!(node.states().unwrap(), before);
    node.forward(&Array::zeros([3])).unwrap();
    let mut node = Node::<Adaptive, f64>::new(Adaptive { tau: 0.5, ..Adaptive::default() });
    assert!(matches!(node.set_state("w", Array::zeros([3])), Err(Error::ParameterRange { name: "tau", .. })));
}

/// From the rest, unequal to the reset potential.
#[test]
fn rest_and_reset_may_differ() {
    neuron! {
        struct Rest {
            param tau = 10.0 where tau > 1.0;
            param v_rest = -65.0;
            param v_threshold = -50.0;
            param v_reset = -70.0;
            charge = v + (x - (v - v_rest)) / tau;
            reset hard;
        }
    }
    let mut node = MultiStepNode::<Rest, f64>::default();
    node.set_state("v", Array::full([1], -65.0)).unwrap();
    let spikes = node.forward(&Array::full([100, 1], 20.0)).unwrap();
    let steps: Vec<usize> = (0..100).filter(|&t| spikes.as_slice().unwrap()[t] == 1.0).collect();
    assert_eq!(steps, [13, 29, 45, 61, 77, 93]);
}
