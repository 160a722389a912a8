//! Templates on arrays, on the device of the arrays.

use std::convert::Infallible;

use crate::array::Data;
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::evaluate::evaluate_in_place;
use crate::parameter::{Layout, Parameter};
use crate::{
    Array, BufferSpec, ByClass, Device, Element, Error, Extent, Gradient, Neuron, Role, Source, Spec,
    Template,
};

/// An array; for bits, their words.
pub type AnyArray<E> = ByClass<Array<E>, Array<<E as Element>::Real>, Array<<E as Element>::Real>, Data<u32>>;

/// An array that a template reads.
pub type ArrayRef<'a, E> =
    ByClass<&'a Array<E>, &'a Array<<E as Element>::Real>, &'a Array<<E as Element>::Real>, Infallible>;

/// As [`ArrayRef`], with the layouts of parameters.
type Laid<'a, E> = ByClass<
    &'a Array<E>,
    &'a Array<<E as Element>::Real>,
    (&'a Array<<E as Element>::Real>, Layout),
    Infallible,
>;

/// The shapes of the arrays of a call, except parameters. They have been checked.
#[derive(Clone, Debug)]
pub struct Shapes {
    /// Shape of the states.
    pub dims: Vec<usize>,
    /// Shape of inputs and spikes.
    pub signals: Vec<usize>,
    pub steps: usize,
}

/// Arrays by role.
#[derive(Clone, Debug)]
pub struct ByRole<E: Element>(Vec<(Role, AnyArray<E>)>);

impl<E: Element> Default for ByRole<E> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<E: Element> ByRole<E> {
    /// Adds one.
    pub fn insert(&mut self, role: Role, array: AnyArray<E>) {
        self.0.push((role, array));
    }

    /// The array with the given role.
    pub fn get(&self, role: Role) -> Option<ArrayRef<'_, E>> {
        let (_, array) = self.0.iter().find(|(other, _)| *other == role)?;
        match array {
            ByClass::Signal(array) => Some(ByClass::Signal(array)),
            ByClass::State(array) => Some(ByClass::State(array)),
            ByClass::Parameter(array) => Some(ByClass::Parameter(array)),
            // No template reads bits.
            ByClass::Bits(_) => None,
        }
    }

    /// Removes and returns the array with the given role.
    pub fn take(&mut self, role: Role) -> Option<AnyArray<E>> {
        let at = self.0.iter().position(|(other, _)| *other == role)?;
        Some(self.0.swap_remove(at).1)
    }

    /// As [`ByRole::take`], for an array in the data's format.
    pub fn take_signal(&mut self, role: Role) -> Option<Array<E>> {
        match self.take(role)? {
            ByClass::Signal(array) => Some(array),
            _ => None,
        }
    }

    /// As [`ByRole::take`], for an array in the format of the arithmetic.
    pub fn take_state(&mut self, role: Role) -> Option<Array<E::Real>> {
        match self.take(role)? {
            ByClass::State(array) | ByClass::Parameter(array) => Some(array),
            _ => None,
        }
    }

    /// As [`ByRole::take`], for words of bits.
    pub fn take_bits(&mut self, role: Role) -> Option<Data<u32>> {
        match self.take(role)? {
            ByClass::Bits(words) => Some(words),
            _ => None,
        }
    }

    /// All of them, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &(Role, AnyArray<E>)> {
        self.0.iter()
    }
}

/// Runs one template on the device of its arrays and returns its outputs. `array` looks up the inputs. `scan` says whether a GPU may
/// scan sequences.
pub fn compute<'a, N: Neuron, E: Element>(
    neuron: &N,
    template: Template,
    gradient: Gradient,
    scan: bool,
    shapes: &Shapes,
    array: impl Fn(Role) -> Option<ArrayRef<'a, E>>,
) -> Result<ByRole<E>, Error> {
    let spec = neuron.spec();
    spec.check_template(template)?;
    if scan {
        spec.check_affine(neuron.reset())?;
    }
    let signature = spec.signature(template);
    let missing = || Error::Signature { neuron: spec.name, template, what: "inputs" };
    let inputs = signature.inputs.iter().map(|buffer| Ok((buffer, array(buffer.role).ok_or_else(missing)?)));
    let inputs = inputs.collect::<Result<Vec<_>, Error>>()?;
    let device = common_device(spec, &inputs)?;
    let neurons = shapes.dims.iter().product();
    let laid = inputs.iter().map(|&(buffer, array)| laid(spec, template, buffer, array, &shapes.dims));
    let laid = laid.collect::<Result<Vec<_>, Error>>()?;
    let shape_of = |buffer: &BufferSpec| match (buffer.role, buffer.extent.rows(shapes.steps)) {
        (Role::GradParam(index), _) => match array(Role::Param(index)) {
            Some(ByClass::Parameter(parameter)) => parameter.shape().to_vec(),
            _ => Vec::new(),
        },
        (_, Some(rows)) if buffer.extent == Extent::Checkpoint => [&[rows], &shapes.dims[..]].concat(),
        _ if buffer.extent == Extent::Step => shapes.signals.clone(),
        _ => shapes.dims.clone(),
    };
    let mut computed = ByRole::default();
    match device {
        Device::Cpu => {
            let sources: Vec<Source<'_, E>> = laid.iter().filter_map(|&input| source(input)).collect();
            for (buffer, output) in evaluate_in_place(neuron, template, gradient, neurons, &sources)? {
                let shape = || shape_of(buffer);
                let array = output.map(
                    |data| Array::new(shape(), Data::output(data)),
                    |data| Array::new(shape(), Data::output(data)),
                    |data| Array::new(shape(), Data::output(data)),
                    |words| Ok(Data::output(words)),
                );
                computed.insert(buffer.role, array.transpose()?);
            }
        }
        #[cfg(feature = "cuda")]
        Device::Cuda(device) => {
            let inputs: Vec<cuda::Input<'_, E>> = laid.iter().filter_map(|&input| on_gpu(input)).collect();
            let outputs =
                cuda::evaluate(&device, neuron, template, gradient, scan, neurons, &inputs, |_| true)?;
            for (buffer, output) in signature.outputs.iter().zip(outputs) {
                let shape = || shape_of(buffer);
                let array = output.map(
                    |data| Array::from_cuda(shape(), data),
                    |data| Array::from_cuda(shape(), data),
                    |data| Array::from_cuda(shape(), data),
                    |words| Ok(Data::Cuda(words)),
                );
                computed.insert(buffer.role, array.transpose()?);
            }
        }
    }
    Ok(computed)
}

/// Adds the layout if the array is a parameter.
fn laid<'a, E: Element>(
    spec: &'static Spec,
    template: Template,
    buffer: &BufferSpec,
    array: ArrayRef<'a, E>,
    dims: &[usize],
) -> Result<Laid<'a, E>, Error> {
    let wrong = || Error::Signature { neuron: spec.name, template, what: "parameters" };
    Ok(match array {
        ByClass::Signal(array) => ByClass::Signal(array),
        ByClass::State(array) => ByClass::State(array),
        ByClass::Parameter(array) => {
            let Role::Param(index) = buffer.role else { return Err(wrong()) };
            let param = spec.params.get(index).ok_or_else(wrong)?;
            let layout = Layout::of(spec.name, param, array.shape(), dims)?;
            ByClass::Parameter((array, layout))
        }
    })
}

/// An array on the CPU.
fn source<E: Element>(input: Laid<'_, E>) -> Option<Source<'_, E>> {
    Some(match input {
        ByClass::Signal(array) => Source::Signal(array.as_slice()?),
        ByClass::State(array) => Source::State(array.as_slice()?),
        ByClass::Parameter((array, layout)) => {
            Source::Parameter(Parameter::per_channel(array.as_slice()?, layout.inner))
        }
    })
}

/// An array on a GPU.
#[cfg(feature = "cuda")]
fn on_gpu<E: Element>(input: Laid<'_, E>) -> Option<cuda::Input<'_, E>> {
    fn on_gpu<T: Element>(array: &Array<T>) -> Option<&cuda::CudaArray<T>> {
        match array.data() {
            Data::Cuda(data) => Some(data),
            Data::Cpu(_) => None,
        }
    }
    Some(match input {
        ByClass::Signal(array) => ByClass::Signal(on_gpu(array)?),
        ByClass::State(array) => ByClass::State(on_gpu(array)?),
        ByClass::Parameter((array, layout)) => ByClass::Parameter((on_gpu(array)?, layout)),
    })
}

/// The device that all arrays are on.
fn common_device<E: Element>(
    spec: &'static Spec,
    inputs: &[(&'static BufferSpec, ArrayRef<'_, E>)],
) -> Result<Device, Error> {
    let mut devices = inputs.iter().map(|&(buffer, array)| match array {
        ByClass::Signal(array) => (buffer.name, array.device()),
        ByClass::State(array) | ByClass::Parameter(array) => (buffer.name, array.device()),
    });
    let Some((_, first)) = devices.next() else { return Ok(Device::Cpu) };
    match devices.find(|(_, device)| *device != first) {
        None => Ok(first),
        Some((argument, device)) => {
            Err(other_device(spec.name, argument, first.to_string(), device.to_string()))
        }
    }
}

/// The error for an array that is on another device than those before it.
fn other_device(neuron: &'static str, argument: &'static str, expected: String, actual: String) -> Error {
    let actual = match expected == actual {
        // Each has a stream of its own, so they are not interchangeable.
        true => "another `Device` of the same GPU; use clones of one `Device`".to_owned(),
        false => actual,
    };
    Error::Device { neuron, argument, expected, actual }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_devices_of_one_gpu_are_told_apart() {
        let message =
            |actual: &str| other_device("Lif", "v", "cuda:0".to_owned(), actual.to_owned()).to_string();
        assert_eq!(message("cpu"), "Lif: expected `v` on cuda:0, like the arrays before it, found it on cpu");
        assert_eq!(
            message("cuda:0"),
            "Lif: expected `v` on cuda:0, like the arrays before it, found it on another `Device` of the same GPU; \
             use clones of one `Device`"
        );
    }
}
