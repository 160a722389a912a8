//! Templates with outputs allocated for the caller.

pub use crate::call::Mode;
use crate::check::Inputs;
use crate::cpu::memory::space;
use crate::{
    BufferSpec, Call, Class, Device, Element, Error, Extent, Gradient, Neuron, ParamKind, Role, Sink, Source,
    Spec, Template,
};

/// An array that a template returned.
#[derive(Clone, Debug, PartialEq)]
pub enum Output<E: Element> {
    /// In the data's format.
    Signal(Vec<E>),
    /// In the format of the arithmetic.
    State(Vec<E::Real>),
    /// The gradient of a parameter.
    Parameter(Vec<E::Real>),
    /// Words of bits.
    Bits(Vec<u32>),
}

/// The arrays that a template returned.
#[derive(Clone, Debug, PartialEq)]
pub struct Outputs<E: Element> {
    arrays: Vec<(&'static BufferSpec, Output<E>)>,
}

impl<E: Element> Outputs<E> {
    /// The array of that role, or `None` if there is none or it was taken before.
    pub fn take(&mut self, role: Role) -> Option<Output<E>> {
        let at = self.arrays.iter().position(|(buffer, _)| buffer.role == role)?;
        Some(self.arrays.remove(at).1)
    }

    /// As [`Outputs::take`], of an array in the data's format; `None` also for another one.
    pub fn take_signal(&mut self, role: Role) -> Option<Vec<E>> {
        match self.take(role)? {
            Output::Signal(array) => Some(array),
            Output::State(_) | Output::Parameter(_) | Output::Bits(_) => None,
        }
    }

    /// As [`Outputs::take`], of an array in the format of the arithmetic; `None` also for another one.
    pub fn take_state(&mut self, role: Role) -> Option<Vec<E::Real>> {
        match self.take(role)? {
            Output::State(array) | Output::Parameter(array) => Some(array),
            Output::Signal(_) | Output::Bits(_) => None,
        }
    }

    /// As [`Outputs::take`], of words of bits; `None` also for another array.
    pub fn take_bits(&mut self, role: Role) -> Option<Vec<u32>> {
        match self.take(role)? {
            Output::Bits(words) => Some(words),
            Output::Signal(_) | Output::State(_) | Output::Parameter(_) => None,
        }
    }

    /// All arrays with what the signature says of them, in its order.
    pub fn into_arrays(self) -> impl Iterator<Item = (&'static BufferSpec, Output<E>)> {
        self.arrays.into_iter()
    }
}

/// Runs one template of `neuron` and returns what it computes.
///
/// `inputs` are in the order of [`Signature::inputs`](crate::Signature::inputs); `neurons` is `N`.
///
/// # Errors
/// As [`Neuron::run`] and [`Neuron::run_relaxed`]; inputs are checked before any memory is asked for.
pub fn evaluate<N: Neuron, E: Element>(
    neuron: &N,
    mode: Mode,
    template: Template,
    gradient: Gradient,
    neurons: usize,
    inputs: &[Source<'_, E>],
) -> Result<Outputs<E>, Error> {
    evaluate_by(template, neurons, gradient, inputs, neuron.spec(), |call| match mode {
        Mode::Spiking => neuron.run(call),
        Mode::Relaxed => neuron.run_relaxed(call),
    })
}

/// As [`evaluate`] for the neuron as declared, on any device: on a GPU the arrays are copied there and back.
///
/// # Errors
/// As [`Neuron::run`], and [`Error::Cuda`].
pub fn evaluate_on<N: Neuron, E: Element>(
    device: &Device,
    neuron: &N,
    template: Template,
    gradient: Gradient,
    neurons: usize,
    inputs: &[Source<'_, E>],
) -> Result<Outputs<E>, Error> {
    evaluate_by(template, neurons, gradient, inputs, neuron.spec(), |call| device.run(neuron, call))
}

fn evaluate_by<E: Element>(
    template: Template,
    neurons: usize,
    gradient: Gradient,
    inputs: &[Source<'_, E>],
    spec: &'static Spec,
    run: impl FnOnce(Call<'_, '_, E>) -> Result<(), Error>,
) -> Result<Outputs<E>, Error> {
    // Before anything is allocated: outputs are as long as the inputs say.
    let (steps, signature) = Inputs { template, neurons, gradient, inputs }.check::<E::Real>(spec)?;
    let arrays = inputs.iter().filter_map(|input| match input {
        Source::Parameter(parameter) => Some(parameter.values().len()),
        Source::Signal(_) | Source::State(_) => None,
    });
    let arrays = spec.arrays().zip(arrays);
    let mut lengths = arrays.filter(|(p, _)| p.kind == ParamKind::Learnable).map(|(_, length)| length);
    let mut outputs: Vec<Output<E>> = signature
        .outputs
        .iter()
        .map(|buffer| {
            let length = buffer.elements(steps, neurons);
            let length = length.unwrap_or_else(|| lengths.next().unwrap_or(0));
            match (buffer.extent, buffer.class) {
                (Extent::Parameter, _) => Output::Parameter(space(length)),
                (_, Class::Signal) => Output::Signal(space(length)),
                (_, Class::State) => Output::State(space(length)),
                (_, Class::Bits) => Output::Bits(space(length)),
            }
        })
        .collect();
    let mut sinks: Vec<Sink<'_, E>> = outputs
        .iter_mut()
        .map(|output| match output {
            Output::Signal(array) => Sink::Signal(array),
            Output::State(array) => Sink::State(array),
            Output::Parameter(array) => Sink::Parameter(array),
            Output::Bits(words) => Sink::Bits(words),
        })
        .collect();
    run(Call { template, neurons, gradient, inputs, outputs: &mut sinks })?;
    Ok(Outputs { arrays: signature.outputs.iter().zip(outputs).collect() })
}
