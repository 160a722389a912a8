//! The gradient of the relaxed neuron against differences of its outputs.

use super::point::{NEURONS, Point};
use super::report::{Failure, Tally};
use super::search::{Attempt, Quality, Search};
use super::slope::{REACH, Samples, Slope};
use crate::call::Mode;
use crate::evaluate::{Output, evaluate};
use crate::surrogate::{PAIRS, paired};
use crate::{Error, Gradient, Neuron, Parameter, Source, Surrogate, Template};

/// A gradient may differ from the difference by so much of itself, besides what the difference may be wrong by.
const TOLERANCE: f64 = 1e-6;

/// A difference says something if it is wrong by no more than so much of the gradient.
const INFORMATIVE: f64 = 1e-3;

/// It is not looked for a better one if it is wrong by no more than so much of the gradient.
const ENOUGH: f64 = 1e-9;

/// Where a variable changes the loss by less than this part of what another does, rounding of the states in between may
/// hide it and leave no trace.
const NEGLIGIBLE: f64 = 1e-12;

/// One setting of a neuron at one point.
pub struct Differences<N> {
    point: Point<N>,
    /// The point itself, while something of the other one is moved.
    unmoved: Point<N>,
    surrogate: Surrogate,
    /// What the relaxed neuron gives there: spikes and final states, then the factors of its gradient.
    outputs: Vec<Vec<f64>>,
}

impl<N: Neuron + Clone> Differences<N> {
    pub fn new(point: Point<N>, surrogate: Surrogate) -> Result<Self, Error> {
        let mut differences = Self { unmoved: point.clone(), point, surrogate, outputs: Vec::new() };
        differences.outputs = differences.forward()?;
        Ok(differences)
    }

    /// Compares every derivative, and adds to the tally of each output of `bptt`.
    pub fn run(mut self, tallies: &mut [Tally]) -> Result<(), Failure> {
        let grads = self.analytic()?;
        let mut rows = Vec::new();
        let changes =
            grads.iter().enumerate().map(|(index, grad)| typical(grad) * self.point.width(index, 0));
        let largest = changes.fold(0.0, f64::max);
        for (index, grad) in grads.iter().enumerate() {
            let negligible = NEGLIGIBLE * largest / self.point.width(index, 0);
            let scale = Scale { typical: typical(grad), negligible };
            for (step, grad) in grad.chunks(NEURONS).enumerate() {
                let searches = self.search([index, step], grad, scale)?;
                rows.push(Row { place: [index, step], grad, scale, searches });
            }
        }
        let noise = noise(&rows);
        rows.iter().try_for_each(|row| self.judge(row, &noise, &mut tallies[row.place[0]]))
    }

    /// Looks for the derivatives by variable number `index` at `step` of all neurons.
    fn search(&mut self, place: [usize; 2], grad: &[f64], scale: Scale) -> Result<Vec<Search>, Error> {
        let width = |neuron| self.point.width(place[0], neuron);
        let mut searches: Vec<Search> = (0..NEURONS).map(|neuron| Search::new(width(neuron))).collect();
        while !searches.iter().all(Search::is_over) {
            let spacings: Vec<f64> = searches.iter().map(|search| search.spacing).collect();
            let attempts = self.attempts(place, &spacings)?;
            for ((search, attempt), &analytic) in searches.iter_mut().zip(attempts).zip(grad) {
                let quality = |slope: &Slope| match slope.uncertainty {
                    // Rounding inside the neuron may hide all of a difference, without a trace.
                    _ if slope.is_flat() && scale.is_off(slope, analytic) => Quality::Flat,
                    uncertainty if uncertainty <= ENOUGH * slope.value.abs().max(scale.typical) => {
                        Quality::Enough
                    }
                    _ => Quality::Usable,
                };
                search.found(attempt, quality);
            }
        }
        Ok(searches)
    }

    /// Compares what was found with what `bptt` says.
    fn judge(&mut self, row: &Row<'_>, noise: &[f64], tally: &mut Tally) -> Result<(), Failure> {
        let &Row { place, grad, scale, ref searches } = row;
        let mut again = None;
        for (neuron, (search, &analytic)) in searches.iter().zip(grad).enumerate() {
            let Some(slope) = search.best().map(|slope| slope.noisy(noise[neuron])) else {
                search.count(&mut tally.reasons);
                continue;
            };
            let size = analytic.abs().max(slope.value.abs()).max(scale.typical);
            if scale.is_off(&slope, analytic) {
                // A derivative is wrong only if other spacings say the same: near a kink they do not, nor where
                // rounding happens to be in step with the samples, so that it looks like a slope.
                if again.is_none() {
                    let [near, far] = OTHERS.map(|factor| self.attempts(place, &others(searches, factor)));
                    again = Some([near?, far?]);
                }
                let confirms = |attempt: &Attempt| match attempt {
                    Attempt::Slope(other) if other.is_resolved && !other.may_oscillate => {
                        let other = other.noisy(noise[neuron]);
                        let apart = (slope.value - other.value).abs();
                        apart <= slope.uncertainty + other.uncertainty && scale.is_off(&other, analytic)
                    }
                    _ => false,
                };
                let confirmed = again.iter().flatten().all(|attempts| confirms(&attempts[neuron]));
                if confirmed {
                    return Err(self.failure(place, analytic, &slope));
                }
                search.count(&mut tally.reasons);
            } else if slope.uncertainty <= INFORMATIVE * size {
                tally.checked += 1;
                // Where both are 0 so is `size`.
                let error = (analytic - slope.value).abs() / size.max(f64::MIN_POSITIVE);
                tally.largest_error = tally.largest_error.max(error);
            } else {
                search.count(&mut tally.reasons);
            }
        }
        Ok(())
    }

    fn failure(&self, [index, step]: [usize; 2], analytic: f64, slope: &Slope) -> Failure {
        Failure::Gradient {
            neuron: self.point.neuron.spec().name,
            reset: self.point.neuron.reset(),
            surrogate: self.surrogate,
            gradient: self.point.neuron.spec().signature(Template::Bptt).outputs[index].name,
            step,
            analytic,
            numeric: slope.value,
            uncertainty: slope.uncertainty,
        }
    }

    /// The slope of each neuron's loss with respect to variable number `index` at `step`, over the given spacings.
    /// Neurons do not depend on each other, so all are moved at once.
    fn attempts(&mut self, [index, step]: [usize; 2], spacings: &[f64]) -> Result<Vec<Attempt>, Error> {
        let in_range: Vec<bool> = spacings
            .iter()
            .enumerate()
            .map(|(neuron, spacing)| {
                // A range may have gaps: all values count, not only the outermost.
                let distances = (1..=REACH).map(|i| i as f64 * spacing);
                distances.flat_map(|by| [by, -by]).all(|by| self.point.may_move(index, neuron, by))
            })
            .collect();
        let at = step * NEURONS;
        let Some(variable) = self.point.variable(index) else { return Ok(Vec::new()) };
        let before = variable[at..at + NEURONS].to_vec();
        let mut samples = [Samples::default(); NEURONS];
        for i in 0..REACH {
            for (side, sign) in [-1.0, 1.0].into_iter().enumerate() {
                let by = sign * (i + 1) as f64;
                if let Some(variable) = self.point.variable(index) {
                    for (n, value) in variable[at..at + NEURONS].iter_mut().enumerate() {
                        *value = if in_range[n] { before[n] + by * spacings[n] } else { before[n] };
                    }
                }
                let outputs = self.forward();
                if let Some(variable) = self.point.variable(index) {
                    variable[at..at + NEURONS].copy_from_slice(&before);
                }
                for (samples, (loss, magnitude)) in samples.iter_mut().zip(self.loss(&outputs?, at)) {
                    samples.moved[i][side] = loss;
                    samples.magnitude = samples.magnitude.max(magnitude);
                }
            }
        }
        let width = |n: usize| self.point.width(index, n);
        let attempt = |n: usize| match Slope::new(&samples[n], spacings[n], before[n], width(n)) {
            _ if !in_range[n] => Attempt::OutOfRange,
            // Of an output that is infinite there is no gradient, whatever differences of the others are.
            _ if !self.is_finite(n) => Attempt::Overflow,
            Some(slope) => Attempt::Slope(slope),
            None => Attempt::Overflow,
        };
        Ok((0..NEURONS).map(attempt).collect())
    }

    /// By how much each neuron's loss differs from that at the point itself, and the sum of the magnitudes of what it
    /// is made of from the moved row on: an output that does not change may have been rounded to what it was. The loss
    /// is the spikes and final states, weighted. Their differences are added up, not the loss itself subtracted, which
    /// would be rounded.
    fn loss(&self, outputs: &[Vec<f64>], from: usize) -> [(f64, f64); NEURONS] {
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

    /// Whether the spikes and final states of a neuron are finite.
    fn is_finite(&self, neuron: usize) -> bool {
        let outputs = self.outputs.iter().take(self.point.weights.len());
        outputs.flat_map(|array| array.iter().skip(neuron).step_by(NEURONS)).all(|value| value.is_finite())
    }

    /// What the relaxed neuron gives, with what it detaches as it is where nothing is moved.
    fn forward(&self) -> Result<Vec<Vec<f64>>, Error> {
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
    fn analytic(&self) -> Result<Vec<Vec<f64>>, Error> {
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

/// The derivatives by one variable at one step, of all neurons.
struct Row<'g> {
    /// The number of the variable, and the step.
    place: [usize; 2],
    /// What `bptt` says.
    grad: &'g [f64],
    scale: Scale,
    searches: Vec<Search>,
}

/// What the size of a gradient is to be held against.
#[derive(Clone, Copy)]
struct Scale {
    /// What others of the same array are.
    typical: f64,
    /// What differences may not show at all.
    negligible: f64,
}

impl Scale {
    /// Whether a gradient is further from the slope than that may be wrong.
    fn is_off(self, slope: &Slope, analytic: f64) -> bool {
        let size = analytic.abs().max(slope.value.abs());
        let is_close =
            (analytic - slope.value).abs() <= TOLERANCE * size + slope.uncertainty + self.negligible;
        !is_close
    }
}

/// How noisy each neuron's loss is, whatever is moved: as noisy as it was seen to be.
fn noise(rows: &[Row<'_>]) -> Vec<f64> {
    let of = |neuron: usize| rows.iter().filter_map(|row| row.searches[neuron].noise()).fold(0.0, f64::max);
    (0..NEURONS).map(of).collect()
}

/// Spacings of the confirmation of a wrong derivative, in those at which slopes were known best: smaller, and by no simple
/// ratio, but exact.
const OTHERS: [f64; 2] = [2843.0 / 4096.0, 1789.0 / 4096.0];

/// Spacings smaller by that factor than those at which slopes were known best.
fn others(searches: &[Search], factor: f64) -> Vec<f64> {
    let other = |search: &Search| search.best().map_or(search.spacing, |slope| factor * slope.spacing);
    searches.iter().map(other).collect()
}

/// The root mean square of what is finite.
fn typical(grad: &[f64]) -> f64 {
    let finite = || grad.iter().map(|value| value.abs()).filter(|value| value.is_finite());
    // Of fractions of the largest, whose squares neither overflow nor vanish together.
    let largest = finite().fold(0.0, f64::max);
    if largest == 0.0 {
        return 0.0;
    }
    let squares: f64 = finite().map(|value| (value / largest).powi(2)).sum();
    largest * (squares / finite().count() as f64).sqrt()
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
