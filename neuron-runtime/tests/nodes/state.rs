//! What a node keeps between calls, and what it says of itself.

use half::f16;
use neuron_runtime::{Array, Error, MultiStepNode, Node, Reset, Surrogate};

use crate::neurons::{Adaptive, Leaky, Shunted, numbers};

#[test]
fn describes_itself_as_in_2020() {
    let node = Node::<Leaky>::default();
    let text = "v_threshold=1, v_reset=0, detach_reset=false, surrogate_function=ATan, alpha=2, tau=100";
    assert_eq!(node.to_string(), text);
    assert_eq!(MultiStepNode::<Leaky>::default().to_string(), text);

    let neuron =
        Leaky { tau: 2.5, decay_input: false, v_threshold: 0.5, reset: Reset::Soft, ..Leaky::default() };
    let node: Node<_> = Node::new(neuron).with_surrogate(Surrogate::sigmoid(4.0)).with_detach_reset(true);
    assert_eq!(
        node.to_string(),
        "v_threshold=0.5, v_reset=None, detach_reset=true, surrogate_function=Sigmoid, alpha=4, tau=2.5, \
         decay_input=false"
    );
}

#[test]
fn state_begins_at_its_declared_value_and_stays_until_reset() {
    let (v, w) = (-1.0, -0.25);
    let mut node = Node::<_, f64>::new(Adaptive { v_reset: v, ..Adaptive::default() });
    assert_eq!((node.v(), node.states()), (None, None));
    let x = Array::full([2, 3], 0.5);
    let spike = node.forward(&x).unwrap();
    assert_eq!(spike, Array::zeros([2, 3]));
    let first = v + (0.5 - v - w) / 2.0;
    assert_eq!(node.v(), Some(&Array::full([2, 3], first)));
    assert_eq!(node.states().unwrap()[1], Array::full([2, 3], 0.9 * w + 0.1 * v));
    node.forward(&x).unwrap();
    assert_ne!(node.v(), Some(&Array::full([2, 3], first)));
    node.reset();
    assert_eq!(node.v(), None);
    node.forward(&x).unwrap();
    assert_eq!(node.v(), Some(&Array::full([2, 3], first)));
}

#[test]
fn a_sequence_gives_the_state_the_shape_of_its_first_step() {
    let mut node = MultiStepNode::<Leaky>::default();
    let spike_seq = node.forward(&Array::zeros([5, 2, 3])).unwrap();
    assert_eq!((spike_seq.shape(), node.v().unwrap().shape()), (&[5, 2, 3][..], &[2, 3][..]));
}

#[test]
fn half_precision_data_keeps_its_state_in_single_precision() {
    let mut node = Node::<_, f16>::new(Leaky { tau: 3.0, ..Leaky::default() });
    node.forward(&Array::full([4], f16::from_f32(1.0))).unwrap();
    assert_eq!(node.v(), Some(&Array::full([4], 1.0f32 / 3.0)));
    let grad_x = node.backward(&Array::full([4], f16::from_f32(1.0))).unwrap();
    assert!(grad_x.as_slice().unwrap().iter().all(|grad| grad.to_f32() > 0.0));
}

#[test]
fn modes_compute_the_same_and_evaluation_saves_nothing() {
    let x_seq = numbers(&[7, 11], 3.0, 1);
    for reset in [Reset::Hard, Reset::Soft] {
        let neuron = Adaptive { reset, ..Adaptive::default() };
        let mut train = MultiStepNode::<_, f64>::new(neuron.clone());
        let mut eval = MultiStepNode::<_, f64>::new(neuron);
        eval.eval();
        assert!(train.is_training() && !eval.is_training());
        let spike_seq = train.forward(&x_seq).unwrap();
        assert!(spike_seq.as_slice().unwrap().contains(&1.0) && spike_seq.as_slice().unwrap().contains(&0.0));
        assert_eq!(eval.forward(&x_seq).unwrap(), spike_seq);
        assert_eq!(eval.states(), train.states());
        assert_eq!(eval.backward(&spike_seq), Err(Error::NoContext { neuron: "Adaptive" }));
        assert!(train.backward(&spike_seq).is_ok());
        assert_eq!(train.backward(&spike_seq), Err(Error::NoContext { neuron: "Adaptive" }));
    }
}

#[test]
fn all_inputs_are_needed() {
    let mut node = Node::<Shunted, f64>::default();
    let x = Array::full([3], 0.75);
    let too_few = |actual| Err(Error::Arity { neuron: "Shunted", what: "inputs", expected: 2, actual });
    assert_eq!(node.forward(&x), too_few(1));
    assert_eq!(node.forward_all(&[]), too_few(0));
    assert_eq!(node.states(), None);
    node.forward_all(&[&x, &Array::full([3], 0.5)]).unwrap();
    assert_eq!(node.backward(&Array::full([3], 1.0)), too_few(1));
    let grads = node.backward_all(&Array::full([3], 1.0)).unwrap();
    // From v = 0 the shunt has no effect yet.
    assert_eq!((grads.len(), grads[1].as_slice().unwrap()), (2, &[0.0; 3][..]));
    assert!(grads[0].as_slice().unwrap()[0] > 0.0);
}

#[test]
fn wrong_parameters_are_refused_before_there_is_a_state() {
    let mut node = Node::<_>::new(Leaky { tau: 0.5, ..Leaky::default() });
    assert!(matches!(node.forward(&Array::zeros([3])), Err(Error::ParameterRange { name: "tau", .. })));
    assert_eq!(node.v(), None);
    let mut node = Node::<Leaky>::default().with_surrogate(Surrogate::atan(0.0));
    assert!(matches!(node.forward(&Array::zeros([3])), Err(Error::SurrogateParameter { .. })));
    assert_eq!(node.v(), None);
}
