//! Other executors of a neuron against the CPU.

use neurons::evaluate::{Mode, evaluate};
use neurons::{Absent, BufferSpec, DeclaredNeuron, Element, Format, Real, Role, Source};

use crate::cases::{Case, Host, Inputs};

/// What runs the kernels of neurons.
pub trait Executor {
    /// Runs `case` on `inputs` and writes `outputs`, both in the order of the signature.
    fn run<N: DeclaredNeuron, E: Element>(&self, case: &Case<N>, inputs: &[Host<E>], outputs: &mut [Host<E>]);

    /// Whether it adds up the gradients of parameters over neurons, rather than write those of each neuron's own.
    const ADDS_UP: bool = true;

    /// Whether float64 results are the same bits, rather than as close as functions of another library let them be.
    /// In the other formats they always are.
    fn is_exact_in_double<N: DeclaredNeuron>(&self, case: &Case<N>) -> bool;
}

/// Runs `case` in the format `E` on the CPU and on `executor` and compares what they write.
///
/// # Panics
/// Something differs.
pub fn compare<N: DeclaredNeuron, E: Element, Ex: Executor>(executor: &Ex, case: &Case<N>) {
    let inputs = inputs::<N, E, Ex>(case);
    let mut outputs = case.poisoned::<E>(&inputs);
    executor.run(case, &inputs, &mut outputs);
    check(executor, case, &inputs, &outputs, |_| false);
}

/// As [`compare`], but `executor` runs without the arrays of the roles that are `left_out`, as far as the template can do
/// without them, and the CPU with arrays of what stands for them: initial values, zeros.
///
/// # Panics
/// Something differs.
pub fn compare_without<N: DeclaredNeuron, E: Element, Ex: Executor>(
    executor: &Ex,
    case: &Case<N>,
    left_out: impl Fn(Role) -> bool,
) {
    let is_number = |buffer: &BufferSpec| match buffer.absent() {
        // Such an initial value is not a number that is the same for all neurons.
        Some(Absent::Initial(index)) => !N::SPEC.states[index].varies,
        absent => absent.is_some(),
    };
    let is_left_out = |buffer: &BufferSpec| is_number(buffer) && left_out(buffer.role);
    let signature = N::SPEC.signature(case.template);
    let initial = case.neuron.initial_state();
    let mut inputs = inputs::<N, E, Ex>(case);
    let mut given = inputs.clone();
    let read = inputs.iter_mut().zip(&mut given).zip(signature.inputs);
    for ((input, given), buffer) in read.filter(|(_, buffer)| is_left_out(buffer)) {
        *given = input.without_elements();
        *input = match buffer.absent() {
            Some(Absent::Initial(index)) => input.filled(initial[index]),
            _ => input.filled(0.0),
        };
    }
    let mut outputs = case.poisoned::<E>(&inputs);
    for (output, _) in outputs.iter_mut().zip(signature.outputs).filter(|(_, buffer)| is_left_out(buffer)) {
        *output = output.without_elements();
    }
    executor.run(case, &given, &mut outputs);
    check(executor, case, &inputs, &outputs, is_left_out);
}

/// What `case` is run on.
fn inputs<N: DeclaredNeuron, E: Element, Ex: Executor>(case: &Case<N>) -> Vec<Host<E>> {
    let inputs = case.input_arrays::<E>();
    if Ex::ADDS_UP || !case.template.is_backward() {
        return inputs;
    }
    // One value for each neuron: the sum of its gradients is itself.
    inputs.iter().map(|input| input.per_neuron(case.neurons)).collect()
}

/// Compares what `executor` has written with what the CPU makes of `inputs`, except for the outputs that were left out.
fn check<N: DeclaredNeuron, E: Element, Ex: Executor>(
    executor: &Ex,
    case: &Case<N>,
    inputs: &[Host<E>],
    outputs: &[Host<E>],
    is_left_out: impl Fn(&BufferSpec) -> bool,
) {
    let expected = on_cpu(case, inputs);
    let is_exact = E::FORMAT != Format::F64 || executor.is_exact_in_double(case);
    let mut nearby = None;
    for (k, ((buffer, expected), actual)) in expected.iter().zip(outputs).enumerate() {
        if is_left_out(buffer) {
            assert!(actual.numbers().is_empty(), "{} was left out: {} {case:?}", buffer.name, E::NAME);
            continue;
        }
        assert_eq!(actual.numbers().len(), expected.numbers().len(), "{}: {case:?}", buffer.name);
        if !is_exact && is_noise(case, buffer.role) {
            continue;
        }
        for (i, (expected, actual)) in expected.numbers().into_iter().zip(actual.numbers()).enumerate() {
            let is_same = same_bits(expected, actual);
            let mut is_close = (expected - actual).abs() <= 1e-12 * expected.abs().max(1.0);
            if !is_same && !is_close && !is_exact {
                // An exponential charge, or the sine of a large number, may blow up whatever the last bits were: not
                // much more than inputs that differ by as little do.
                let nearby = nearby.get_or_insert_with(|| {
                    NEARBY.map(|by| {
                        on_cpu(case, &inputs.iter().map(|input| near(input, by)).collect::<Vec<_>>())
                    })
                });
                let nearby = nearby.iter().map(|outputs| outputs[k].1.numbers()[i]);
                let differences =
                    nearby.filter(|nearby| nearby.is_finite()).map(|nearby| (expected - nearby).abs());
                // It may blow up for all of them, and where it has, infinity and NaN are the same.
                let largest = differences.reduce(f64::max).unwrap_or(f64::INFINITY);
                let has_blown_up = !expected.is_finite() && !actual.is_finite();
                is_close = (expected - actual).abs() <= 8.0 * largest || has_blown_up;
            }
            assert!(
                is_same || (is_close && !is_exact),
                "{}[{i}] is {actual}, on the CPU {expected}: {} {case:?}",
                buffer.name,
                E::NAME,
            );
        }
    }
}

/// Whether an output has no right digits: a wave at distances of 1e100, where the last bits of a function decide what it is.
fn is_noise<N: DeclaredNeuron>(case: &Case<N>, role: Role) -> bool {
    let is_wave =
        case.template.takes_gradient() && case.gradient.surrogate.name() == "SquarewaveFourierSeries";
    is_wave && case.inputs == Inputs::Special && !matches!(role, Role::Output | Role::NextState(_))
}

/// What the CPU makes of such inputs.
pub fn on_cpu<N: DeclaredNeuron, E: Element>(
    case: &Case<N>,
    inputs: &[Host<E>],
) -> Vec<(&'static BufferSpec, Host<E>)> {
    let sources: Vec<Source<'_, E>> = inputs.iter().map(Host::source).collect();
    let Case { neuron, template, gradient, neurons, .. } = case;
    let outputs = evaluate(neuron, Mode::Spiking, *template, *gradient, *neurons, &sources).unwrap();
    outputs.into_arrays().map(|(buffer, output)| (buffer, output.into())).collect()
}

/// Whether these are the same bits, or both NaN, whose bits may differ.
pub fn same_bits(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

/// By how much inputs differ that count as near.
const NEARBY: [f64; 3] = [1e-12, -1e-12, 0.5e-12];

/// Inputs that differ by `by`, of themselves or of 1; parameters are the same.
fn near<E: Element>(input: &Host<E>, by: f64) -> Host<E> {
    let near = |value: f64| E::Real::from_f64(value + by * (1.0 + value.abs()));
    match input {
        Host::Signal(array) => {
            Host::Signal(array.iter().map(|v| E::store(near(v.load().to_f64()))).collect())
        }
        Host::State(array) => Host::State(array.iter().map(|v| near(v.to_f64())).collect()),
        other => other.clone(),
    }
}
