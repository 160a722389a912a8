//! Values and gradients in float64 against the evaluator.

use neurons::{Device, Error, Source, Template};
use rand::Rng;

use super::arrays::{Arrays, Runner};
use super::column::{Column, Variable};
use super::settings::{Subject, declared};
use super::{Kind, Report};
use crate::cases::Host;
use crate::random::evaluate::{Mode, Neuron, Unknown};
use crate::random::number::{Dual, Number, Rounded, Surrogate};

/// Numbers may differ by so many times what rounding explains to first order.
const FACTOR: f64 = 64.0;

/// Steps and neurons that are compared.
const STEPS: usize = 9;
const LONG: usize = 20;
pub const NEURONS: usize = 3;

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
                let both =
                    std::iter::once((kind, &grads)).chain(lean.iter().map(|it| (Kind::LeanGradient, it)));
                for (kind, grads) in both {
                    let is_finite = number(grads, array, at).is_some_and(f64::is_finite);
                    if !is_finite && column.overflows(&subject, self.mode, variables.iter().map(|it| it.0)) {
                        report.tally.skipped += 1;
                    } else {
                        self.compare(kind, grads, array, at, expected, report);
                    }
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
        let Some(actual) = number(named, array, at) else { return };
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
                    named[array].0.name,
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
        let [Ok(coarse), Ok(fine), Ok(finest)] = [1e-4, 5e-5, 2.5e-5].map(central) else { return };
        let Ok(rounding) = column.loss(&subject, self.mode, |value, _| Rounded::constant(value)) else {
            return;
        };
        // Richardson's extrapolation, where all agree: two distances alone may both miss that the loss winds between them.
        let extrapolated = |coarse: f64, fine: f64| (4.0 * fine - coarse) / 3.0;
        let (numeric, other) = (extrapolated(coarse, fine), extrapolated(fine, finest));
        let size = slope.abs().max(numeric.abs()).max(1.0);
        // Beyond that the loss winds too often over the distance of a difference.
        let is_wild = slope.abs() > 1e8;
        let agree = (fine - coarse).abs() <= 1e-4 * size && (numeric - other).abs() <= 5e-6 * size;
        if is_wild || !agree || rounding.error > 1e-11 * size {
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

/// A number of an array, unless that is bits.
fn number(named: &Arrays<f64>, array: usize, at: usize) -> Option<f64> {
    match &named[array].1 {
        Host::Signal(values) | Host::State(values) | Host::Parameter(values, _) => Some(values[at]),
        Host::Bits(_) => None,
    }
}
