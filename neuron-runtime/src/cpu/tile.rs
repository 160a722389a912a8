//! A kernel's view of a call: its arrays, for the columns of one tile.

use std::convert::Infallible;
use std::marker::PhantomData;

use neuron_abi::WORD;

use crate::cpu::isa::Isa;
use crate::cpu::rows::{BitRowsMut, Columns, Streams};
use crate::cpu::values::Values;
use crate::number::LANES;
use crate::{ByClass, Class, Element, Gradient, Rows, RowsMut, Sink, Source, TileGradient};

/// Computes one template, tile by tile. Implemented by generated code.
pub trait Kernel<E: Element>: Sync {
    /// Computes the neurons of `tile`.
    fn tile(&self, tile: &Tile<'_, E>);

    /// Computes the neurons of some tiles, one after another on one thread: for kernels that keep memory from tile to
    /// tile.
    #[inline(always)]
    fn tiles<'w>(&self, tiles: impl Iterator<Item = Tile<'w, E>>)
    where
        E: 'w,
    {
        for tile in tiles {
            self.tile(&tile);
        }
    }
}

/// An input of [`Work`].
#[derive(Debug)]
pub(crate) enum Input<'a, E: Element> {
    /// An array with its number of rows.
    Rows(Source<'a, E>, usize),
    /// A number in place of a row of states, in every lane.
    Number([E::Real; LANES]),
}

/// An output, by pointer.
type Output<E> = ByClass<*mut E, *mut <E as Element>::Real, Infallible, *mut u32>;

/// A checked call, prepared for threads.
///
/// The exclusive borrows of the outputs become pointers, so that threads can write to different columns of the same
/// array.
#[derive(Debug)]
pub(crate) struct Work<'a, E: Element> {
    steps: usize,
    neurons: usize,
    gradient: Gradient,
    /// As checked by [`Work::new`].
    inputs: Vec<Input<'a, E>>,
    /// Each with its number of rows; `None` if it is left out.
    outputs: Vec<Option<(Output<E>, usize)>>,
    borrows: PhantomData<&'a mut [E]>,
}

// SAFETY: the arrays are borrowed for as long as the work exists, and are of types that may be shared and sent.
// Threads write through it to different columns only; see `Tile`.
unsafe impl<E: Element> Sync for Work<'_, E> {}

impl<'a, E: Element> Work<'a, E> {
    /// Takes arrays with their numbers of rows. A row has one element per neuron, or the words that hold one bit per neuron;
    /// parameters that are read have no rows. `None` is an output that is left out.
    ///
    /// # Panics
    /// If an array is shorter than its rows, which the check of a call rules out.
    pub(crate) fn new(
        steps: usize,
        neurons: usize,
        gradient: Gradient,
        inputs: impl Iterator<Item = Input<'a, E>>,
        outputs: impl Iterator<Item = Option<(Sink<'a, E>, usize)>>,
    ) -> Self {
        let check = |length: usize, rows: usize, class: Class| {
            let needed = rows.checked_mul(class.columns(neurons));
            assert!(needed.is_some_and(|needed| needed <= length), "an array shorter than its {rows} rows");
        };
        let check_input = |input: &Input<'a, E>| {
            let Input::Rows(source, rows) = *input else { return };
            match source {
                ByClass::Signal(array) => check(array.len(), rows, Class::Signal),
                ByClass::State(array) => check(array.len(), rows, Class::State),
                ByClass::Parameter(_) => {}
            }
        };
        let output = |sink: Option<(Sink<'a, E>, usize)>| {
            let (sink, rows) = sink?;
            let output = match sink {
                Sink::Signal(array) => {
                    check(array.len(), rows, Class::Signal);
                    ByClass::Signal(array.as_mut_ptr())
                }
                Sink::State(array) | Sink::Parameter(array) => {
                    check(array.len(), rows, Class::State);
                    ByClass::State(array.as_mut_ptr())
                }
                Sink::Bits(array) => {
                    check(array.len(), rows, Class::Bits);
                    ByClass::Bits(array.as_mut_ptr())
                }
            };
            Some((output, rows))
        };
        let (inputs, outputs) = (inputs.inspect(check_input).collect(), outputs.map(output).collect());
        Self { steps, neurons, gradient, inputs, outputs, borrows: PhantomData }
    }

    pub(crate) fn tiles(&self) -> usize {
        self.neurons.div_ceil(LANES)
    }

    /// Computes some tiles.
    #[inline(always)]
    pub(crate) fn run<K: Kernel<E>>(&self, kernel: &K, isa: Isa, tiles: std::ops::Range<usize>) {
        let gradient = TileGradient::new(self.gradient, isa);
        let _streams = Streams;
        kernel.tiles(tiles.map(|tile| {
            let first = tile * LANES;
            let width = LANES.min(self.neurons - first);
            Tile { work: self, first, width, gradient, thread: PhantomData }
        }));
    }
}

/// The arrays of a call, for the columns of one tile.
#[derive(Debug)]
pub struct Tile<'a, E: Element> {
    work: &'a Work<'a, E>,
    first: usize,
    width: usize,
    gradient: TileGradient<E::Real>,
    /// Its columns can be requested more than once, which is sound as long as it stays on its thread.
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
        let Input::Rows(ByClass::Signal(array), rows) = self.work.inputs[index] else {
            wrong_class(Class::State)
        };
        // SAFETY: the array has these rows and columns, as `Work::new` checked, and the tile's columns are among them; it
        // is borrowed for the lifetime. The addition wraps because an array without rows has no columns to point to.
        unsafe { Rows::new(array.as_ptr().wrapping_add(self.first), self.columns(rows)) }
    }

    /// Input `index` of the signature, in the format of the arithmetic.
    #[inline(always)]
    pub fn state(&self, index: usize) -> Rows<'a, E::Real> {
        match &self.work.inputs[index] {
            // SAFETY: as in `signal`.
            &Input::Rows(ByClass::State(array), rows) => unsafe {
                Rows::new(array.as_ptr().wrapping_add(self.first), self.columns(rows))
            },
            // SAFETY: one row, of at least as many elements as the tile has columns.
            Input::Number(lanes) => unsafe { Rows::new(lanes.as_ptr(), self.columns(1)) },
            Input::Rows(..) => wrong_class(Class::Signal),
        }
    }

    /// Input `index` of the signature, a parameter.
    #[inline(always)]
    pub fn values(&self, index: usize) -> Values<'a, E::Real> {
        let Input::Rows(ByClass::Parameter(parameter), _) = self.work.inputs[index] else {
            wrong_class(Class::State)
        };
        Values::new(parameter, self.first)
    }

    /// Output `index` of the signature, in the data's format.
    #[inline(always)]
    pub fn signal_mut(&self, index: usize) -> RowsMut<'a, E> {
        let Some((ByClass::Signal(array), rows)) = self.work.outputs[index] else {
            wrong_class(Class::State)
        };
        // SAFETY: as in `signal`; tiles have no columns in common, and neither a tile nor its views leave their
        // thread, so one row at a time is written.
        unsafe { RowsMut::new(array.wrapping_add(self.first), self.columns(rows)) }
    }

    /// Output `index` of the signature, in the format of the arithmetic.
    #[inline(always)]
    pub fn state_mut(&self, index: usize) -> RowsMut<'a, E::Real> {
        match self.work.outputs[index] {
            // SAFETY: as in `signal_mut`.
            Some((ByClass::State(array), rows)) => unsafe {
                RowsMut::new(array.wrapping_add(self.first), self.columns(rows))
            },
            Some(_) => wrong_class(Class::Signal),
            None => RowsMut::absent(),
        }
    }

    /// Output `index` of the signature, in bits.
    #[inline(always)]
    pub fn bits_mut(&self, index: usize) -> BitRowsMut<'a> {
        let Some((ByClass::Bits(array), rows)) = self.work.outputs[index] else { wrong_class(Class::State) };
        let stride = Class::Bits.columns(self.work.neurons);
        // SAFETY: as in `signal_mut`. A tile begins with a word, since its lanes are whole words.
        unsafe {
            BitRowsMut::new(array.wrapping_add(self.first / WORD), Columns { stride, ..self.columns(rows) })
        }
    }
}

/// Kernels and signatures are generated from the same program, so this is a bug in the generator.
#[cold]
fn wrong_class(class: Class) -> ! {
    panic!("the kernel disagrees with its signature: the array is a {class} array")
}
