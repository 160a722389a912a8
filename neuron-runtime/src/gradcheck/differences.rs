//! The gradient of the relaxed neuron against differences of its outputs.

use super::point::{NEURONS, Point};
use super::relaxed::Relaxed;
use super::report::{Failure, Tally};
use super::rounding;
use super::search::{Attempt, Quality, Search, spacings};
use super::slope::{REACH, Samples, Slope};
use crate::{Error, Neuron, Surrogate, Template};

/// A gradient may differ from the difference by so much of itself, besides what the difference may be wrong by.
const TOLERANCE: f64 = 1e-6;

/// A difference says something if it is wrong by no more than so much of the gradient.
const INFORMATIVE: f64 = 1e-3;

/// It is not looked for a better one if it is wrong by no more than so much of the gradient.
const ENOUGH: f64 = 1e-9;

/// Where a variable changes the loss by less than this part of what another does, or of a spike, rounding of the states in
/// between may hide it and leave no trace.
const NEGLIGIBLE: f64 = 1e-12;

/// One setting of a neuron at one point.
pub struct Differences<N> {
    model: Relaxed<N>,
    /// By how much rounding of its states changes the loss of each neuron.
    rounding: [f64; NEURONS],
}

impl<N: Neuron + Clone> Differences<N> {
    pub fn new(point: Point<N>, surrogate: Surrogate) -> Result<Self, Error> {
        let rounding = rounding::of_states(&point, surrogate)?;
        Ok(Self { model: Relaxed::new(point, surrogate)?, rounding })
    }

    /// Compares every derivative, and adds to the tally of each output of `bptt`.
    pub fn run(mut self, tallies: &mut [Tally]) -> Result<(), Failure> {
        let grads = self.model.gradients()?;
        let mut rows = Vec::new();
        let changes =
            grads.iter().enumerate().map(|(index, grad)| typical(grad) * self.model.point.width(index, 0));
        // A change of 1 is that of a spike, or of a potential by as much as from reset to threshold.
        let largest = changes.fold(1.0, f64::max);
        for (index, grad) in grads.iter().enumerate() {
            let negligible = NEGLIGIBLE * largest / self.model.point.width(index, 0);
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
        let width = |neuron| self.model.point.width(place[0], neuron);
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
                let error = (analytic - slope.value).abs();
                if confirmed && !self.is_contradicted(place, neuron, &slope, error, noise[neuron])? {
                    return Err(self.failure(place, analytic, &slope));
                }
                search.count(&mut tally.reasons);
            } else if slope.uncertainty + scale.negligible <= INFORMATIVE * size {
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

    /// Whether differences over any other spacing say that the slope may be another one, by `error`.
    fn is_contradicted(
        &mut self,
        [index, step]: [usize; 2],
        neuron: usize,
        slope: &Slope,
        error: f64,
        noise: f64,
    ) -> Result<bool, Error> {
        let width = self.model.point.width(index, neuron);
        for spacing in spacings(slope.spacing, width) {
            let attempt = self.attempts([index, step], &[spacing; NEURONS])?[neuron];
            if let Attempt::Slope(other) = attempt
                && (other.noisy(noise).contradicts(slope) || other.hidden_in(slope) >= error)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn failure(&self, [index, step]: [usize; 2], analytic: f64, slope: &Slope) -> Failure {
        Failure::Gradient {
            neuron: self.model.point.neuron.spec().name,
            reset: self.model.point.neuron.reset(),
            surrogate: self.model.surrogate,
            gradient: self.model.point.neuron.spec().signature(Template::Bptt).outputs[index].name,
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
                distances.flat_map(|by| [by, -by]).all(|by| self.model.point.may_move(index, neuron, by))
            })
            .collect();
        let at = step * NEURONS;
        let Some(variable) = self.model.point.variable(index) else { return Ok(Vec::new()) };
        let before = variable[at..at + NEURONS].to_vec();
        let mut samples = self.rounding.map(|rounding| Samples { rounding, ..Samples::default() });
        for i in 0..REACH {
            for (side, sign) in [-1.0, 1.0].into_iter().enumerate() {
                let by = sign * (i + 1) as f64;
                if let Some(variable) = self.model.point.variable(index) {
                    for (n, value) in variable[at..at + NEURONS].iter_mut().enumerate() {
                        *value = if in_range[n] { before[n] + by * spacings[n] } else { before[n] };
                    }
                }
                let outputs = self.model.forward();
                if let Some(variable) = self.model.point.variable(index) {
                    variable[at..at + NEURONS].copy_from_slice(&before);
                }
                for (samples, (loss, magnitude)) in samples.iter_mut().zip(self.model.losses(&outputs?, at)) {
                    samples.moved[i][side] = loss;
                    samples.magnitude = samples.magnitude.max(magnitude);
                }
            }
        }
        let width = |n: usize| self.model.point.width(index, n);
        let attempt = |n: usize| match Slope::new(&samples[n], spacings[n], before[n], width(n)) {
            _ if !in_range[n] => Attempt::OutOfRange,
            _ if self.model.overflows(n) => Attempt::Overflow,
            Some(slope) => Attempt::Slope(slope),
            None => Attempt::Overflow,
        };
        Ok((0..NEURONS).map(attempt).collect())
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
        !(is_close && analytic.is_finite())
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
