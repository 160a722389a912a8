//! What a kernel sees of a call: its arrays, for the columns of one tile.

use std::convert::Infallible;
use std::marker::PhantomData;

use crate::isa::Isa;
use crate::parameter::{Layout, Values};
use crate::rows::{BitRowsMut, Columns, LANES, Streams};
use crate::spec::WORD;
use crate::{Class, Element, Gradient, Parameter, Rows, RowsMut, Sink, Source, TileGradient};

/// Computes one template, tile by tile. Implemented by generated code.
pub trait Kernel<E: Element>: Sync {
    /// Computes the neurons of `tile`.
    fn tile(&self, tile: &Tile<'_, E>);
}

/// An array of a checked call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Array<S, R, P = Infallible, B = Infallible> {
    Signal(S),
    State(R),
    Parameter(P),
    Bits(B),
}

type Input<E> = Array<*const E, *const <E as Element>::Real, (*const <E as Element>::Real, Layout)>;

/// Where to write an output.
pub(crate) type Output<E> = Array<*mut E, *mut <E as Element>::Real, Infallible, *mut u32>;

impl<E: Element> Sink<'_, E> {
    /// Where it is.
    pub(crate) fn pointer(&mut self) -> Output<E> {
        match self {
            Self::Signal(array) => Array::Signal(array.as_mut_ptr()),
            // What a kernel writes of a parameter's gradient is the part of each neuron.
            Self::State(array) | Self::Parameter(array) => Array::State(array.as_mut_ptr()),
            Self::Bits(array) => Array::Bits(array.as_mut_ptr()),
        }
    }
}

/// A checked call, taken apart for threads to work on.
///
/// The exclusive borrows of the outputs become pointers here, so that threads can write to different columns
/// of the same array.
#[derive(Debug)]
pub(crate) struct Work<E: Element> {
    steps: usize,
    neurons: usize,
    gradient: Gradient,
    /// With the rows of each.
    inputs: Vec<(Input<E>, usize)>,
    outputs: Vec<(Output<E>, usize)>,
}

// SAFETY: the arrays are borrowed by the call for as long as the work is done, and are of types that may be
// shared and sent. Threads write through it to different columns only; see `Tile`.
unsafe impl<E: Element> Sync for Work<E> {}

impl<E: Element> Work<E> {
    /// Of arrays that have been checked against the signature, each with its rows of `neurons` elements. Outputs
    /// stay borrowed as long as the result is used.
    pub(crate) fn new<'a>(
        steps: usize,
        neurons: usize,
        gradient: Gradient,
        inputs: impl Iterator<Item = (Source<'a, E>, usize)>,
        outputs: impl Iterator<Item = (Output<E>, usize)>,
    ) -> Self {
        let input = |(source, rows)| match source {
            Source::Signal(array) => (Array::Signal(<[E]>::as_ptr(array)), rows),
            Source::State(array) => (Array::State(<[E::Real]>::as_ptr(array)), rows),
            Source::Parameter(parameter) => {
                (Array::Parameter((parameter.values().as_ptr(), parameter.layout())), rows)
            }
        };
        Self { steps, neurons, gradient, inputs: inputs.map(input).collect(), outputs: outputs.collect() }
    }

    pub(crate) fn tiles(&self) -> usize {
        self.neurons.div_ceil(LANES)
    }

    /// Computes some tiles.
    #[inline(always)]
    pub(crate) fn run<K: Kernel<E>>(&self, kernel: &K, isa: Isa, tiles: std::ops::Range<usize>) {
        let gradient = TileGradient::new(self.gradient, isa);
        let _streams = Streams;
        for tile in tiles {
            let first = tile * LANES;
            let width = LANES.min(self.neurons - first);
            kernel.tile(&Tile { work: self, first, width, gradient, thread: PhantomData });
        }
    }
}

/// The arrays of a call, for the columns of one tile.
#[derive(Debug)]
pub struct Tile<'a, E: Element> {
    work: &'a Work<E>,
    first: usize,
    width: usize,
    gradient: TileGradient<E::Real>,
    /// Its columns may be asked for twice, which is sound as long as it stays on its thread.
    thread: PhantomData<*mut ()>,
}

impl<'a, E: Element> Tile<'a, E> {
    /// Number of steps.
    #[inline(always)]
    pub fn steps(&self) -> usize {
        self.work.steps
    }

    /// How spikes are differentiated.
    #[inline(always)]
    pub fn gradient(&self) -> &TileGradient<E::Real> {
        &self.gradient
    }

    #[inline(always)]
    fn columns(&self, rows: usize) -> Columns {
        Columns { rows, stride: self.work.neurons, width: self.width }
    }

    /// Input `index` of the signature, in the data's format.
    #[inline(always)]
    pub fn signal(&self, index: usize) -> Rows<'a, E> {
        let (Array::Signal(array), rows) = self.work.inputs[index] else { wrong_class(Class::State) };
        // SAFETY: the array has the rows and columns that `Work::new` was told, and the tile's columns are
        // among them; it is only read during the call. An array without rows has no columns to point to,
        // hence the wrapping addition.
        unsafe { Rows::new(array.wrapping_add(self.first), self.columns(rows)) }
    }

    /// Input `index` of the signature, in the format of the arithmetic.
    #[inline(always)]
    pub fn state(&self, index: usize) -> Rows<'a, E::Real> {
        let (Array::State(array), rows) = self.work.inputs[index] else { wrong_class(Class::Signal) };
        // SAFETY: as in `signal`.
        unsafe { Rows::new(array.wrapping_add(self.first), self.columns(rows)) }
    }

    /// Input `index` of the signature, a parameter.
    #[inline(always)]
    pub fn values(&self, index: usize) -> Values<'a, E::Real> {
        let (Array::Parameter((values, layout)), _) = self.work.inputs[index] else {
            wrong_class(Class::State)
        };
        // SAFETY: it is the array that `Work::new` was given, of that length; it is only read during the call.
        let values = unsafe { std::slice::from_raw_parts(values, layout.count) };
        Values::new(Parameter::per_channel(values, layout.inner), self.first)
    }

    /// Output `index` of the signature, in the data's format.
    #[inline(always)]
    pub fn signal_mut(&self, index: usize) -> RowsMut<'a, E> {
        let (Array::Signal(array), rows) = self.work.outputs[index] else { wrong_class(Class::State) };
        // SAFETY: as in `signal`; tiles have no columns in common, and neither a tile nor its views leave their
        // thread, so one row at a time is written.
        unsafe { RowsMut::new(array.wrapping_add(self.first), self.columns(rows)) }
    }

    /// Output `index` of the signature, in the format of the arithmetic.
    #[inline(always)]
    pub fn state_mut(&self, index: usize) -> RowsMut<'a, E::Real> {
        let (Array::State(array), rows) = self.work.outputs[index] else { wrong_class(Class::Signal) };
        // SAFETY: as in `signal_mut`.
        unsafe { RowsMut::new(array.wrapping_add(self.first), self.columns(rows)) }
    }

    /// Output `index` of the signature, in bits.
    #[inline(always)]
    pub fn bits_mut(&self, index: usize) -> BitRowsMut<'a> {
        let (Array::Bits(array), rows) = self.work.outputs[index] else { wrong_class(Class::State) };
        let stride = Class::Bits.columns(self.work.neurons);
        // SAFETY: as in `signal_mut`. A tile begins with a word, since its lanes are whole words.
        unsafe {
            BitRowsMut::new(array.wrapping_add(self.first / WORD), Columns { stride, ..self.columns(rows) })
        }
    }
}

/// Kernels and signatures are printed from the same program, so this is a mistake in the generator.
#[cold]
fn wrong_class(class: Class) -> ! {
    panic!("the kernel disagrees with its signature: the array is a {class} array")
}
