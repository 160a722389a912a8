//! Calls of templates on made-up arrays.

use neurons::evaluate::{Mode, Output, evaluate};
use neurons::{BufferSpec, Element, Gradient, Kind, Neuron, Parameter, Real, Source, Template};

/// NaN is any NaN.
pub fn same<R: Real>(a: R, b: R) -> bool {
    let (a, b) = (a.to_f64(), b.to_f64());
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

/// Arrays of a template: values around the threshold, so that neurons fire now and then.
struct Arrays<E: Element>(Vec<(Kind, Vec<E>, Vec<E::Real>)>);

impl<E: Element> Arrays<E> {
    fn new(inputs: &[BufferSpec], steps: usize, neurons: usize) -> Self {
        let array = |buffer: &BufferSpec| {
            let len = buffer.elements(steps, neurons).unwrap_or(1);
            let values = (0..len).map(|i| E::Real::from_f64((i * 7919 % 1000) as f64 * 0.004 - 1.0));
            let values: Vec<E::Real> = values.collect();
            (buffer.kind(), values.iter().map(|value| E::store(*value)).collect(), values)
        };
        Self(inputs.iter().map(array).collect())
    }

    fn sources(&self) -> Vec<Source<'_, E>> {
        fn source<E: Element>((kind, stored, values): &(Kind, Vec<E>, Vec<E::Real>)) -> Source<'_, E> {
            match kind {
                Kind::Signal => Source::Signal(stored),
                Kind::Parameter => Source::Parameter(Parameter::shared(&values[0])),
                _ => Source::State(values),
            }
        }
        self.0.iter().map(source).collect()
    }
}

/// What a template computes for `neurons` neurons, as numbers, in up to 19 steps.
pub fn run<N: Neuron, E: Element>(
    neuron: &N,
    mode: Mode,
    template: Template,
    gradient: Gradient,
    neurons: usize,
) -> Vec<f64> {
    let steps = if template.is_multi_step() { 19 } else { 1 };
    let inputs = Arrays::<E>::new(neuron.spec().signature(template).inputs, steps, neurons);
    let outputs = evaluate(neuron, mode, template, gradient, neurons, &inputs.sources()).unwrap();
    let numbers = |output: Output<E>| -> Vec<f64> {
        match output {
            Output::Signal(values) => values.into_iter().map(|value| value.load().to_f64()).collect(),
            Output::State(values) | Output::Parameter(values) => {
                values.into_iter().map(E::Real::to_f64).collect()
            }
            Output::Bits(words) => words.into_iter().map(f64::from).collect(),
        }
    };
    outputs.into_arrays().flat_map(|(_, output)| numbers(output)).collect()
}
