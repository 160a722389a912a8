//! Arrays of any shapes: what does not fit is an error, nothing panics, and a node is as it was.

use neuron_runtime::{Array, Error, MultiStep, MultiStepNode, Node, Step, Surrogate};
use proptest::prelude::*;

use crate::neurons::{Adaptive, Leaky};

/// Small shapes, empty ones and scalars among them.
fn shape() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0usize..4, 0..4)
}

/// Shapes that often fit each other.
fn similar() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![4 => Just(vec![2, 3]), 2 => Just(vec![3]), 2 => Just(vec![4, 2, 3]), 1 => shape()]
}

proptest! {
    #[test]
    fn arrays_are_of_their_shape(shape in shape(), length in 0usize..30) {
        let fits = shape.iter().product::<usize>() == length;
        let array = Array::from_vec(shape.clone(), vec![0.0f32; length]);
        prop_assert_eq!(array.is_ok(), fits);
        if let Err(error) = array {
            let expected = shape.iter().product::<usize>().to_string();
            prop_assert_eq!(error, Error::ArrayLength { shape, expected, actual: length });
        }
    }

    #[test]
    fn steps_take_what_fits(x in similar(), v in similar(), w in similar()) {
        let (x, v, w) = (Array::<f32>::zeros(x), Array::zeros(v), Array::zeros(w));
        let is_empty = x.as_slice().unwrap().is_empty() || v.as_slice().unwrap().is_empty();
        let states_fit = v.shape() == w.shape();

        let single = Step::new(Adaptive::default(), Surrogate::default()).forward_all(&[&x], &[&v, &w]);
        let fits = states_fit && x.shape() == v.shape();
        check(fits, is_empty, single.map(|_| ()))?;

        let multi = MultiStep::new(Adaptive::default(), Surrogate::default()).forward_all(&[&x], &[&v, &w]);
        let fits = states_fit && x.shape().get(1..) == Some(v.shape());
        check(fits, is_empty, multi.map(|_| ()))?;
    }

    #[test]
    fn gradients_have_to_fit_too(grad_spike in similar(), grad_v in similar()) {
        let step = MultiStep::new(Leaky::default(), Surrogate::default());
        let (_, _, context) = step.forward(&Array::<f64>::zeros([4, 2, 3]), &Array::zeros([2, 3])).unwrap();
        let (grad_spike, grad_v) = (Array::zeros(grad_spike), Array::zeros(grad_v));
        let fits = grad_spike.shape() == [4, 2, 3] && grad_v.shape() == [2, 3];
        check(fits, false, context.backward(&grad_spike, &grad_v).map(|_| ()))?;
    }

    #[test]
    fn a_node_takes_one_shape_until_reset(shapes in prop::collection::vec(similar(), 1..8)) {
        let mut single = Node::<Adaptive>::default();
        single.keep_passes(usize::MAX);
        let mut multi = MultiStepNode::<Adaptive>::default();
        let mut calls = 0;
        for shape in shapes {
            let x = Array::full(shape, 1.0f32);
            let before = single.states().map(<[_]>::to_vec);
            let fits = before.as_ref().is_none_or(|states| states[0].shape() == x.shape());
            let result = single.forward(&x).map(|_| ());
            calls += usize::from(result.is_ok());
            if result.is_err() {
                prop_assert_eq!(single.states().map(<[_]>::to_vec), before);
            }
            check(fits, x.as_slice().unwrap().is_empty(), result)?;

            let before = multi.states().map(<[_]>::to_vec);
            let dims = x.shape().get(1..);
            let fits = dims.is_some() && before.as_ref().is_none_or(|states| Some(states[0].shape()) == dims);
            let result = multi.forward(&x).map(|_| ());
            if result.is_err() {
                prop_assert_eq!(multi.states().map(<[_]>::to_vec), before);
            }
            check(fits, x.as_slice().unwrap().is_empty(), result)?;
        }
        // A backward pass for each forward pass that succeeded, and none for the others.
        while let Some(v) = single.v().map(|v| v.shape().to_vec()) {
            let wrong = single.backward(&Array::zeros([v.len() + 1, 7]));
            prop_assert!(wrong.is_err());
            match single.backward(&Array::zeros(v)) {
                Ok(_) => calls -= 1,
                Err(error) => {
                    prop_assert_eq!(error, Error::NoContext { neuron: "Adaptive" });
                    break;
                }
            }
        }
        prop_assert_eq!(calls, 0);
    }
}

/// Whether a call came out as the shapes ask for.
fn check(fits: bool, is_empty: bool, result: Result<(), Error>) -> Result<(), TestCaseError> {
    match result {
        Ok(()) => prop_assert!(fits && !is_empty),
        Err(Error::Shape { .. }) => prop_assert!(!fits),
        Err(Error::Empty { .. }) => prop_assert!(is_empty),
        Err(error) => prop_assert!(false, "{}", error),
    }
    Ok(())
}

#[test]
fn shapes_that_no_memory_could_hold() {
    let too_large = Array::from_vec([usize::MAX, 2], vec![0.0f32]);
    assert!(matches!(too_large, Err(Error::ArrayLength { actual: 1, .. })));
    // Without elements, an array may have any other dimension.
    let x_seq = Array::<f32>::from_vec([0, 1 << 60], vec![]).unwrap();
    let mut node = MultiStepNode::<Leaky>::default();
    assert!(matches!(node.forward(&x_seq), Err(Error::Empty { what: "T", .. })));
    assert_eq!(node.v(), None);
    let x = Array::<f32>::from_vec([0, 1 << 60], vec![]).unwrap();
    assert!(matches!(Node::<Leaky>::default().forward(&x), Err(Error::Empty { what: "N", .. })));
}

/// Wherever the zero is, and for every kind of array that a node takes.
#[test]
fn products_that_overflow_are_refused_in_any_order() {
    let huge = 1 << 40;
    for shape in [[huge, huge, 0], [huge, 0, huge], [0, huge, huge], [huge, huge, 1]] {
        let error = Array::<f32>::from_vec(shape, vec![]).unwrap_err();
        assert!(matches!(error, Error::ArrayLength { actual: 0, .. }), "{error}");
    }
    // These fit, although no array of floats with that many elements would.
    for shape in [[huge, 0], [0, huge]] {
        let array = Array::<f32>::from_vec(shape, vec![]).unwrap();
        let mut node = MultiStepNode::<Adaptive>::default();
        assert!(matches!(node.forward(&array), Err(Error::Empty { .. })));
        assert!(matches!(node.set_state("w", array.clone()), Err(Error::Empty { what: "N", .. })));
        assert!(matches!(node.set_states(vec![array.clone(), array]), Err(Error::Empty { what: "N", .. })));
        assert!(node.states().is_none());
    }
}

/// Before anything is computed: the backward pass alone reads them.
#[test]
fn surrogates_are_checked_in_the_forward_pass() {
    for surrogate in [Surrogate::atan(0.0), Surrogate::atan(1e-60), Surrogate::sigmoid(f64::NAN)] {
        let x = Array::full([4, 3], 1.0f32);
        let mut node = MultiStepNode::<Leaky>::default().with_surrogate(surrogate);
        assert!(node.forward(&x).is_err() && node.v().is_none());
        assert!(node.forward_recorded(&[&x], &["v"]).is_err() && node.v().is_none());
        assert!(node.forward_packed(&[&x]).is_err() && node.v().is_none());
        let step = Step::new(Leaky::default(), surrogate);
        assert!(step.forward(&x, &x).is_err());
        // Without a backward pass it does not matter.
        node.eval();
        node.forward(&x).unwrap();
    }
}
