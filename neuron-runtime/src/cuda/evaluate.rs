//! Templates on a GPU with outputs allocated there.

use super::{CudaArray, Device, RawCall, launch};
use crate::{Class, Element, Error, Gradient, Neuron, Template};

/// An array that a template reads.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a, E: Element> {
    /// In the data's format.
    Signal(&'a CudaArray<E>),
    /// In the format of the arithmetic.
    State(&'a CudaArray<E::Real>),
}

/// Arrays that a template returned, by class, in order.
pub struct Outputs<E: Element> {
    pub signals: Vec<CudaArray<E>>,
    pub states: Vec<CudaArray<E::Real>>,
}

/// Runs one template on `device`; all lengths have been checked against the shapes.
pub fn evaluate<N: Neuron, E: Element>(
    device: &Device,
    neuron: &N,
    template: Template,
    gradient: Gradient,
    [steps, neurons]: [usize; 2],
    inputs: &[Input<'_, E>],
) -> Result<Outputs<E>, Error> {
    let mut outputs = Outputs { signals: Vec::new(), states: Vec::new() };
    let mut addresses = Vec::new();
    for buffer in N::SPEC.signature(template).outputs {
        let len = if buffer.per_step { steps * neurons } else { neurons };
        match buffer.class {
            Class::Signal => {
                let array = CudaArray::uninitialised(device, len)?;
                addresses.push(array.address());
                outputs.signals.push(array);
            }
            Class::State => {
                let array = CudaArray::uninitialised(device, len)?;
                addresses.push(array.address());
                outputs.states.push(array);
            }
        }
    }
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
