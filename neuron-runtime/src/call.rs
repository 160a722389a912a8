//! A call of one template, over any neuron: buffers in the order of the neuron's
//! [`Signature`](crate::Signature), checked before any work is done.

use std::convert::Infallible;
use std::marker::PhantomData;

use crate::number::{AnyFormat, PerFormat};
use crate::{ByClass, Element, Gradient, Parameter, Template};

/// An array to read.
pub type Source<'a, E> =
    ByClass<&'a [E], &'a [<E as Element>::Real], Parameter<'a, <E as Element>::Real>, Infallible>;

/// An array to write; for a parameter, its gradient, with as many values as the parameter. Its previous contents are
/// unspecified (the runtime passes the memory of freed arrays), and a template overwrites all of them. A neuron written by
/// hand must do so, too.
pub type Sink<'a, E> =
    ByClass<&'a mut [E], &'a mut [<E as Element>::Real], &'a mut [<E as Element>::Real], &'a mut [u32]>;

/// A call of one template.
#[derive(Debug)]
pub struct Call<'c, 'a, E: Element> {
    /// What to compute.
    pub template: Template,
    /// Number of neurons `N`: the product of all dimensions but time. The number of steps `T` follows from
    /// it and the length of the first per-step array; it is 1 for the single-step templates.
    pub neurons: usize,
    /// How spikes are differentiated; read by the with-grad templates only.
    pub gradient: Gradient,
    /// Arrays to read, in the order of [`Signature::inputs`](crate::Signature::inputs). Those that the template can do without,
    /// [`BufferSpec::absent`](crate::BufferSpec::absent), may be empty.
    pub inputs: &'c [Source<'a, E>],
    /// Arrays to write, in the order of [`Signature::outputs`](crate::Signature::outputs). Those that the template can do
    /// without may be empty.
    pub outputs: &'c mut [Sink<'a, E>],
}

/// Which model to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The neuron as declared.
    Spiking,
    /// The relaxed model, for [`Template::FpttWithGrad`] and [`Template::ForwardWithGrad`]: the surrogate's primitive in
    /// place of the spike.
    Relaxed,
}

/// A call on data of one of the four formats.
pub type AnyCall<'c, 'a> = AnyFormat<Calls<'c, 'a>>;

/// Calls of all formats.
#[doc(hidden)]
#[derive(Debug)]
pub struct Calls<'c, 'a>(PhantomData<&'c mut Source<'a, f32>>);

impl<'c, 'a> PerFormat for Calls<'c, 'a> {
    type Of<E: Element> = Call<'c, 'a, E>;
}

impl<'c, 'a, E: Element> From<Call<'c, 'a, E>> for AnyCall<'c, 'a> {
    fn from(call: Call<'c, 'a, E>) -> Self {
        E::any(call)
    }
}
