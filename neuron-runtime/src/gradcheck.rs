//! Checks a neuron's gradient against finite differences.
//!
//! A spiking neuron is not differentiable, but its surrogate gradient is the exact gradient of the *relaxed*
//! neuron, in which the surrogate's primitive takes the place of the Heaviside step. So the gradient of the
//! relaxed neuron, by the same factors and the same `bptt` kernel, is compared with central differences of
//! its outputs, in float64. One line in a test suite does it:
//!
//! ```
//! # use neuron_runtime::neuron;
//! # neuron! { pub struct Leaky { param tau = 2.0 where tau > 1.0; charge = v + (x - v) / tau; reset hard | soft; } }
//! neuron_runtime::gradcheck(&Leaky::default())?;
//! # Ok::<(), neuron_runtime::gradcheck::Failure>(())
//! ```

use thiserror::Error;

use crate::evaluate::{Mode, Outputs, evaluate};
use crate::{Error, Gradient, Neuron, ParamKind, Parameter, Reset, Source, Surrogate, Template, Value};

/// Steps and neurons of the sequences that are checked.
const STEPS: usize = 6;
const NEURONS: usize = 24;

/// A gradient may differ from the finite difference by this much, relative to the larger of it and 1.
const TOLERANCE: f64 = 1e-6;

/// How far inputs and states are moved: little on the scale of the surrogates, which is that of 1.
const DISTANCE: f64 = 1e-4;

/// What was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Report {
    /// Partial derivatives compared.
    pub checked: usize,
    /// Partial derivatives not compared, since the neuron's own equations have a kink there or overflow.
    pub skipped: usize,
    /// The largest difference, relative to the larger of the derivative and 1.
    pub largest_error: f64,
}

/// Why a neuron did not pass.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum Failure {
    /// The neuron could not be run.
    #[error(transparent)]
    Run(#[from] Error),

    /// A derivative is not what finite differences say.
    #[error(
        "{neuron}, {reset} reset, {surrogate}: {gradient} at step {step} is {analytic}, \
         finite differences give {numeric}"
    )]
    Gradient {
        /// The neuron.
        neuron: &'static str,
        /// The reset mode.
        reset: Reset,
        /// The surrogate.
        surrogate: Surrogate,
        /// The output of `bptt`.
        gradient: &'static str,
        /// The step, 0 for states.
        step: usize,
        /// What `bptt` says.
        analytic: f64,
        /// What finite differences say.
        numeric: f64,
    },

    /// Too few points at which the neuron's equations are smooth and finite.
    #[error("{neuron}: only {checked} of {total} derivatives could be compared")]
    TooFew {
        /// The neuron.
        neuron: &'static str,
        /// How many could.
        checked: usize,
        /// Of how many.
        total: usize,
    },
}

/// Checks the gradient of `neuron` under each of its resets, with every setting of its flags, for ATan and
/// Sigmoid, with respect to every input at every step, to every initial state and to every learnable parameter.
///
/// # Errors
/// [`Failure`]
pub fn gradcheck<N: Neuron>(neuron: &N) -> Result<Report, Failure> {
    let mut report = Report::default();
    let flags = N::SPEC.flags;
    for &reset in N::SPEC.resets {
        for setting in 0..1usize << flags.len().min(6) {
            for surrogate in [Surrogate::atan(2.0), Surrogate::sigmoid(4.0)] {
                let mut neuron = neuron.clone();
                neuron.set_reset(reset);
                for (i, flag) in flags.iter().take(6).enumerate() {
                    neuron.set(flag.name, Value::Flag(setting >> i & 1 == 1))?;
                }
                Check::new(neuron, surrogate, setting as u64)?.run(&mut report)?;
            }
        }
    }
    let total = report.checked + report.skipped;
    if report.checked * 2 < total {
        return Err(Failure::TooFew { neuron: N::SPEC.name, checked: report.checked, total });
    }
    Ok(report)
}

/// One setting of a neuron, with inputs to check it at.
struct Check<N> {
    neuron: N,
    surrogate: Surrogate,
    inputs: Vec<Vec<f64>>,
    states: Vec<Vec<f64>>,
    /// The parameters that may differ between neurons: here they do.
    parameters: Vec<Vec<f64>>,
    /// Weights of the spikes and of the final states in the loss.
    weights: Vec<Vec<f64>>,
}

impl<N: Neuron> Check<N> {
    fn new(neuron: N, surrogate: Surrogate, seed: u64) -> Result<Self, Error> {
        neuron.validate()?;
        let real = |name| match neuron.get(name) {
            Some(Value::Real(value)) => value,
            _ => 1.0,
        };
        // The distance over which the neuron does something.
        let scale = match (real("v_threshold") - real("v_reset")).abs() {
            0.0 => 1.0,
            scale => scale,
        };
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1));
        let mut draw = |count: usize, from: f64, to: f64| -> Vec<f64> {
            (0..count).map(|_| from + (to - from) * random.next()).collect()
        };
        let inputs =
            N::SPEC.inputs.iter().map(|_| draw(STEPS * NEURONS, -0.5 * scale, 1.5 * scale)).collect();
        let initial = neuron.initial_state();
        let states = initial.iter().map(|&s| draw(NEURONS, s - 0.3 * scale, s + 0.7 * scale)).collect();
        let own: Vec<f64> = N::SPEC.arrays().map(|param| real(param.name)).collect();
        let mut drawn = vec![Vec::new(); own.len()];
        for _ in 0..NEURONS {
            let near: Vec<f64> = own.iter().map(|&value| value + 0.1 * draw(1, -1.0, 1.0)[0]).collect();
            // Also in range where they are moved to for a difference.
            let in_range = |by: f64| {
                let moved: Vec<f64> = near.iter().map(|value| value + by).collect();
                neuron.validate_at(&moved).is_ok()
            };
            let values = if in_range(DISTANCE) && in_range(-DISTANCE) { &near } else { &own };
            drawn.iter_mut().zip(values).for_each(|(array, &value)| array.push(value));
        }
        let parameters = drawn;
        let mut weights = vec![draw(STEPS * NEURONS, -1.0, 1.0)];
        weights.extend(initial.iter().map(|_| draw(NEURONS, -1.0 / scale, 1.0 / scale)));
        Ok(Self { neuron, surrogate, inputs, states, parameters, weights })
    }

    fn run(mut self, report: &mut Report) -> Result<(), Failure> {
        let spec = N::SPEC;
        let signature = spec.signature(Template::Bptt);
        let mut grads = self.analytic()?;
        for (index, buffer) in signature.outputs.iter().enumerate() {
            let grad = grads.take_signal(buffer.name).or_else(|| grads.take_state(buffer.name));
            let grad = grad.expect("the signature names what bptt returns");
            for step in 0..grad.len() / NEURONS {
                let at = step * NEURONS..(step + 1) * NEURONS;
                let coarse = self.numeric(index, step, DISTANCE)?;
                let fine = self.numeric(index, step, DISTANCE / 2.0)?;
                for (neuron, &analytic) in grad[at].iter().enumerate() {
                    // Richardson's extrapolation; both differences agree where the neuron is smooth.
                    let numeric = (4.0 * fine[neuron] - coarse[neuron]) / 3.0;
                    let size = analytic.abs().max(numeric.abs()).max(1.0);
                    let is_smooth = (fine[neuron] - coarse[neuron]).abs() <= 1e-4 * size;
                    if !is_smooth && !(analytic - numeric).abs().le(&(TOLERANCE * size))
                        || !numeric.is_finite()
                    {
                        report.skipped += 1;
                        continue;
                    }
                    let error = (analytic - numeric).abs() / size;
                    if error.is_nan() || error > TOLERANCE {
                        return Err(Failure::Gradient {
                            neuron: spec.name,
                            reset: self.neuron.reset(),
                            surrogate: self.surrogate,
                            gradient: buffer.name,
                            step,
                            analytic,
                            numeric,
                        });
                    }
                    report.checked += 1;
                    report.largest_error = report.largest_error.max(error);
                }
            }
        }
        Ok(())
    }

    fn forward(&self) -> Result<Outputs<f64>, Error> {
        let inputs = self.inputs.iter().map(|array| Source::Signal(array.as_slice()));
        let states = self.states.iter().map(|array| Source::State(array.as_slice()));
        let sources: Vec<Source<'_, f64>> = inputs.chain(states).chain(self.parameters()).collect();
        let gradient = Gradient::from(self.surrogate);
        evaluate(&self.neuron, Mode::Relaxed, Template::FpttWithGrad, gradient, NEURONS, &sources)
    }

    fn parameters(&self) -> impl Iterator<Item = Source<'_, f64>> {
        self.parameters.iter().map(|values| Source::Parameter(Parameter::per_neuron(values)))
    }

    /// The gradients that `bptt` gives for the relaxed neuron.
    fn analytic(&self) -> Result<Outputs<f64>, Error> {
        let mut forward = self.forward()?;
        let factors: Vec<Vec<f64>> =
            N::SPEC.factors.iter().filter_map(|name| forward.take_state(name)).collect();
        let states = self.weights[1..].iter().chain(&factors);
        let sources: Vec<Source<'_, f64>> = std::iter::once(Source::Signal(self.weights[0].as_slice()))
            .chain(states.map(|array| Source::State(array.as_slice())))
            .chain(self.parameters())
            .collect();
        evaluate(&self.neuron, Mode::Spiking, Template::Bptt, Gradient::default(), NEURONS, &sources)
    }

    /// What output number `index` of `bptt` is the gradient of.
    fn variable(&mut self, index: usize) -> &mut [f64] {
        let spec = N::SPEC;
        let params = spec.arrays().zip(&mut self.parameters);
        let learnables = params.filter(|(param, _)| param.kind == ParamKind::Learnable);
        let variables =
            self.inputs.iter_mut().chain(&mut self.states).chain(learnables.map(|(_, values)| values));
        variables.into_iter().nth(index).expect("the signature names inputs, states and learnable parameters")
    }

    /// The central difference of each neuron's loss, with respect to variable number `index` at `step`. Neurons do
    /// not depend on each other, so all are moved at once.
    fn numeric(&mut self, index: usize, step: usize, by: f64) -> Result<Vec<f64>, Error> {
        let at = step * NEURONS..(step + 1) * NEURONS;
        let moved = |check: &mut Self, by: f64| -> Result<Vec<f64>, Error> {
            let before = check.variable(index)[at.clone()].to_vec();
            check.variable(index)[at.clone()].iter_mut().for_each(|value| *value += by);
            let loss = check.loss();
            check.variable(index)[at.clone()].copy_from_slice(&before);
            loss
        };
        let (up, down) = (moved(self, by)?, moved(self, -by)?);
        Ok(up.iter().zip(&down).map(|(up, down)| (up - down) / (2.0 * by)).collect())
    }

    /// The loss of each neuron: its spikes and final states, weighted.
    fn loss(&self) -> Result<Vec<f64>, Error> {
        let mut outputs = self.forward()?;
        let mut loss = vec![0.0; NEURONS];
        let mut add = |array: Vec<f64>, weights: &[f64]| {
            for (i, (value, weight)) in array.iter().zip(weights).enumerate() {
                loss[i % NEURONS] += value * weight;
            }
        };
        let signature = N::SPEC.signature(Template::FpttWithGrad);
        for (buffer, weights) in signature.outputs.iter().zip(&self.weights) {
            let array = outputs.take_signal(buffer.name).or_else(|| outputs.take_state(buffer.name));
            add(array.expect("the signature names what the template returns"), weights);
        }
        Ok(loss)
    }
}

/// Uniform numbers in 0..1: SplitMix64 (Steele et al., 2014), the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }
}
