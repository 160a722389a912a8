//! Templates on a GPU, with outputs allocated for the caller.

use std::convert::Infallible;

use super::{CudaArray, CudaDevice, CudaError, PreparedCall, RawArray, RawCall, RawParameter};
use crate::by_class::Length;
use crate::check::Inputs;
use crate::number::Plain;
use crate::parameter::{Distributed, Layout};
use crate::{ByClass, Call, Element, Error, Gradient, Kind, Neuron, Sink, Template};

/// An array that a template reads.
pub type Input<'a, E> = ByClass<
    &'a CudaArray<E>,
    &'a CudaArray<<E as Element>::Real>,
    (&'a CudaArray<<E as Element>::Real>, Layout),
    Infallible,
>;

/// An array that a template returned; for a parameter, its gradient.
pub type Output<E> =
    ByClass<CudaArray<E>, CudaArray<<E as Element>::Real>, CudaArray<<E as Element>::Real>, CudaArray<u32>>;

impl<E: Plain> Length for &CudaArray<E> {
    fn length(&self) -> usize {
        self.len()
    }
}

impl<R: Plain> Length for (&CudaArray<R>, Layout) {
    fn length(&self) -> usize {
        self.0.len()
    }
}

impl<R> Distributed for (&CudaArray<R>, Layout) {
    fn layout(&self) -> Layout {
        self.1
    }
}

/// Runs one template on `device`, which the inputs are on. Outputs that are not `wanted`, by their places, are left out if
/// the template can do without them. `scan` is [`PreparedCall::with_scan`].
#[expect(clippy::too_many_arguments, reason = "a call, and where it runs")]
pub fn evaluate<N: Neuron, E: Element>(
    device: &CudaDevice,
    neuron: &N,
    template: Template,
    gradient: Gradient,
    scan: bool,
    neurons: usize,
    inputs: &[Input<'_, E>],
    wanted: impl Fn(usize) -> bool,
) -> Result<Vec<Output<E>>, Error> {
    device.refuse_capture()?;
    let spec = neuron.spec();
    let checked = Inputs { template, neurons, gradient, inputs };
    let (steps, signature) = checked.check::<E::Real>(spec)?;
    let (mut arrays, mut parameters) = (Vec::new(), Vec::new());
    for &input in inputs {
        match input {
            Input::Signal(array) => arrays.push(array.raw()),
            Input::State(array) => arrays.push(array.raw()),
            Input::Parameter((array, layout)) => parameters.push(RawParameter {
                address: array.address(),
                count: layout.count,
                inner: layout.inner,
            }),
        }
    }
    let mut outputs = Vec::new();
    for (place, (buffer, len)) in checked.outputs(spec, steps, signature).enumerate() {
        let is_left_out = buffer.absent().is_some() && !wanted(place);
        outputs.push(allocated(device, buffer.kind(), if is_left_out { 0 } else { len })?);
    }
    let raw_outputs: Vec<RawArray> = outputs
        .iter()
        .map(|output| match output {
            Output::<E>::Signal(array) => array.raw(),
            Output::<E>::State(array) | Output::<E>::Parameter(array) => array.raw(),
            Output::<E>::Bits(words) => words.raw(),
        })
        .collect();
    let prepared = PreparedCall::of::<E>(device, spec, neuron, template, gradient)?;
    let prepared = if scan { prepared.with_scan()? } else { prepared };
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
    // SAFETY: inputs are arrays of this device whose lengths were checked, outputs and workspace were allocated for the
    // call, and memory is freed in order on the same stream.
    unsafe { prepared.launch(&call)? };
    Ok(outputs)
}

/// An uninitialised array.
fn allocated<E: Element>(device: &CudaDevice, kind: Kind, len: usize) -> Result<Output<E>, CudaError> {
    Ok(match kind {
        Kind::Signal => Output::Signal(CudaArray::uninitialised(device, len)?),
        Kind::State => Output::State(CudaArray::uninitialised(device, len)?),
        Kind::Parameter => Output::Parameter(CudaArray::uninitialised(device, len)?),
        Kind::Bits => Output::Bits(CudaArray::uninitialised(device, len)?),
    })
}

/// Runs a call on arrays in the memory of the CPU, which are copied to `device` and back.
///
/// # Errors
/// As [`Neuron::run`], and [`Error::Cuda`].
pub fn run<N: Neuron, E: Element>(
    device: &CudaDevice,
    neuron: &N,
    call: Call<'_, '_, E>,
) -> Result<(), Error> {
    neuron.validate_in::<E::Real>()?;
    call.check(neuron.spec())?;
    call.check_parameters(neuron)?;
    let mut copies = Vec::new();
    for source in call.inputs {
        let copy = source.map(
            |array| CudaArray::from_slice(device, array),
            |array| CudaArray::from_slice(device, array),
            |parameter| Ok((CudaArray::from_slice(device, parameter.values())?, parameter.layout())),
            |none| match none {},
        );
        copies.push(copy.transpose()?);
    }
    let inputs: Vec<Input<'_, E>> = copies
        .iter()
        .map(|copy| {
            copy.as_ref().map(
                |array| array,
                |array| array,
                |(array, layout)| (array, *layout),
                |none: &Infallible| *none,
            )
        })
        .collect();
    let wanted = |place: usize| call.outputs[place].shape().1 > 0;
    let outputs =
        evaluate(device, neuron, call.template, call.gradient, false, call.neurons, &inputs, wanted)?;
    for (output, sink) in outputs.iter().zip(call.outputs) {
        match (output, sink) {
            (Output::Signal(array), Sink::Signal(sink)) => sink.copy_from_slice(&array.to_vec()?),
            (Output::State(array), Sink::State(sink)) | (Output::Parameter(array), Sink::Parameter(sink)) => {
                sink.copy_from_slice(&array.to_vec()?)
            }
            (Output::Bits(words), Sink::Bits(sink)) => sink.copy_from_slice(&words.to_vec()?),
            // Excluded by the check.
            _ => {}
        }
    }
    Ok(())
}
