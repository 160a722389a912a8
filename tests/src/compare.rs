//! Other executors of a neuron against the CPU.

use neurons::evaluate::{Mode, Output, evaluate};
use neurons::{Element, Neuron, Source};

use crate::cases::{Case, Host};

/// What runs the kernels of neurons.
pub trait Executor {
    /// Runs `case` on `inputs` and writes `outputs`, both in the order of the signature.
    fn run<N: Neuron, E: Element>(&self, case: &Case<N>, inputs: &[Host<E>], outputs: &mut [Host<E>]);

    /// Whether it adds up the gradients of parameters over neurons, rather than write those of each neuron's own.
    const ADDS_UP: bool = true;

    /// Whether float64 results are the same bits, rather than within 1e-12. In the other formats they always
    /// are.
    fn is_exact_in_double<N: Neuron>(&self, case: &Case<N>) -> bool;
}

/// Runs `case` in the format `E` on the CPU and on `executor` and compares what they write.
///
/// # Panics
/// Something differs.
pub fn compare<N: Neuron, E: Element, Ex: Executor>(executor: &Ex, case: &Case<N>) {
    let mut inputs = case.input_arrays::<E>();
    if !Ex::ADDS_UP && case.template.is_backward() {
        // One value for each neuron: the sum of its gradients is itself.
        inputs.iter_mut().for_each(|input| *input = input.per_neuron(case.neurons));
    }
    let sources: Vec<Source<'_, E>> = inputs.iter().map(Host::source).collect();
    let Case { neuron, template, gradient, neurons, .. } = case;
    let expected = evaluate(neuron, Mode::Spiking, *template, *gradient, *neurons, &sources).unwrap();
    let mut outputs = case.poisoned::<E>(&inputs);
    executor.run(case, &inputs, &mut outputs);
    let is_exact = E::NAME != "f64" || executor.is_exact_in_double(case);
    for ((name, expected), actual) in expected.into_arrays().zip(&outputs) {
        let expected = match expected {
            Output::Signal(array) => Host::<E>::Signal(array),
            Output::State(array) => Host::State(array),
            Output::Parameter(array) => Host::Parameter(array, 1),
        };
        for (i, (expected, actual)) in expected.numbers().into_iter().zip(actual.numbers()).enumerate() {
            let is_same = expected.to_bits() == actual.to_bits() || (expected.is_nan() && actual.is_nan());
            let is_close = (expected - actual).abs() <= 1e-12 * expected.abs().max(1.0);
            assert!(
                is_same || (is_close && !is_exact),
                "{name}[{i}] is {actual}, on the CPU {expected}: {} {case:?}",
                E::NAME,
            );
        }
    }
}
