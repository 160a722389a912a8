//! Templates on a GPU with outputs allocated there.

use super::{CudaArray, CudaDevice, RawCall, launch};
use crate::{Call, Class, Element, Error, Gradient, Neuron, Sink, Source, Template};

/// An array that a template reads.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a, E: Element> {
    /// In the data's format.
    Signal(&'a CudaArray<E>),
    /// In the format of the arithmetic.
    State(&'a CudaArray<E::Real>),
}

/// An array that a template returned.
#[derive(Clone, Debug)]
pub enum Output<E: Element> {
    /// In the data's format.
    Signal(CudaArray<E>),
    /// In the format of the arithmetic.
    State(CudaArray<E::Real>),
}

/// Runs one template on `device`; all lengths have been checked against the shapes.
pub fn evaluate<N: Neuron, E: Element>(
    device: &CudaDevice,
    neuron: &N,
    template: Template,
    gradient: Gradient,
    [steps, neurons]: [usize; 2],
    inputs: &[Input<'_, E>],
) -> Result<Vec<Output<E>>, Error> {
    let mut outputs = Vec::new();
    for buffer in N::SPEC.signature(template).outputs {
        let len = if buffer.per_step { steps * neurons } else { neurons };
        outputs.push(match buffer.class {
            Class::Signal => Output::Signal(CudaArray::uninitialised(device, len)?),
            Class::State => Output::State(CudaArray::uninitialised(device, len)?),
        });
    }
    let addresses: Vec<u64> = outputs
        .iter()
        .map(|output| match output {
            Output::Signal(array) => array.address(),
            Output::State(array) => array.address(),
        })
        .collect();
    let inputs: Vec<u64> = inputs
        .iter()
        .map(|input| match input {
            Input::Signal(array) => array.address(),
            Input::State(array) => array.address(),
        })
        .collect();
    let call =
        RawCall { template, steps, neurons, gradient, inputs: &inputs, outputs: &addresses, stream: None };
    // SAFETY: inputs are arrays of this device of the lengths that were checked, outputs were made for the
    // call, and freeing memory waits its turn on the same stream.
    unsafe { launch::<N, E>(device, neuron, call)? };
    Ok(outputs)
}

/// Runs a call on arrays in the memory of the CPU: copies them to `device` and the results back.
///
/// # Errors
/// As [`Neuron::run`], before anything is done; [`Error::Cuda`].
pub fn run<N: Neuron, E: Element>(
    device: &CudaDevice,
    neuron: &N,
    call: Call<'_, '_, E>,
) -> Result<(), Error> {
    neuron.validate()?;
    let steps = call.check(N::SPEC)?;
    let mut signals = Vec::new();
    let mut states = Vec::new();
    for input in call.inputs {
        match input {
            Source::Signal(array) => signals.push(CudaArray::from_slice(device, array)?),
            Source::State(array) => states.push(CudaArray::from_slice(device, array)?),
        }
    }
    // Signatures have signals before states.
    let inputs: Vec<Input<'_, E>> =
        signals.iter().map(Input::Signal).chain(states.iter().map(Input::State)).collect();
    let outputs = evaluate(device, neuron, call.template, call.gradient, [steps, call.neurons], &inputs)?;
    for (output, sink) in outputs.iter().zip(call.outputs) {
        match (output, sink) {
            (Output::Signal(array), Sink::Signal(sink)) => sink.copy_from_slice(&array.to_vec()?),
            (Output::State(array), Sink::State(sink)) => sink.copy_from_slice(&array.to_vec()?),
            // Refused by the check.
            _ => {}
        }
    }
    Ok(())
}
