//! Templates over arrays: on the CPU or a GPU, wherever the arrays are.

use crate::array::Data;
use crate::call::Mode;
#[cfg(feature = "cuda")]
use crate::cuda::{self, Input};
use crate::evaluate::{Output, evaluate};
use crate::parameter::Layout;
use crate::{
    Array, Device, Element, Error, Extent, Gradient, Neuron, ParamKind, Parameter, Source, Spec, Template,
};

/// Outputs of a template by their class, in order.
pub struct Computed<E: Element> {
    pub signals: Vec<Array<E>>,
    pub states: Vec<Array<E::Real>>,
    pub parameters: Vec<Array<E::Real>>,
    /// Spikes as bits, of the shape of the inputs.
    pub bits: Option<Data<u32>>,
}

/// The arrays that a template reads, by their class, in order, and their shapes, which have been checked.
pub struct Arrays<'a, E: Element> {
    /// Shape of the states.
    pub dims: &'a [usize],
    /// Shape of inputs and spikes.
    pub shape: &'a [usize],
    pub steps: usize,
    pub signals: Vec<&'a Array<E>>,
    pub states: Vec<&'a Array<E::Real>>,
    /// Of any shapes: they are checked by [`compute`].
    pub parameters: Vec<&'a Array<E::Real>>,
}

/// Runs one template where its arrays are, and returns what it computes there.
pub fn compute<N: Neuron, E: Element>(
    neuron: &N,
    template: Template,
    gradient: Gradient,
    arrays: &Arrays<'_, E>,
) -> Result<Computed<E>, Error> {
    neuron.spec().check_template(template)?;
    let device = common_device(neuron.spec(), template, arrays)?;
    let neurons = arrays.dims.iter().product();
    let layouts = layouts(neuron.spec(), arrays)?;
    let learnables = neuron.spec().arrays().zip(&arrays.parameters);
    let learnables = learnables.filter(|(param, _)| param.kind == ParamKind::Learnable);
    let mut learnable_shapes = learnables.map(|(_, array)| array.shape());
    let outputs = neuron.spec().signature(template).outputs;
    let steps = arrays.steps;
    let shapes = outputs.iter().map(|buffer| match (buffer.extent, buffer.extent.rows(steps)) {
        (Extent::Step, _) => arrays.shape.to_vec(),
        (Extent::Checkpoint, Some(rows)) => [&[rows], arrays.dims].concat(),
        (_, Some(_)) => arrays.dims.to_vec(),
        (_, None) => learnable_shapes.next().unwrap_or(&[]).to_vec(),
    });
    let mut computed =
        Computed { signals: Vec::new(), states: Vec::new(), parameters: Vec::new(), bits: None };
    match device {
        Device::Cpu => {
            let signals = arrays.signals.iter().filter_map(|array| Some(Source::Signal(array.as_slice()?)));
            let states = arrays.states.iter().filter_map(|array| Some(Source::State(array.as_slice()?)));
            let parameters = arrays.parameters.iter().zip(layouts).filter_map(|(array, layout)| {
                Some(Source::Parameter(Parameter::per_channel(array.as_slice()?, layout.inner)))
            });
            let sources: Vec<Source<'_, E>> = signals.chain(states).chain(parameters).collect();
            let outputs = evaluate(neuron, Mode::Spiking, template, gradient, neurons, &sources)?;
            for ((_, output), shape) in outputs.into_arrays().zip(shapes) {
                match output {
                    Output::Signal(data) => computed.signals.push(Array::from_vec(shape, data)?),
                    Output::State(data) => computed.states.push(Array::from_vec(shape, data)?),
                    Output::Parameter(data) => computed.parameters.push(Array::from_vec(shape, data)?),
                    Output::Bits(words) => computed.bits = Some(Data::cpu(words)),
                }
            }
        }
        #[cfg(feature = "cuda")]
        Device::Cuda(device) => {
            let signals = arrays.signals.iter().filter_map(|array| match array.data() {
                Data::Cuda(data) => Some(Input::Signal(data)),
                Data::Cpu(_) => None,
            });
            let states = arrays.states.iter().filter_map(|array| match array.data() {
                Data::Cuda(data) => Some(Input::State(data)),
                Data::Cpu(_) => None,
            });
            let parameters =
                arrays.parameters.iter().zip(layouts).filter_map(|(array, layout)| match array.data() {
                    Data::Cuda(data) => Some(Input::Parameter((data, layout))),
                    Data::Cpu(_) => None,
                });
            let inputs: Vec<Input<'_, E>> = signals.chain(states).chain(parameters).collect();
            let outputs = cuda::evaluate(&device, neuron, template, gradient, neurons, &inputs)?;
            for (output, shape) in outputs.into_iter().zip(shapes) {
                match output {
                    cuda::Output::Signal(data) => computed.signals.push(Array::from_cuda(shape, data)?),
                    cuda::Output::State(data) => computed.states.push(Array::from_cuda(shape, data)?),
                    cuda::Output::Parameter(data) => computed.parameters.push(Array::from_cuda(shape, data)?),
                    cuda::Output::Bits(words) => computed.bits = Some(Data::Cuda(words)),
                }
            }
        }
    }
    Ok(computed)
}

/// How the values of each parameter are distributed over neurons.
fn layouts<E: Element>(spec: &'static Spec, arrays: &Arrays<'_, E>) -> Result<Vec<Layout>, Error> {
    let layout = |(param, array): (&crate::ParamSpec, &&Array<E::Real>)| {
        Layout::of(spec.name, param, array.shape(), arrays.dims)
    };
    spec.arrays().zip(&arrays.parameters).map(layout).collect()
}

/// The device that all arrays are on.
fn common_device<E: Element>(
    spec: &'static Spec,
    template: Template,
    arrays: &Arrays<'_, E>,
) -> Result<Device, Error> {
    let names = spec.signature(template).inputs.iter().map(|buffer| buffer.name);
    let signals = arrays.signals.iter().map(|array| array.device());
    let states = arrays.states.iter().chain(&arrays.parameters).map(|array| array.device());
    let mut devices = names.zip(signals.chain(states));
    let Some((_, first)) = devices.next() else { return Ok(Device::Cpu) };
    match devices.find(|(_, device)| *device != first) {
        None => Ok(first),
        Some((argument, device)) => Err(Error::Device {
            neuron: spec.name,
            argument,
            expected: first.to_string(),
            actual: device.to_string(),
        }),
    }
}
