//! Training steps, and what makes arrays: calls of any shapes.

use neuron_runtime::evaluate::{Mode, evaluate};
use neuron_runtime::{
    Array, DeclaredNeuron, Error, Gradient, Keep, Layout, MultiStep, PackedSpikes, Source, Template, plan,
};
use proptest::prelude::*;

use crate::model::{Fault, agrees, shape_faults};
use crate::{Rich, bits, config, numbers};

/// A size, now and then one that no machine has.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        8 => 0..5usize,
        1 => 5..80usize,
        1 => prop::sample::select(vec![1 << 31, 1 << 44, 1 << 61, (1 << 62) + 64, usize::MAX]),
    ]
}

/// The shapes of some arrays, each as it has to be but for one or two.
#[derive(Clone, Debug)]
struct Shapes {
    inputs: Vec<Vec<usize>>,
    states: Vec<Vec<usize>>,
    parameters: Vec<Vec<usize>>,
    grad_spike: Vec<usize>,
    grad_states: Vec<Vec<usize>>,
}

fn shapes() -> impl Strategy<Value = Shapes> {
    let small = prop::collection::vec(0..4usize, 0..3);
    (1..20usize, prop::collection::vec(1..4usize, 0..3), small, 0..20usize).prop_map(
        |(steps, dims, other, place)| {
            let shape = [&[steps], dims.as_slice()].concat();
            let mut shapes = Shapes {
                inputs: vec![shape.clone(); 2],
                states: vec![dims.clone(); 2],
                parameters: vec![vec![], dims.clone(), dims.last().copied().into_iter().collect()],
                grad_spike: shape,
                grad_states: vec![dims; 2],
            };
            match place {
                0 | 1 => shapes.inputs[place] = other,
                2 => shapes.inputs.truncate(other.len()),
                3 | 4 => shapes.states[place - 3] = other,
                5 => shapes.states.truncate(other.len()),
                6..=8 => shapes.parameters[place - 6] = other,
                9 => shapes.parameters.truncate(other.len()),
                10 => shapes.grad_spike = other,
                11 | 12 => shapes.grad_states[place - 11] = other,
                13 => shapes.grad_states.truncate(other.len()),
                _ => {}
            }
            shapes
        },
    )
}

fn arrays<E: neuron_runtime::Element>(shapes: &[Vec<usize>], seed: u64) -> Vec<Array<E>> {
    shapes.iter().zip(seed..).map(|(shape, seed)| numbers(shape, seed)).collect()
}

fn refs<A>(arrays: &[A]) -> Vec<&A> {
    arrays.iter().collect()
}

/// What is wrong with a forward pass of given states.
fn forward_faults(shapes: &Shapes) -> Vec<Fault> {
    let Shapes { inputs, states, parameters, .. } = shapes;
    let (mut faults, _) = shape_faults::<Rich>(true, states.first().map(Vec::as_slice), inputs, parameters);
    if states.len() != 2 || parameters.len() != 3 {
        faults.push(Fault::Arity);
    }
    if states.iter().any(|state| *state != states[0]) {
        faults.push(Fault::Shape);
    }
    // Without values a parameter is out of range.
    if parameters.iter().any(|parameter| parameter.contains(&0)) {
        faults.push(Fault::Range);
    }
    faults
}

proptest! {
    #![proptest_config(config(2000))]

    /// Both ways to train give the same bits, as often as the backward pass is asked for, errors in between.
    #[test]
    fn steps(shapes in shapes(), seed in any::<u64>()) {
        let (inputs, states) = (arrays::<f64>(&shapes.inputs, seed), arrays::<f64>(&shapes.states, seed ^ 1));
        let near = |array: Array<f64>| {
            let values = array.as_slice().unwrap_or_default().iter().map(|value| 1.5 + 0.25 * value).collect();
            Array::from_vec(array.shape(), values).expect("as many")
        };
        let parameters: Vec<Array<f64>> = arrays(&shapes.parameters, seed ^ 2).into_iter().map(near).collect();
        let faults = forward_faults(&shapes);
        let mut results = Vec::new();
        for keep in [Keep::Factors, Keep::Checkpoints] {
            let mut operation = MultiStep::new(Rich::default(), Gradient::default());
            operation.keep = Some(keep);
            let forward = operation.forward_with(&refs(&inputs), &refs(&states), &refs(&parameters));
            agrees(&forward, &faults).map_err(TestCaseError::fail)?;
            let Ok((stepped, context)) = forward else { continue };
            let grad_spike = numbers::<f64>(&shapes.grad_spike, seed ^ 3);
            let grad_states = arrays::<f64>(&shapes.grad_states, seed ^ 4);
            let mut faults = Vec::new();
            if grad_states.len() != 2 {
                faults.push(Fault::Arity);
            }
            let is_off = |array: &Array<f64>| array.shape() != context.dims();
            if shapes.grad_spike != shapes.inputs[0] || grad_states.iter().any(is_off) {
                faults.push(Fault::Shape);
            }
            let backward = context.backward_all(&grad_spike, &refs(&grad_states));
            agrees(&backward, &faults).map_err(TestCaseError::fail)?;
            // As they should be, after whatever that was.
            let zero = Array::zeros(context.dims());
            let grads = context.backward_all(&stepped.spike, &[&zero, &zero]);
            let grads = grads.map_err(|error| TestCaseError::fail(error.to_string()))?;
            let all = [&grads.inputs, &grads.states, &grads.parameters, &stepped.states];
            results.push(all.map(|arrays| arrays.iter().map(bits).collect::<Vec<_>>()));
        }
        prop_assert!(results.len() != 2 || results[0] == results[1]);
    }

    /// An array has as many elements as its shape says, if that is a number.
    #[test]
    fn arrays_of_any_shape(shape in prop::collection::vec(size(), 0..4), len in 0..40usize) {
        let sizes = shape.iter().filter(|size| **size > 0).map(|size| *size as u128);
        let product = sizes.fold(1u128, |product, size| product.saturating_mul(size));
        let elements = if shape.contains(&0) { 0 } else { product };
        let is_valid = product <= usize::MAX as u128 && elements == len as u128;
        let array = Array::from_vec(shape.clone(), vec![1.0f32; len]);
        match array {
            Ok(array) => {
                prop_assert!(is_valid);
                let packed = PackedSpikes::pack::<f32>(Rich::SPEC, &array);
                prop_assert_eq!(packed.is_ok(), !shape.is_empty() && len > 0);
                if let Ok(packed) = packed {
                    prop_assert_eq!(packed.unpack::<f32>().map(|spikes| bits(&spikes)), Ok(bits(&array)));
                }
            }
            Err(error) => {
                prop_assert!(!is_valid);
                let is_typed = matches!(error, Error::ArrayLength { .. });
                prop_assert!(is_typed, "{}", error);
            }
        }
    }

    /// Sizes that nothing has are refused before memory is asked for.
    #[test]
    fn templates_of_any_size(
        template in prop::sample::select(&Template::ALL[..]),
        neurons in size(),
        len in 0..40usize,
        mode in prop::sample::select(vec![Mode::Spiking, Mode::Relaxed]),
    ) {
        let (values, one) = (vec![0.5f32; len], [1.5f32; 3]);
        let parameters = |i: usize| Source::Parameter(neuron_runtime::Parameter::shared(&one[i]));
        let signature = Rich::SPEC.signature(template);
        let mut at = 0;
        let inputs: Vec<Source<'_, f32>> = signature.inputs.iter().map(|buffer| match (buffer.extent, buffer.class) {
            (neuron_runtime::Extent::Parameter, _) => {
                at += 1;
                parameters(at - 1)
            }
            (neuron_runtime::Extent::Checkpoint, _) => Source::State(&[]),
            (_, neuron_runtime::Class::Signal) => Source::Signal(&values),
            _ => Source::State(&values),
        }).collect();
        let result = evaluate(&Rich::default(), mode, template, Gradient::default(), neurons, &inputs);
        let is_relaxed = matches!(template, Template::ForwardWithGrad | Template::FpttWithGrad);
        let is_valid = neurons == len && len > 0 && (mode == Mode::Spiking || is_relaxed);
        prop_assert_eq!(result.is_ok(), is_valid, "{:?}", result.err());
    }

    #[test]
    fn plans_of_any_size(steps in size(), neurons in size()) {
        let plan = plan::<f32>(Rich::SPEC, steps, neurons);
        // Two inputs and the spikes.
        let least = (steps as u128 * neurons as u128).saturating_mul(3 * 4);
        prop_assert!(plan.forward.total() as u128 >= least.min(usize::MAX as u128));
        prop_assert!(plan.kept <= plan.forward.written);
    }

    /// A layout that is broadcast is one that divides the neurons.
    #[test]
    fn layouts_of_any_shape(
        shape in prop::collection::vec(0..4usize, 0..4),
        dims in prop::collection::vec(1..4usize, 0..4),
    ) {
        let neurons = dims.iter().product();
        if let Some(layout) = Layout::broadcast(&shape, &dims) {
            prop_assert!(layout.divides(neurons));
            prop_assert_eq!(layout.count, shape.iter().product::<usize>());
        }
    }
}
