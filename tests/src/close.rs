//! Executors whose results differ by rounding, against float64 on the CPU.

use neurons::evaluate::{Mode, evaluate};
use neurons::{DeclaredNeuron, Element, Format, Role, Source};

use crate::cases::{Case, Host};
use crate::compare::Executor;

/// By how much of the largest number of an array the others may be off: some roundings of the arithmetic.
fn arithmetic(format: Format) -> f64 {
    if format == Format::F64 { 1e-13 } else { 2e-6 }
}

/// Half the distance of numbers in the format of an array, relative to them.
fn rounding(format: Format) -> f64 {
    match format {
        Format::F64 | Format::F32 => 0.0,
        Format::F16 => 0.5f64.powi(11),
        Format::Bf16 => 0.5f64.powi(8),
    }
}

/// Runs `case` in the format `E` on `executor`, without the arrays of the roles that are `left_out` as far as the template can do
/// without them, and compares what it writes with what the CPU computes in float64.
///
/// Spikes are passed over: which side of a threshold a potential is on may depend on its last bit.
///
/// # Panics
/// Something differs by more than rounding.
pub fn compare_close<N: DeclaredNeuron, E: Element, Ex: Executor>(
    executor: &Ex,
    case: &Case<N>,
    left_out: impl Fn(Role) -> bool,
) {
    let signature = N::SPEC.signature(case.template);
    let is_left_out = |buffer: &neurons::BufferSpec| buffer.absent().is_some() && left_out(buffer.role);
    let mut inputs = case.input_arrays::<E>();
    if case.template.is_backward() && !Ex::ADDS_UP {
        inputs = inputs.iter().map(|input| input.per_neuron(case.neurons)).collect();
    }
    let mut outputs = case.poisoned::<E>(&inputs);
    for (input, _) in inputs.iter_mut().zip(signature.inputs).filter(|(_, buffer)| is_left_out(buffer)) {
        *input = input.without_elements();
    }
    for (output, _) in outputs.iter_mut().zip(signature.outputs).filter(|(_, buffer)| is_left_out(buffer)) {
        *output = output.without_elements();
    }
    executor.run(case, &inputs, &mut outputs);

    let wide: Vec<Host<f64>> = inputs.iter().map(Host::in_double).collect();
    let sources: Vec<Source<'_, f64>> = wide.iter().map(Host::source).collect();
    let Case { neuron, template, gradient, neurons, .. } = case;
    let exact = evaluate(neuron, Mode::Spiking, *template, *gradient, *neurons, &sources).unwrap();
    for ((buffer, exact), actual) in exact.into_arrays().zip(&outputs) {
        if is_left_out(buffer) || buffer.role == Role::Output && N::SPEC.fires() {
            continue;
        }
        let (exact, actual) = (Host::from(exact).numbers(), actual.numbers());
        assert_eq!(exact.len(), actual.len(), "{}: {case:?}", buffer.name);
        let largest = exact.iter().fold(0.0, |largest: f64, number| largest.max(number.abs()));
        for (i, (exact, actual)) in exact.into_iter().zip(actual).enumerate() {
            let is_signal = matches!(buffer.class, neurons::Class::Signal);
            let stored = if is_signal { rounding(E::FORMAT) * exact.abs().max(1e-4) } else { 0.0 };
            let allowed = 1.001 * stored + arithmetic(E::FORMAT) * largest;
            assert!(
                (exact - actual).abs() <= allowed,
                "{}[{i}] is {actual}, {exact} in float64: {} {case:?}",
                buffer.name,
                E::NAME
            );
        }
    }
}
