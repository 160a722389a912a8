//! Neurons with a defect: right ones whose arrays are changed by hand.

use std::cell::Cell;

use neuron_runtime::gradcheck::{Failure, Report};
use neuron_runtime::{
    Call, DeclaredNeuron, Element, Error, Neuron, Real, Reset, Sink, Spec, Template, Value, gradcheck,
};

use crate::hidden::{Faint, Squared, Turning};
use crate::large::{Inner, Microvolts, Narrow, Weak};
use crate::{Coupled, Learning};

/// What numbers are multiplied by, and where.
#[derive(Clone, Copy, Debug)]
enum Defect {
    /// In an output of a template.
    Output(Template, usize, f64),
    /// In a factor of the gradient, of the spiking and of the relaxed neuron.
    Factor(usize, f64),
}

thread_local! {
    /// Of every `Wrong` on this thread.
    static DEFECT: Cell<Option<Defect>> = const { Cell::new(None) };
}

/// A neuron with a defect.
#[derive(Clone, Debug, Default, PartialEq)]
struct Wrong<N>(N);

/// Checks a neuron with a defect.
fn check_with<N: DeclaredNeuron>(neuron: N, defect: Defect) -> Result<Report, Failure> {
    DEFECT.set(Some(defect));
    let result = gradcheck(&Wrong(neuron));
    DEFECT.set(None);
    result
}

fn check<N: DeclaredNeuron>(defect: Defect) -> Result<Report, Failure> {
    check_with(N::default(), defect)
}

impl<N: DeclaredNeuron> Neuron for Wrong<N> {
    fn spec(&self) -> &'static Spec {
        N::SPEC
    }
    fn validate_rounded(&self, round: fn(f64) -> f64) -> Result<(), Error> {
        self.0.validate_rounded(round)
    }
    fn reset(&self) -> Reset {
        self.0.reset()
    }
    fn set_reset(&mut self, reset: Reset) {
        self.0.set_reset(reset);
    }
    fn get(&self, name: &str) -> Option<Value> {
        self.0.get(name)
    }
    fn set(&mut self, name: &str, value: Value) -> Result<(), Error> {
        self.0.set(name, value)
    }
    fn initial_state(&self) -> Vec<f64> {
        self.0.initial_state()
    }
    fn validate_rounded_at(&self, values: &[f64], round: fn(f64) -> f64) -> Result<(), Error> {
        self.0.validate_rounded_at(values, round)
    }
    fn initial_state_at(&self, values: &[f64]) -> Vec<f64> {
        self.0.initial_state_at(values)
    }
    fn initial_slopes_at(&self, values: &[f64]) -> Vec<f64> {
        self.0.initial_slopes_at(values)
    }
    fn run<E: Element>(&self, call: Call<'_, '_, E>) -> Result<(), Error> {
        let Call { template, neurons, gradient, inputs, outputs } = call;
        self.0.run(Call { template, neurons, gradient, inputs, outputs: &mut *outputs })?;
        spoil::<N, E>(template, outputs);
        Ok(())
    }
    fn run_relaxed<E: Element>(&self, call: Call<'_, '_, E>) -> Result<(), Error> {
        let Call { template, neurons, gradient, inputs, outputs } = call;
        self.0.run_relaxed(Call { template, neurons, gradient, inputs, outputs: &mut *outputs })?;
        if matches!(DEFECT.get(), Some(Defect::Factor(..))) {
            spoil::<N, E>(template, outputs);
        }
        Ok(())
    }
}

fn spoil<N: DeclaredNeuron, E: Element>(template: Template, outputs: &mut [Sink<'_, E>]) {
    let (place, by) = match DEFECT.get() {
        Some(Defect::Output(of, place, by)) if of == template => (place, by),
        Some(Defect::Factor(factor, by)) if template == Template::FpttWithGrad => {
            (1 + N::SPEC.states.len() + factor, by)
        }
        _ => return,
    };
    let by = E::Real::from_f64(by);
    match &mut outputs[place] {
        Sink::Signal(array) => array.iter_mut().for_each(|x| *x = E::store(x.load() * by)),
        Sink::State(array) | Sink::Parameter(array) => array.iter_mut().for_each(|x| *x = *x * by),
        Sink::Bits(_) => unreachable!("nothing that is checked is bits"),
    }
}

#[test]
fn wrong_gradients_are_found() {
    fn is_found<N: DeclaredNeuron>(output: usize, name: &str, by: f64) {
        match check::<N>(Defect::Output(Template::Bptt, output, by)) {
            Err(Failure::Gradient { gradient, analytic, numeric, uncertainty, .. }) => {
                assert_eq!(gradient, name);
                let error = (analytic / by - numeric).abs();
                assert!(
                    error <= 2.0 * uncertainty + 1e-9 * numeric.abs(),
                    "{analytic} {numeric} {uncertainty}"
                );
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    is_found::<Coupled>(0, "grad_x_seq", 1.0001);
    is_found::<Coupled>(1, "grad_y_seq", 1.0001);
    is_found::<Coupled>(2, "grad_v", 0.9999);
    is_found::<Coupled>(3, "grad_w", 1.00001);
    is_found::<Learning>(6, "grad_beta", 0.9999);
}

/// Whatever the size of the numbers.
#[test]
fn every_wrong_factor_is_found() {
    fn are_found<N: DeclaredNeuron>() {
        for (factor, name) in N::SPEC.factors.iter().enumerate() {
            for by in [1.0001, 0.9999] {
                let result = check::<N>(Defect::Factor(factor, by));
                let is_found = matches!(result, Err(Failure::Gradient { .. }));
                assert!(is_found, "{}, {name} * {by}: {result:?}", N::SPEC.name);
            }
        }
    }
    are_found::<Coupled>();
    are_found::<Learning>();
    are_found::<Microvolts>();
    are_found::<Narrow>();
    are_found::<Weak>();
}

/// Where states are squared, outputs oscillate or gradients are small, but differences resolve them.
#[test]
fn wrong_factors_are_found_beside_what_is_not_resolved() {
    fn are_found<N: DeclaredNeuron>() {
        let report = gradcheck(&N::default()).unwrap();
        assert!(report.checked > 9 * report.skipped, "{}: {report:?}", N::SPEC.name);
        for (factor, name) in N::SPEC.factors.iter().enumerate() {
            for by in [2.0, 0.5, 1.001] {
                let result = check::<N>(Defect::Factor(factor, by));
                let is_found = matches!(result, Err(Failure::Gradient { .. }));
                assert!(is_found, "{}, {name} * {by}: {result:?}", N::SPEC.name);
            }
        }
    }
    are_found::<Squared>();
    are_found::<Turning>();
    are_found::<Faint>();
}

/// An infinite gradient of finite outputs is wrong, however large the tolerance for it.
#[test]
fn infinite_gradients_are_found() {
    for by in [f64::INFINITY, f64::NAN] {
        match check::<Coupled>(Defect::Output(Template::Bptt, 0, by)) {
            Err(Failure::Gradient { gradient: "grad_x_seq", analytic, .. }) => assert!(!analytic.is_finite()),
            other => panic!("{by}: {other:?}"),
        }
    }
}

/// Rounding hides it only where the differences are as uncertain as that.
#[test]
fn a_wrong_factor_is_found_beside_any_offset() {
    for offset in (0..18).map(|i| 2.5f64.powi(i)) {
        for factor in 0..Inner::SPEC.factors.len() {
            let neuron = Inner { offset, ..Inner::default() };
            let result = check_with(neuron, Defect::Factor(factor, 1.0001));
            assert!(matches!(result, Err(Failure::Gradient { .. })), "{offset} {factor}: {result:?}");
        }
    }
}

#[test]
fn pairs_that_differ_are_found() {
    let by = 1.0 + f64::EPSILON;
    for (template, output, name) in [
        (Template::LeanBptt, 0, "grad_x_seq"),
        (Template::LeanBptt, 3, "grad_w"),
        (Template::LeanFptt, 1, "v_next"),
        (Template::FpttWithGrad, 2, "w_next"),
    ] {
        match check::<Coupled>(Defect::Output(template, output, by)) {
            Err(Failure::Pairs { neuron, array, factors, checkpoints, .. }) => {
                assert_eq!((neuron, array), ("Coupled", name));
                let is_lean = template != Template::FpttWithGrad;
                let (right, wrong) = if is_lean { (factors, checkpoints) } else { (checkpoints, factors) };
                assert_eq!(wrong, right * by);
            }
            other => panic!("{template} {name}: {other:?}"),
        }
    }
}

/// Checkpoints are only read after the first block of steps: it takes more than one to see that they are wrong.
#[test]
fn wrong_checkpoints_are_found() {
    let result = check::<Coupled>(Defect::Output(Template::LeanFptt, 3, 1.001));
    assert!(matches!(result, Err(Failure::Pairs { array: "grad_x_seq", .. })), "{result:?}");
}

#[test]
fn failures_say_what_differs() {
    let failure = check::<Coupled>(Defect::Output(Template::LeanBptt, 0, 0.0)).unwrap_err().to_string();
    let (before, after) = failure.split_once(" is ").unwrap_or_default();
    assert_eq!(before, "Coupled, hard reset, ATan(alpha=2), detach_reset = false: grad_x_seq[0]");
    assert!(after.contains(" with checkpoints, ") && after.ends_with(" with factors"), "{failure}");
}
