//! Templates with outputs allocated for the caller.

pub use crate::call::Mode;
use crate::check::Inputs;
use crate::cpu::memory::Elements;
use crate::{
    BufferSpec, ByClass, Call, Device, Element, Error, Gradient, Kind, Neuron, Role, Sink, Source, Spec,
    Template,
};

/// An array that a template returned; for a parameter, its gradient.
pub type Output<E> = ByClass<Vec<E>, Vec<<E as Element>::Real>, Vec<<E as Element>::Real>, Vec<u32>>;

/// The same in memory that is kept when it is freed.
type OutputElements<E> =
    ByClass<Elements<E>, Elements<<E as Element>::Real>, Elements<<E as Element>::Real>, Elements<u32>>;

/// All arrays with their descriptions, in the order of the signature.
type Arrays<E> = Vec<(&'static BufferSpec, OutputElements<E>)>;

/// The arrays that a template returned.
#[derive(Clone, Debug, PartialEq)]
pub struct Outputs<E: Element> {
    arrays: Vec<(&'static BufferSpec, Output<E>)>,
}

impl<E: Element> Outputs<E> {
    fn of(arrays: Arrays<E>) -> Self {
        let owned = |output: OutputElements<E>| {
            output.map(Elements::into_vec, Elements::into_vec, Elements::into_vec, Elements::into_vec)
        };
        Self { arrays: arrays.into_iter().map(|(buffer, output)| (buffer, owned(output))).collect() }
    }

    /// Takes the array with the given role; `None` if there is none, or if it was already taken.
    pub fn take(&mut self, role: Role) -> Option<Output<E>> {
        let at = self.arrays.iter().position(|(buffer, _)| buffer.role == role)?;
        Some(self.arrays.remove(at).1)
    }

    /// As [`Outputs::take`], for an array in the data's format; `None` if it is of another class.
    pub fn take_signal(&mut self, role: Role) -> Option<Vec<E>> {
        match self.take(role)? {
            Output::Signal(array) => Some(array),
            Output::State(_) | Output::Parameter(_) | Output::Bits(_) => None,
        }
    }

    /// As [`Outputs::take`], for an array in the format of the arithmetic; `None` if it is of another class.
    pub fn take_state(&mut self, role: Role) -> Option<Vec<E::Real>> {
        match self.take(role)? {
            Output::State(array) | Output::Parameter(array) => Some(array),
            Output::Signal(_) | Output::Bits(_) => None,
        }
    }

    /// As [`Outputs::take`], for words of bits; `None` if it is of another class.
    pub fn take_bits(&mut self, role: Role) -> Option<Vec<u32>> {
        match self.take(role)? {
            Output::Bits(words) => Some(words),
            Output::Signal(_) | Output::State(_) | Output::Parameter(_) => None,
        }
    }

    /// All arrays with their descriptions, in the order of the signature.
    pub fn into_arrays(self) -> impl Iterator<Item = (&'static BufferSpec, Output<E>)> {
        self.arrays.into_iter()
    }
}

/// Runs one template of `neuron` and returns what it computes.
///
/// `inputs` are in the order of [`Signature::inputs`](crate::Signature::inputs); `neurons` is `N`.
///
/// # Errors
/// As [`Neuron::run`] and [`Neuron::run_relaxed`]; inputs are checked before memory is allocated.
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
    .map(Outputs::of)
}

/// As [`evaluate`] with [`Mode::Spiking`], on any device. For a GPU, the arrays are copied there and back.
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
        .map(Outputs::of)
}

/// As [`evaluate`] with [`Mode::Spiking`], without moving the elements.
pub(crate) fn evaluate_in_place<N: Neuron, E: Element>(
    neuron: &N,
    template: Template,
    gradient: Gradient,
    neurons: usize,
    inputs: &[Source<'_, E>],
) -> Result<Arrays<E>, Error> {
    evaluate_by(template, neurons, gradient, inputs, neuron.spec(), |call| neuron.run(call))
}

fn evaluate_by<E: Element>(
    template: Template,
    neurons: usize,
    gradient: Gradient,
    inputs: &[Source<'_, E>],
    spec: &'static Spec,
    run: impl FnOnce(Call<'_, '_, E>) -> Result<(), Error>,
) -> Result<Arrays<E>, Error> {
    // Checked before allocating, since the inputs determine the lengths of the outputs.
    let checked = Inputs { template, neurons, gradient, inputs };
    let (steps, signature) = checked.check::<E::Real>(spec)?;
    let mut arrays: Arrays<E> = checked
        .outputs(spec, steps, signature)
        .map(|(buffer, length)| (buffer, allocated(buffer.kind(), length)))
        .collect();
    let mut sinks: Vec<Sink<'_, E>> = arrays
        .iter_mut()
        .map(|(_, output)| {
            output.as_mut().map(
                |array| &mut **array,
                |array| &mut **array,
                |array| &mut **array,
                |array| &mut **array,
            )
        })
        .collect();
    run(Call { template, neurons, gradient, inputs, outputs: &mut sinks })?;
    Ok(arrays)
}

/// An array to be overwritten.
fn allocated<E: Element>(kind: Kind, length: usize) -> OutputElements<E> {
    match kind {
        Kind::Signal => ByClass::Signal(Elements::output(length)),
        Kind::State => ByClass::State(Elements::output(length)),
        Kind::Parameter => ByClass::Parameter(Elements::output(length)),
        Kind::Bits => ByClass::Bits(Elements::output(length)),
    }
}
