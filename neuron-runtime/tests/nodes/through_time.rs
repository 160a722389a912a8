//! Gradients through several calls of a node.

use neuron_runtime::{Array, Error, MultiStep, MultiStepNode, Neuron, Node, Stateful, Surrogate};

use crate::neurons::{Adaptive, Leaky, at, numbers, part};

const STEPS: usize = 6;

/// Inputs and gradients of the spikes.
fn data() -> (Array<f64>, Array<f64>) {
    (numbers(&[STEPS, 2, 5], 3.0, 1), numbers(&[STEPS, 2, 5], 1.0, 2))
}

/// Differentiates through any number of passes.
fn adaptive<S: neuron_runtime::step::Stepping>() -> Stateful<Adaptive, f64, S> {
    let mut node = Stateful::with_gradient(Adaptive::default(), Surrogate::sigmoid(2.0));
    node.keep_passes(usize::MAX);
    node
}

/// Gradients of the inputs, by one call over the whole sequence.
fn whole(x_seq: &Array<f64>, grad: &Array<f64>) -> Array<f64> {
    let mut node: MultiStepNode<Adaptive, f64> = adaptive();
    node.forward(x_seq).unwrap();
    node.backward(grad).unwrap()
}

#[test]
fn single_steps_are_a_sequence() {
    let (x_seq, grad) = data();
    let mut sequence: MultiStepNode<Adaptive, f64> = adaptive();
    let mut single: Node<Adaptive, f64> = adaptive();
    let spike_seq = sequence.forward(&x_seq).unwrap();
    for step in 0..STEPS {
        assert_eq!(single.forward(&at(&x_seq, step)).unwrap(), at(&spike_seq, step));
    }
    assert_eq!(single.states(), sequence.states());
    let grad_x_seq = sequence.backward(&grad).unwrap();
    for step in (0..STEPS).rev() {
        assert_eq!(single.backward(&at(&grad, step)).unwrap(), at(&grad_x_seq, step));
    }
    assert_eq!(single.grad_states(), sequence.grad_states());
    assert!(single.grad_states().unwrap()[1].as_slice().unwrap().iter().all(|grad| *grad != 0.0));
}

#[test]
fn the_gradient_flows_from_call_to_call() {
    let (x_seq, grad) = data();
    let expected = whole(&x_seq, &grad);
    let mut node: MultiStepNode<Adaptive, f64> = adaptive();
    for steps in [0..2, 2..3, 3..STEPS] {
        node.forward(&part(&x_seq, steps)).unwrap();
    }
    for steps in [3..STEPS, 2..3, 0..2] {
        assert_eq!(node.backward(&part(&grad, steps.clone())).unwrap(), part(&expected, steps));
    }
}

#[test]
fn detach_cuts_the_gradient_and_keeps_the_state() {
    let (x_seq, grad) = data();
    let mut node: MultiStepNode<Adaptive, f64> = adaptive();
    let mut spikes = node.forward(&part(&x_seq, 0..3)).unwrap().into_vec().unwrap();
    node.detach();
    spikes.extend(node.forward(&part(&x_seq, 3..STEPS)).unwrap().into_vec().unwrap());
    let mut uncut: MultiStepNode<Adaptive, f64> = adaptive();
    assert_eq!(uncut.forward(&x_seq).unwrap().into_vec().unwrap(), spikes);
    node.backward(&part(&grad, 3..STEPS)).unwrap();
    assert!(node.backward(&part(&grad, 0..3)).is_err());
}

#[test]
fn no_gradient_flows_through_evaluation() {
    let (x_seq, grad) = data();
    let mut node: Node<Adaptive, f64> = adaptive();
    node.forward(&at(&x_seq, 0)).unwrap();
    node.eval();
    node.forward(&at(&x_seq, 1)).unwrap();
    node.train();
    node.forward(&at(&x_seq, 2)).unwrap();
    node.backward(&at(&grad, 2)).unwrap();
    let grad_x = node.backward(&at(&grad, 0)).unwrap();
    assert_eq!(grad_x, at(&whole(&part(&x_seq, 0..1), &part(&grad, 0..1)), 0));
}

#[test]
fn a_pass_that_was_differentiated_is_not_reached_again() {
    let (x_seq, grad) = data();
    let mut node: Node<Adaptive, f64> = adaptive();
    node.forward(&at(&x_seq, 0)).unwrap();
    node.forward(&at(&x_seq, 1)).unwrap();
    let second = node.backward(&at(&grad, 1)).unwrap();
    // Begins with the state of the second step, whose gradient has been asked for already.
    node.forward(&at(&x_seq, 2)).unwrap();
    node.backward(&at(&grad, 2)).unwrap();
    let first = node.backward(&at(&grad, 0)).unwrap();
    let expected = whole(&part(&x_seq, 0..2), &part(&grad, 0..2));
    assert_eq!((first, second), (at(&expected, 0), at(&expected, 1)));
}

#[test]
fn a_node_is_its_operation_with_state() {
    let (x_seq, grad) = data();
    let neuron = Leaky { tau: 2.0, v_reset: -0.5, ..Leaky::default() };
    let mut node = MultiStepNode::<_, f64>::new(neuron.clone());
    let step = MultiStep::new(neuron.clone(), Surrogate::default());
    let v = Array::full([2, 5], neuron.initial_state()[0]);
    let (spike_seq, v_next, context) = step.forward(&x_seq, &v).unwrap();
    assert_eq!(node.forward(&x_seq).unwrap(), spike_seq);
    assert_eq!(node.v(), Some(&v_next));
    let (grad_x_seq, grad_v) = context.backward(&grad, &Array::zeros([2, 5])).unwrap();
    assert_eq!(node.backward(&grad).unwrap(), grad_x_seq);
    assert_eq!(node.grad_states().unwrap(), [grad_v]);
}

/// With three passes kept, gradients are those of the last three steps, from the state before them.
#[test]
fn dropped_passes_truncate_the_gradient() {
    let (x_seq, grad) = data();
    let mut node: Node<Adaptive, f64> = adaptive();
    node.keep_passes(3);
    for step in 0..STEPS {
        node.forward(&at(&x_seq, step)).unwrap();
    }
    let mut late: MultiStepNode<Adaptive, f64> = adaptive();
    late.forward(&part(&x_seq, 0..3)).unwrap();
    late.detach();
    late.forward(&part(&x_seq, 3..STEPS)).unwrap();
    let expected = late.backward(&part(&grad, 3..STEPS)).unwrap();
    for step in (3..STEPS).rev() {
        assert_eq!(node.backward(&at(&grad, step)).unwrap(), at(&expected, step - 3));
    }
    let error = node.backward(&at(&grad, 2)).unwrap_err();
    assert_eq!(error, Error::PassDropped { neuron: "Adaptive", kept: 3 });
    // The next pass is not preceded by a dropped one.
    node.forward(&at(&x_seq, 0)).unwrap();
    node.backward(&at(&grad, 0)).unwrap();
    assert_eq!(node.backward(&at(&grad, 0)), Err(Error::NoContext { neuron: "Adaptive" }));
}

#[test]
fn by_default_the_last_pass_is_kept() {
    let (x_seq, grad) = data();
    let mut node = MultiStepNode::<Adaptive, f64>::default();
    for _ in 0..3 {
        node.forward(&x_seq).unwrap();
    }
    let kept = node.kept_bytes();
    node.forward(&x_seq).unwrap();
    assert_eq!(node.kept_bytes(), kept);
    node.backward(&grad).unwrap();
    assert_eq!(node.kept_bytes(), 0);
    let error = node.backward(&grad).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Adaptive: backward of a forward pass that was dropped: the node keeps the last 1; to differentiate several, \
         call keep_passes before the first of them"
    );
}
