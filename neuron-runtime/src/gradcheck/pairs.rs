//! Training with stored factors against training that computes the steps again: the same bits.

use super::point::{NEURONS, Point};
use super::report::Failure;
use crate::{Array, Error, Gradient, Keep, MultiStep, Neuron, Surrogate, Template};

/// Runs both pairs as the neuron was declared, spikes being 0 or 1, with `detach_reset` and without, and counts the
/// numbers that they both gave.
pub fn compare<N: Neuron + Clone>(point: &Point<N>, surrogate: Surrogate) -> Result<usize, Failure> {
    let mut compared = 0;
    for detach_reset in [false, true] {
        let gradient = Gradient { surrogate, detach_reset };
        let factors = train(point, gradient, Keep::Factors)?;
        let checkpoints = train(point, gradient, Keep::Checkpoints)?;
        if let Some((array, index, [factors, checkpoints])) = first_difference(&factors, &checkpoints) {
            let (neuron, reset) = (point.neuron.spec().name, point.neuron.reset());
            return Err(Failure::Pairs {
                neuron,
                reset,
                surrogate,
                detach_reset,
                array,
                index,
                factors,
                checkpoints,
            });
        }
        compared += factors.iter().map(|(_, values)| values.len()).sum::<usize>();
    }
    Ok(compared)
}

/// An array that a pass gave.
type Named = (&'static str, Vec<f64>);

/// What a forward and a backward pass give: spikes, final states, all gradients.
fn train<N: Neuron + Clone>(point: &Point<N>, gradient: Gradient, keep: Keep) -> Result<Vec<Named>, Error> {
    let mut operation = MultiStep::new(point.neuron.clone(), gradient);
    operation.keep = Some(keep);
    let rows = |arrays: &[Vec<f64>]| arrays.iter().map(|array| signal(array)).collect::<Result<Vec<_>, _>>();
    let columns =
        |arrays: &[Vec<f64>]| arrays.iter().map(|array| state(array)).collect::<Result<Vec<_>, _>>();
    let (inputs, states) = (rows(&point.inputs)?, columns(&point.states)?);
    let (parameters, weights) = (columns(&point.parameters)?, columns(&point.weights[1..])?);
    let (stepped, context) = operation.forward_with(&refs(&inputs), &refs(&states), &refs(&parameters))?;
    let grads = context.backward_all(&signal(&point.weights[0])?, &refs(&weights))?;
    let [forward, backward] =
        [Template::Fptt, Template::Bptt].map(|template| point.neuron.spec().signature(template).outputs);
    let names = forward.iter().chain(backward).map(|buffer| buffer.name);
    let arrays = std::iter::once(stepped.spike).chain(stepped.states);
    let arrays = arrays.chain(grads.inputs).chain(grads.states).chain(grads.parameters);
    names.zip(arrays).map(|(name, array)| Ok((name, array.into_vec()?))).collect()
}

/// `[T, N]`
fn signal(values: &[f64]) -> Result<Array<f64>, Error> {
    Array::from_vec([values.len() / NEURONS, NEURONS], values.to_vec())
}

/// `[N]`
fn state(values: &[f64]) -> Result<Array<f64>, Error> {
    Array::from_vec([values.len()], values.to_vec())
}

fn refs(arrays: &[Array<f64>]) -> Vec<&Array<f64>> {
    arrays.iter().collect()
}

/// The first place at which two passes do not give the same bits, with what they gave; one NaN is like another.
fn first_difference(expected: &[Named], actual: &[Named]) -> Option<(&'static str, usize, [f64; 2])> {
    expected.iter().zip(actual).find_map(|((name, expected), (_, actual))| {
        let mut pairs = expected.iter().zip(actual).enumerate();
        let differs = |a: f64, b: f64| a.to_bits() != b.to_bits() && !(a.is_nan() && b.is_nan());
        pairs.find(|(_, (a, b))| differs(**a, **b)).map(|(index, (&a, &b))| (*name, index, [a, b]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_counts() {
        let given = vec![("spike_seq", vec![0.0, 1.0]), ("grad_v", vec![0.25, f64::NAN, f64::INFINITY])];
        let with = |array: usize, index: usize, value: f64| {
            let mut other = given.clone();
            other[array].1[index] = value;
            first_difference(&given, &other)
        };
        assert_eq!(first_difference(&given, &given), None);
        assert_eq!(with(1, 1, -f64::NAN), None);
        assert_eq!(with(0, 0, -0.0), Some(("spike_seq", 0, [0.0, -0.0])));
        assert_eq!(with(0, 1, f64::NAN).map(|(name, index, _)| (name, index)), Some(("spike_seq", 1)));
        assert_eq!(with(1, 0, 0.25f64.next_up()), Some(("grad_v", 0, [0.25, 0.25f64.next_up()])));
        assert_eq!(with(1, 1, 1.0).map(|(name, index, _)| (name, index)), Some(("grad_v", 1)));
    }
}
