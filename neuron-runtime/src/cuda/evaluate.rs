//! Templates on a GPU with outputs allocated there.

use super::{CudaArray, CudaDevice, CudaError, PreparedCall, RawArray, RawCall, RawParameter};
use crate::check::{Given, Inputs};
use crate::error::Kind;
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

impl<E: Element> Given for Input<'_, E> {
    fn shape(&self) -> (Kind, usize) {
        match self {
            Self::Signal(array) => (Kind::Signal, array.len()),
            Self::State(array) => (Kind::State, array.len()),
            Self::Parameter(array, _) => (Kind::Parameter, array.len()),
        }
    }

    fn layout(&self) -> Option<Layout> {
        match self {
            Self::Parameter(_, layout) => Some(*layout),
            Self::Signal(_) | Self::State(_) => None,
        }
    }
}

/// Runs one template on `device`, where the inputs are.
pub fn evaluate<N: Neuron, E: Element>(
    device: &CudaDevice,
    neuron: &N,
    template: Template,
    gradient: Gradient,
    neurons: usize,
    inputs: &[Input<'_, E>],
) -> Result<Vec<Output<E>>, Error> {
    device.refuse_capture()?;
    let spec = neuron.spec();
    let checked = Inputs { template, neurons, gradient, inputs };
    let (steps, signature) = checked.check::<E::Real>(spec)?;
    let (mut arrays, mut parameters) = (Vec::new(), Vec::new());
    for input in inputs {
        match input {
            Input::Signal(array) => arrays.push(array.raw()),
            Input::State(array) => arrays.push(array.raw()),
            Input::Parameter(array, layout) => parameters.push(RawParameter {
                address: array.address(),
                count: layout.count,
                inner: layout.inner,
            }),
        }
    }
    let learnables = spec.arrays().zip(&parameters);
    let mut counts =
        learnables.filter(|(param, _)| param.kind == ParamKind::Learnable).map(|(_, raw)| raw.count);
    let mut outputs = Vec::new();
    for buffer in signature.outputs {
        let len = buffer.elements(steps, neurons).unwrap_or_else(|| counts.next().unwrap_or(1));
        outputs.push(match (buffer.extent, buffer.class) {
            (Extent::Parameter, _) => Output::Parameter(CudaArray::uninitialised(device, len)?),
            (_, Class::Signal) => Output::Signal(CudaArray::uninitialised(device, len)?),
            (_, Class::State) => Output::State(CudaArray::uninitialised(device, len)?),
            (_, Class::Bits) => Output::Bits(CudaArray::uninitialised(device, len)?),
        });
    }
    let raw_outputs: Vec<RawArray> = outputs
        .iter()
        .map(|output| match output {
            Output::Signal(array) => array.raw(),
            Output::State(array) | Output::Parameter(array) => array.raw(),
            Output::Bits(words) => words.raw(),
        })
        .collect();
    let prepared = PreparedCall::new::<E>(device, neuron, template, gradient)?;
    let workspace = match prepared.workspace_bytes(neurons, &parameters) {
        0 => None,
        bytes => Some(CudaArray::<f64>::uninitialised(device, bytes.div_ceil(size_of::<f64>()))?),
    };
    let call = RawCall {
        steps,
        neurons,
        inputs: &arrays,
        parameters: &parameters,
        outputs: &raw_outputs,
        workspace: workspace
            .as_ref()
            .map(|array| RawArray { address: array.address(), len: array.len() * size_of::<f64>() }),
        stream: None,
    };
    // SAFETY: inputs are arrays of this device of the lengths that were checked, outputs and workspace were made
    // for the call, and freeing memory waits its turn on the same stream.
    unsafe { prepared.launch(&call)? };
    Ok(outputs)
}

/// A copy of an array that a template reads.
enum Copied<E: Element> {
    Signal(CudaArray<E>),
    State(CudaArray<E::Real>),
    Parameter(CudaArray<E::Real>, Layout),
}

impl<E: Element> Copied<E> {
    fn new(device: &CudaDevice, source: &Source<'_, E>) -> Result<Self, CudaError> {
        Ok(match source {
            Source::Signal(array) => Self::Signal(CudaArray::from_slice(device, array)?),
            Source::State(array) => Self::State(CudaArray::from_slice(device, array)?),
            Source::Parameter(parameter) => {
                Self::Parameter(CudaArray::from_slice(device, parameter.values())?, parameter.layout())
            }
        })
    }

    fn input(&self) -> Input<'_, E> {
        match self {
            Self::Signal(array) => Input::Signal(array),
            Self::State(array) => Input::State(array),
            Self::Parameter(array, layout) => Input::Parameter(array, *layout),
        }
    }
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
    call.check(neuron.spec())?;
    call.check_parameters(neuron)?;
    let copies = call.inputs.iter().map(|input| Copied::new(device, input)).collect::<Result<Vec<_>, _>>()?;
    let inputs: Vec<Input<'_, E>> = copies.iter().map(Copied::input).collect();
    let outputs = evaluate(device, neuron, call.template, call.gradient, call.neurons, &inputs)?;
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
