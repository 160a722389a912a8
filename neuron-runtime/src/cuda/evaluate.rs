//! Templates on a GPU with outputs allocated there.

use super::launch::RawParameter;
use super::{CudaArray, CudaDevice, RawCall, launch, workspace_bytes};
use crate::parameter::Layout;
use crate::{Call, Class, Element, Error, Extent, Gradient, Neuron, ParamKind, Sink, Source, Template};

/// An array that a template reads.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a, E: Element> {
    /// In the data's format.
    Signal(&'a CudaArray<E>),
    /// In the format of the arithmetic.
    State(&'a CudaArray<E::Real>),
    /// A parameter that may differ between neurons.
    Parameter(&'a CudaArray<E::Real>, Layout),
}

/// An array that a template returned.
#[derive(Clone, Debug)]
pub enum Output<E: Element> {
    /// In the data's format.
    Signal(CudaArray<E>),
    /// In the format of the arithmetic.
    State(CudaArray<E::Real>),
    /// The gradient of a parameter.
    Parameter(CudaArray<E::Real>),
    /// Words of bits.
    Bits(CudaArray<u32>),
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
    let (mut arrays, mut parameters) = (Vec::new(), Vec::new());
    for input in inputs {
        match input {
            Input::Signal(array) => arrays.push(array.address()),
            Input::State(array) => arrays.push(array.address()),
            Input::Parameter(array, layout) => parameters.push(RawParameter {
                address: array.address(),
                count: layout.count,
                inner: layout.inner,
            }),
        }
    }
    let learnables = N::SPEC.arrays().zip(&parameters);
    let mut counts =
        learnables.filter(|(param, _)| param.kind == ParamKind::Learnable).map(|(_, raw)| raw.count);
    let mut outputs = Vec::new();
    for buffer in N::SPEC.signature(template).outputs {
        let len = buffer.elements(steps, neurons).unwrap_or_else(|| counts.next().unwrap_or(1));
        outputs.push(match (buffer.extent, buffer.class) {
            (Extent::Parameter, _) => Output::Parameter(CudaArray::uninitialised(device, len)?),
            (_, Class::Signal) => Output::Signal(CudaArray::uninitialised(device, len)?),
            (_, Class::State) => Output::State(CudaArray::uninitialised(device, len)?),
            (_, Class::Bits) => Output::Bits(CudaArray::uninitialised(device, len)?),
        });
    }
    let addresses: Vec<u64> = outputs
        .iter()
        .map(|output| match output {
            Output::Signal(array) => array.address(),
            Output::State(array) | Output::Parameter(array) => array.address(),
            Output::Bits(words) => words.address(),
        })
        .collect();
    let workspace = match workspace_bytes::<N, E>(template, neurons, &parameters) {
        0 => None,
        bytes => Some(CudaArray::<f64>::uninitialised(device, bytes.div_ceil(size_of::<f64>()))?),
    };
    let call = RawCall {
        template,
        steps,
        neurons,
        gradient,
        inputs: &arrays,
        parameters: &parameters,
        outputs: &addresses,
        workspace: workspace.as_ref().map_or(0, CudaArray::address),
        stream: None,
    };
    // SAFETY: inputs are arrays of this device of the lengths that were checked, outputs and workspace were made
    // for the call, and freeing memory waits its turn on the same stream.
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
    neuron.validate_in::<E::Real>()?;
    let steps = call.check(N::SPEC)?;
    call.check_parameters(neuron)?;
    let (mut signals, mut states, mut parameters) = (Vec::new(), Vec::new(), Vec::new());
    for input in call.inputs {
        match input {
            Source::Signal(array) => signals.push(CudaArray::from_slice(device, array)?),
            Source::State(array) => states.push(CudaArray::from_slice(device, array)?),
            Source::Parameter(parameter) => {
                parameters.push((CudaArray::from_slice(device, parameter.values())?, parameter.layout()));
            }
        }
    }
    // Signatures have signals before states, and parameters last.
    let inputs: Vec<Input<'_, E>> = signals
        .iter()
        .map(Input::Signal)
        .chain(states.iter().map(Input::State))
        .chain(parameters.iter().map(|(array, layout)| Input::Parameter(array, *layout)))
        .collect();
    let outputs = evaluate(device, neuron, call.template, call.gradient, [steps, call.neurons], &inputs)?;
    for (output, sink) in outputs.iter().zip(call.outputs) {
        match (output, sink) {
            (Output::Signal(array), Sink::Signal(sink)) => sink.copy_from_slice(&array.to_vec()?),
            (Output::State(array), Sink::State(sink)) | (Output::Parameter(array), Sink::Parameter(sink)) => {
                sink.copy_from_slice(&array.to_vec()?)
            }
            (Output::Bits(words), Sink::Bits(sink)) => sink.copy_from_slice(&words.to_vec()?),
            // Refused by the check.
            _ => {}
        }
    }
    Ok(())
}
