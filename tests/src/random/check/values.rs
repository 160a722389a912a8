//! Values and gradients in float64 against the evaluator.

use neurons::{Device, Error, Source, Template};
use rand::Rng;

use super::arrays::{Arrays, Runner};
use super::settings::{Subject, declared};
use super::{Kind, Report};
use crate::cases::Host;
use crate::random::evaluate::{Known, Mode, Neuron, Unknown};
use crate::random::number::{Dual, Number, Rounded, Surrogate};

/// Numbers may differ by so many times what rounding explains to first order.
const FACTOR: f64 = 64.0;

/// Steps and neurons that are compared.
const STEPS: usize = 9;
const LONG: usize = 20;
const NEURONS: usize = 3;

/// Checks one setting.
pub fn check(subject: &Subject<'_>, report: &mut Report) {
    let mut rng = subject.rng(1);
    for (i, surrogate) in [Surrogate::Atan(2.0), Surrogate::Sigmoid(4.0)].into_iter().enumerate() {
        let detach = i == 0 && rng.random();
        for (is_relaxed, detach, steps) in
            [(false, detach, LONG), (false, !detach, STEPS), (true, false, STEPS)]
        {
            let gradient = declared(surrogate, detach);
            let runner =
                Runner { subject: *subject, device: &Device::Cpu, gradient, steps, neurons: NEURONS };
            let arrays = runner.draw::<f64>(&mut rng);
            let mode = subject.mode(surrogate, detach, is_relaxed);
            let columns: Vec<Column> =
                (0..NEURONS).map(|n| Column::new(subject, &arrays, steps, n)).collect();
            let case = Case { runner, mode, arrays: &arrays, columns: &columns };
            if let Err(error) = case.check(report) {
                report.add(Kind::Call, || error.to_string());
            }
        }
    }
}

/// What one neuron is given, in the order of the declaration.
struct Column {
    /// `[T][inputs]`
    inputs: Vec<Vec<f64>>,
    states: Vec<f64>,
    params: Vec<f64>,
    flags: Vec<bool>,
    /// Of the parameters that may differ, in the order of the specification.
    arrays: Vec<f64>,
    /// Weights of what leaves the neuron at each step, and of the states in the end.
    weights: Vec<f64>,
    state_weights: Vec<f64>,
}

/// A number that a loss depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Variable {
    Input(usize, usize),
    State(usize),
    Param(usize),
}

impl Column {
    fn new(subject: &Subject<'_>, named: &Arrays<f64>, steps: usize, n: usize) -> Self {
        let numbers: Vec<Vec<f64>> = named.iter().map(|(_, host)| host.numbers()).collect();
        let (inputs, states) = (subject.inputs(), subject.states());
        let neurons = NEURONS;
        let at = |array: usize, step: usize| numbers[array][step * neurons + n];
        let input = |step: usize, place: usize| {
            at(inputs.iter().position(|&it| it == place).expect("one of each"), step)
        };
        let state = |place: usize, first: usize| {
            at(first + states.iter().position(|&it| it == place).expect("one of each"), 0)
        };
        let (i, s) = (inputs.len(), states.len());
        let arrays: Vec<f64> = (0..subject.spec.arrays().count()).map(|a| at(i + s + a, 0)).collect();
        // Gradients follow: of what leaves the neuron, then of the states.
        let first = i + s + arrays.len();
        Self {
            inputs: (0..steps).map(|step| (0..i).map(|place| input(step, place)).collect()).collect(),
            states: (0..s).map(|place| state(place, i)).collect(),
            params: subject.params_at(&arrays),
            flags: subject.flags(),
            arrays,
            weights: (0..steps).map(|step| at(first, step)).collect(),
            state_weights: (0..s).map(|place| state(place, first + 1)).collect(),
        }
    }

    /// All steps, with `lift` to make numbers of it: what leaves the neuron and `v` at each step as far as anything
    /// can be said, and the states in the end if it can be said.
    fn run<N: Number>(
        &self,
        subject: &Subject<'_>,
        mode: Mode,
        lift: impl Fn(f64, Variable) -> N,
    ) -> (Vec<N>, Known<Vec<N>>) {
        let params: Vec<N> =
            self.params.iter().enumerate().map(|(i, &value)| lift(value, Variable::Param(i))).collect();
        let neuron = Neuron { declaration: subject.declaration, params: &params, flags: &self.flags, mode };
        let mut states: Vec<N> =
            self.states.iter().enumerate().map(|(i, &value)| lift(value, Variable::State(i))).collect();
        let mut outputs = Vec::new();
        for (step, inputs) in self.inputs.iter().enumerate() {
            let inputs: Vec<N> =
                inputs.iter().enumerate().map(|(i, &value)| lift(value, Variable::Input(step, i))).collect();
            match neuron.step(&inputs, &states) {
                Ok(stepped) => {
                    outputs.push(stepped.output);
                    states = stepped.states;
                }
                Err(Unknown) => return (outputs, Err(Unknown)),
            }
        }
        (outputs, Ok(states))
    }

    /// The weighted sum of what leaves the neuron and of the states in the end.
    fn loss<N: Number>(
        &self,
        subject: &Subject<'_>,
        mode: Mode,
        lift: impl Fn(f64, Variable) -> N,
    ) -> Known<N> {
        let (outputs, states) = self.run(subject, mode, lift);
        let states = states?;
        let weighted = outputs.iter().zip(&self.weights).chain(states.iter().zip(&self.state_weights));
        Ok(weighted.fold(N::constant(0.0), |sum, (number, &weight)| sum.add(number.mul(N::constant(weight)))))
    }
}

struct Case<'a> {
    runner: Runner<'a>,
    mode: Mode,
    arrays: &'a Arrays<f64>,
    columns: &'a [Column],
}

impl Case<'_> {
    fn about(&self) -> String {
        let Runner { subject, gradient, steps, .. } = self.runner;
        format!("{} reset, {gradient:?}, T = {steps}, {:?}", subject.setting.reset, subject.setting.flags)
    }

    fn check(&self, report: &mut Report) -> Result<(), Error> {
        let subject = self.runner.subject;
        let forward = if self.mode.is_relaxed {
            self.relaxed()?
        } else {
            self.runner.run(Template::FpttWithGrad, &[self.arrays])?
        };
        self.forward(&forward, report);
        if !self.mode.is_relaxed && self.runner.steps == LONG {
            self.initial(report);
            return Ok(());
        }
        let grads = self.runner.run(Template::Bptt, &[self.arrays, &forward])?;
        let lean = if self.mode.is_relaxed {
            None
        } else {
            let lean = self.runner.run(Template::LeanFptt, &[self.arrays])?;
            Some(self.runner.run(Template::LeanBptt, &[self.arrays, &lean])?)
        };
        let kind = if self.mode.is_relaxed { Kind::RelaxedGradient } else { Kind::Gradient };
        let variables = self.variables();
        // What is detached changes with a variable, and has no slope.
        let is_detached = subject.declaration.detaches();
        for (n, column) in self.columns.iter().enumerate() {
            for &(variable, array, step) in &variables {
                let seeded = |value: f64, of: Variable| Dual {
                    value: Rounded::constant(value),
                    slope: Rounded::constant(f64::from(u8::from(of == variable))),
                };
                let Ok(expected) = column.loss(&subject, self.mode, seeded).map(|loss| loss.slope) else {
                    report.tally.skipped += 1;
                    continue;
                };
                let at = step * NEURONS + n;
                self.compare(kind, &grads, array, at, expected, report);
                if let Some(lean) = &lean {
                    self.compare(Kind::LeanGradient, lean, array, at, expected, report);
                }
                if self.mode.is_relaxed && !is_detached {
                    self.oracle(column, variable, report);
                }
            }
        }
        Ok(())
    }

    fn relaxed(&self) -> Result<Arrays<f64>, Error> {
        let subject = self.runner.subject;
        let forward = subject.spec.signature(Template::FpttWithGrad).inputs;
        let inputs: Vec<Source<'_, f64>> =
            self.arrays.iter().take(forward.len()).map(|(_, host)| host.source()).collect();
        let outputs = subject.neuron.relaxed(self.runner.gradient, NEURONS, &inputs)?;
        Ok(outputs.into_arrays().map(|(buffer, output)| (buffer, output.into())).collect())
    }

    /// Every number that the loss of one neuron depends on, with its gradient's place: array and row.
    fn variables(&self) -> Vec<(Variable, usize, usize)> {
        let subject = self.runner.subject;
        let (inputs, states) = (subject.inputs(), subject.states());
        let mut all = Vec::new();
        for (array, &place) in inputs.iter().enumerate() {
            all.extend((0..self.runner.steps).map(|step| (Variable::Input(step, place), array, step)));
        }
        for (array, &place) in states.iter().enumerate() {
            all.push((Variable::State(place), inputs.len() + array, 0));
        }
        for (array, place) in subject.learnables().into_iter().enumerate() {
            all.push((Variable::Param(place), inputs.len() + states.len() + array, 0));
        }
        all
    }

    fn compare(
        &self,
        kind: Kind,
        named: &Arrays<f64>,
        array: usize,
        at: usize,
        expected: Rounded,
        report: &mut Report,
    ) {
        let (buffer, host) = &named[array];
        let actual = match host {
            Host::Signal(values) | Host::State(values) | Host::Parameter(values, _) => values[at],
            Host::Bits(_) => return,
        };
        if !expected.is_finite() {
            report.tally.skipped += 1;
            return;
        }
        report.tally.compared += 1;
        let is_close = (actual - expected.value).abs() <= FACTOR * expected.error + 1e-290;
        if !is_close {
            let Rounded { value, error } = expected;
            report.add(kind, || {
                format!(
                    "{}[{at}] is {actual}, not {value} (rounding: {error:.1e}): {}",
                    buffer.name,
                    self.about()
                )
            });
        }
    }

    fn forward(&self, named: &Arrays<f64>, report: &mut Report) {
        let subject = self.runner.subject;
        let kind = if self.mode.is_relaxed { Kind::Relaxed } else { Kind::Forward };
        for (n, column) in self.columns.iter().enumerate() {
            let (outputs, states) = column.run(&subject, self.mode, |value, _| Rounded::constant(value));
            report.tally.skipped += self.runner.steps - outputs.len();
            for (step, &output) in outputs.iter().enumerate() {
                self.compare(kind, named, 0, step * NEURONS + n, output, report);
            }
            let Ok(states) = states else { continue };
            for (array, place) in subject.states().into_iter().enumerate() {
                self.compare(kind, named, 1 + array, n, states[place], report);
            }
        }
    }

    /// The states before the first step.
    fn initial(&self, report: &mut Report) {
        let subject = self.runner.subject;
        let learnables = subject.learnables();
        for column in self.columns {
            let actual = subject.neuron.initial(&column.arrays);
            let slopes = subject.neuron.initial_slopes(&column.arrays);
            for (l, variable) in learnables.iter().copied().map(Some).chain([None]).enumerate() {
                let params: Vec<Dual<Rounded>> = (column.params.iter().enumerate())
                    .map(|(i, &value)| Dual {
                        value: Rounded::constant(value),
                        slope: Rounded::constant(f64::from(u8::from(Some(i) == variable))),
                    })
                    .collect();
                let (declaration, flags, mode) = (subject.declaration, &column.flags, self.mode);
                let neuron = Neuron { declaration, params: &params, flags, mode };
                let Ok(states) = neuron.initial() else { continue };
                for (s, place) in subject.states().into_iter().enumerate() {
                    let (expected, actual) = match variable {
                        Some(_) => (states[place].slope, slopes[s * learnables.len() + l]),
                        None => (states[place].value, actual[s]),
                    };
                    let is_close = (actual - expected.value).abs() <= FACTOR * expected.error + 1e-290;
                    if !is_close {
                        report.add(Kind::Initial, || format!("state {s}: {actual}, not {}", expected.value));
                    }
                }
            }
        }
    }

    /// The evaluator's slope against its own finite differences.
    fn oracle(&self, column: &Column, variable: Variable, report: &mut Report) {
        let subject = self.runner.subject;
        let seeded = |value: f64, of: Variable| Dual { value, slope: f64::from(u8::from(of == variable)) };
        let Ok(slope) = column.loss(&subject, self.mode, seeded).map(|loss| loss.slope) else { return };
        let moved = |by: f64| {
            column.loss(&subject, self.mode, |value, of| if of == variable { value + by } else { value })
        };
        let central = |by: f64| Ok::<_, Unknown>((moved(by)? - moved(-by)?) / (2.0 * by));
        let (Ok(coarse), Ok(fine)) = (central(1e-4), central(5e-5)) else { return };
        let Ok(rounding) = column.loss(&subject, self.mode, |value, _| Rounded::constant(value)) else {
            return;
        };
        // Richardson's extrapolation, where both agree.
        let numeric = (4.0 * fine - coarse) / 3.0;
        let size = slope.abs().max(numeric.abs()).max(1.0);
        // Beyond that the loss winds too often over the distance of a difference.
        let is_wild = slope.abs() > 1e8;
        if is_wild || (fine - coarse).abs() > 1e-4 * size || rounding.error > 1e-11 * size {
            return;
        }
        if (slope - numeric).abs() > 1e-5 * size {
            let about = self.about();
            report.add(Kind::Oracle, || {
                format!("{variable:?}: slope {slope}, by differences {numeric}: {about}")
            });
        }
    }
}
