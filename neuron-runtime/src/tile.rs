//! What a kernel sees of a call: its arrays, for the columns of one tile.

use std::marker::PhantomData;

use crate::isa::Isa;
use crate::rows::{Columns, LANES};
use crate::{Class, Element, Gradient, Rows, RowsMut, Sink, Source, TileGradient};

/// Computes one template, tile by tile. Implemented by generated code.
pub trait Kernel<E: Element>: Sync {
    /// Computes the neurons of `tile`.
    fn tile(&self, tile: &Tile<'_, E>);
}

/// An array of a checked call.
#[derive(Clone, Copy, Debug)]
enum Array<S, R> {
    Signal(S),
    State(R),
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
    inputs: Vec<(Array<*const E, *const E::Real>, bool)>,
    outputs: Vec<(Array<*mut E, *mut E::Real>, bool)>,
}

// SAFETY: the arrays are borrowed by the call for as long as the work is done, and are of types that may be
// shared and sent. Threads write through it to different columns only; see `Tile`.
unsafe impl<E: Element> Sync for Work<E> {}

impl<E: Element> Work<E> {
    /// Of arrays that have been checked against the signature: `[steps, neurons]` where `per_step` says so,
    /// else `[neurons]`.
    pub(crate) fn new<'w, 'a: 'w>(
        steps: usize,
        neurons: usize,
        gradient: Gradient,
        inputs: impl Iterator<Item = (Source<'a, E>, bool)>,
        outputs: impl Iterator<Item = (&'w mut Sink<'a, E>, bool)>,
    ) -> Self {
        let input = |(source, per_step)| match source {
            Source::Signal(array) => (Array::Signal(<[E]>::as_ptr(array)), per_step),
            Source::State(array) => (Array::State(<[E::Real]>::as_ptr(array)), per_step),
        };
        let output = |(sink, per_step): (&'w mut Sink<'a, E>, bool)| match sink {
            Sink::Signal(array) => (Array::Signal(array.as_mut_ptr()), per_step),
            Sink::State(array) => (Array::State(array.as_mut_ptr()), per_step),
        };
        Self {
            steps,
            neurons,
            gradient,
            inputs: inputs.map(input).collect(),
            outputs: outputs.map(output).collect(),
        }
    }

    pub(crate) fn tiles(&self) -> usize {
        self.neurons.div_ceil(LANES)
    }

    /// Computes some tiles.
    #[inline(always)]
    pub(crate) fn run<K: Kernel<E>>(&self, kernel: &K, isa: Isa, tiles: std::ops::Range<usize>) {
        let gradient = TileGradient::new(self.gradient, isa);
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
    fn columns(&self, per_step: bool) -> Columns {
        let rows = if per_step { self.work.steps } else { 1 };
        Columns { rows, stride: self.work.neurons, width: self.width }
    }

    /// Input `index` of the signature, in the data's format.
    #[inline(always)]
    pub fn signal(&self, index: usize) -> Rows<'a, E> {
        let (Array::Signal(array), per_step) = self.work.inputs[index] else { wrong_class(Class::State) };
        // SAFETY: the array has the rows and columns that `Work::new` was told, and the tile's columns are
        // among them; it is only read during the call.
        unsafe { Rows::new(array.add(self.first), self.columns(per_step)) }
    }

    /// Input `index` of the signature, in the format of the arithmetic.
    #[inline(always)]
    pub fn state(&self, index: usize) -> Rows<'a, E::Real> {
        let (Array::State(array), per_step) = self.work.inputs[index] else { wrong_class(Class::Signal) };
        // SAFETY: as in `signal`.
        unsafe { Rows::new(array.add(self.first), self.columns(per_step)) }
    }

    /// Output `index` of the signature, in the data's format.
    #[inline(always)]
    pub fn signal_mut(&self, index: usize) -> RowsMut<'a, E> {
        let (Array::Signal(array), per_step) = self.work.outputs[index] else { wrong_class(Class::State) };
        // SAFETY: as in `signal`; tiles have no columns in common, and neither a tile nor its views leave their
        // thread, so one row at a time is written.
        unsafe { RowsMut::new(array.add(self.first), self.columns(per_step)) }
    }

    /// Output `index` of the signature, in the format of the arithmetic.
    #[inline(always)]
    pub fn state_mut(&self, index: usize) -> RowsMut<'a, E::Real> {
        let (Array::State(array), per_step) = self.work.outputs[index] else { wrong_class(Class::Signal) };
        // SAFETY: as in `signal_mut`.
        unsafe { RowsMut::new(array.add(self.first), self.columns(per_step)) }
    }
}

/// Kernels and signatures are printed from the same program, so this is a mistake in the generator.
#[cold]
fn wrong_class(class: Class) -> ! {
    panic!("the kernel disagrees with its signature: the array is a {class} array")
}
