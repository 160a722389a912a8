//! What one neuron is given over some steps, and what the evaluator makes of it.

use super::arrays::Arrays;
use super::settings::Subject;
use super::values::NEURONS;
use crate::random::evaluate::{Known, Mode, Neuron, Unknown};
use crate::random::number::{Dual, Number};

/// A product with its like overflows beyond that.
const LARGE: f64 = 1e154;

/// What one neuron is given, in the order of the declaration.
pub struct Column {
    /// `[T][inputs]`
    inputs: Vec<Vec<f64>>,
    states: Vec<f64>,
    pub params: Vec<f64>,
    pub flags: Vec<bool>,
    /// Of the parameters that may differ, in the order of the specification.
    pub arrays: Vec<f64>,
    /// Weights of what leaves the neuron at each step, and of the states in the end.
    weights: Vec<f64>,
    state_weights: Vec<f64>,
}

/// A number that a loss depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Variable {
    Input(usize, usize),
    State(usize),
    Param(usize),
}

impl Column {
    pub fn new(subject: &Subject<'_>, named: &Arrays<f64>, steps: usize, n: usize) -> Self {
        let numbers: Vec<Vec<f64>> = named.iter().map(|(_, host)| host.numbers()).collect();
        let (inputs, states) = (subject.inputs(), subject.states());
        let at = |array: usize, step: usize| numbers[array][step * NEURONS + n];
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
    pub fn run<N: Number>(
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
    pub fn loss<N: Number>(
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

    /// Whether a slope by one of the variables overflows, or may do so if it is multiplied in another order. `bptt` multiplies
    /// from the last step to the first, and what overflows there reaches every variable before.
    pub fn overflows(
        &self,
        subject: &Subject<'_>,
        mode: Mode,
        mut variables: impl Iterator<Item = Variable>,
    ) -> bool {
        variables.any(|variable| {
            let seeded =
                |value: f64, of: Variable| Dual { value, slope: f64::from(u8::from(of == variable)) };
            !self.loss(subject, mode, seeded).is_ok_and(|loss| loss.slope.abs() <= LARGE)
        })
    }
}
