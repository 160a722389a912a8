//! The relaxed neuron at a point: what it gives, where one variable may be moved, and the gradient that `bptt` gives.

use super::point::{NEURONS, Point};
use crate::call::Mode;
use crate::evaluate::{Output, evaluate};
use crate::surrogate::{PAIRS, paired};
use crate::{Error, Gradient, Neuron, Parameter, Source, Surrogate, Template};

/// The square of anything larger overflows.
const LARGEST: f64 = 1e154;

/// Factors below this have lost digits to underflow, or were kept from it: surrogates bound their arguments.
const SMALLEST: f64 = 1e-290;

/// The relaxed neuron at one point.
pub struct Relaxed<N> {
    /// Something of it may be moved.
    pub point: Point<N>,
    /// The point itself.
    unmoved: Point<N>,
    pub surrogate: Surrogate,
    /// What the neuron gives where nothing is moved: spikes and final states, then the factors of its gradient.
    outputs: Vec<Vec<f64>>,
}

impl<N: Neuron + Clone> Relaxed<N> {
    pub fn new(point: Point<N>, surrogate: Surrogate) -> Result<Self, Error> {
        let mut relaxed = Self { unmoved: point.clone(), point, surrogate, outputs: Vec::new() };
        relaxed.outputs = relaxed.forward()?;
        Ok(relaxed)
    }

    /// The states after the last step where nothing is moved.
    pub fn final_states(&self) -> &[Vec<f64>] {
        &self.outputs[1..self.point.weights.len()]
    }

    /// By how much each neuron's loss differs from that at the point itself, and the sum of the magnitudes of what it
    /// is made of from the moved row on: an output that does not change may have been rounded to what it was. The loss
    /// is the spikes and final states, weighted. Their differences are added up, not the loss itself subtracted, which
    /// would be rounded.
    pub fn losses(&self, outputs: &[Vec<f64>], from: usize) -> [(f64, f64); NEURONS] {
        let mut losses = [(0.0, 0.0); NEURONS];
        for ((array, before), weights) in outputs.iter().zip(&self.outputs).zip(&self.point.weights) {
            // Final states are one row, which depends on all.
            let from = if array.len() > NEURONS { from } else { 0 };
            let values = array.iter().zip(before).zip(weights).enumerate().skip(from);
            for (i, ((after, before), weight)) in values {
                let (loss, magnitude) = &mut losses[i % NEURONS];
                // An infinity that stays one is no difference.
                if after != before {
                    *loss += weight * (after - before);
                }
                if before.is_finite() {
                    *magnitude += weight.abs() * before.abs();
                }
            }
        }
        losses
    }

    /// Whether the gradient of a neuron overflows or underflows on the way, although its outputs may not: `bptt` multiplies
    /// outputs and factors with each other.
    pub fn overflows(&self, neuron: usize) -> bool {
        let (outputs, factors) = self.outputs.split_at(self.point.weights.len());
        let of = |arrays: &'_ [Vec<f64>], is_lost: fn(f64) -> bool| {
            arrays
                .iter()
                .flat_map(|array| array.iter().skip(neuron).step_by(NEURONS))
                .any(|&value| is_lost(value))
        };
        // A factor that is not finite beside such outputs is a mistake in the declaration, which is reported.
        of(outputs, |value| !value.is_finite() || value.abs() > LARGEST)
            || of(factors, |value| value.is_finite() && value.abs() > LARGEST)
            || of(factors, |value| value != 0.0 && value.abs() < SMALLEST)
    }

    /// What the relaxed neuron gives, with what it detaches as it is where nothing is moved.
    pub fn forward(&self) -> Result<Vec<Vec<f64>>, Error> {
        let (point, unmoved) = (&self.point, &self.unmoved);
        let both = |moved: &[Vec<f64>], unmoved: &[Vec<f64>]| -> Vec<Vec<f64>> {
            unmoved.iter().zip(moved).map(|(unmoved, moved)| side_by_side(unmoved, moved)).collect()
        };
        let inputs = both(&point.inputs, &unmoved.inputs);
        let states = both(&point.states, &unmoved.states);
        let parameters = both(&point.parameters, &unmoved.parameters);
        let sources: Vec<Source<'_, f64>> = (inputs.iter().map(|array| Source::Signal(array.as_slice())))
            .chain(states.iter().map(|array| Source::State(array.as_slice())))
            .chain(parameters.iter().map(|values| Source::Parameter(Parameter::per_neuron(values))))
            .collect();
        let (neuron, gradient) = (&point.neuron, Gradient::from(self.surrogate));
        let run = || evaluate(neuron, Mode::Relaxed, Template::FpttWithGrad, gradient, 2 * PAIRS, &sources);
        let outputs = paired(run)?.into_arrays().filter_map(|(_, output)| numbers(output));
        Ok(outputs.map(|array| moved(&array)).collect())
    }

    fn parameters(&self) -> impl Iterator<Item = Source<'_, f64>> {
        self.point.parameters.iter().map(|values| Source::Parameter(Parameter::per_neuron(values)))
    }

    /// The gradients that `bptt` gives for the relaxed neuron.
    pub fn gradients(&self) -> Result<Vec<Vec<f64>>, Error> {
        let weights = &self.point.weights;
        let factors = &self.outputs[weights.len()..];
        let states = weights[1..].iter().chain(factors);
        let sources: Vec<Source<'_, f64>> = std::iter::once(Source::Signal(weights[0].as_slice()))
            .chain(states.map(|array| Source::State(array.as_slice())))
            .chain(self.parameters())
            .collect();
        let neuron = &self.point.neuron;
        let outputs =
            evaluate(neuron, Mode::Spiking, Template::Bptt, Gradient::default(), NEURONS, &sources)?;
        Ok(outputs.into_arrays().filter_map(|(_, output)| numbers(output)).collect())
    }
}

/// Rows of a tile, the first half from one array, the second from another. A neuron that there is not is as the first.
fn side_by_side(unmoved: &[f64], moved: &[f64]) -> Vec<f64> {
    let padded = |row: &[f64]| {
        let rest = std::iter::repeat_n(row[0], PAIRS - NEURONS);
        row.iter().copied().chain(rest).collect::<Vec<_>>()
    };
    let rows = unmoved.chunks(NEURONS).zip(moved.chunks(NEURONS));
    rows.flat_map(|(unmoved, moved)| [padded(unmoved), padded(moved)].concat()).collect()
}

/// The second of the two arrays that the rows of a tile are of.
fn moved(rows: &[f64]) -> Vec<f64> {
    rows.chunks(2 * PAIRS).flat_map(|row| &row[PAIRS..PAIRS + NEURONS]).copied().collect()
}

/// The numbers of an array in float64.
fn numbers(output: Output<f64>) -> Option<Vec<f64>> {
    match output {
        Output::Signal(array) | Output::State(array) | Output::Parameter(array) => Some(array),
        Output::Bits(_) => None,
    }
}
