//! Several tiles at once, for kernels that keep their values in memory and compute adjacent tiles together.

use std::marker::PhantomData;

use neuron_abi::WORD;

use crate::cpu::rows::{BitRowsMut, Columns};
use crate::cpu::values::Values;
use crate::cpu::work::{Input, Output, Work, wrong_class};
use crate::number::LANES;
use crate::{ByClass, Class, Element, Rows, RowsMut, TileGradient};

/// The arrays of a call, for the columns of adjacent tiles.
#[derive(Debug)]
pub struct Group<'a, E: Element> {
    pub(crate) work: &'a Work<'a, E>,
    /// Of all neurons.
    pub(crate) first: usize,
    /// Columns: those of full tiles, except perhaps of the last one.
    pub(crate) width: usize,
    gradient: TileGradient<E::Real>,
    thread: PhantomData<*mut ()>,
}

impl<'a, E: Element> Group<'a, E> {
    #[inline(always)]
    pub(crate) fn new(
        work: &'a Work<'a, E>,
        first: usize,
        width: usize,
        gradient: TileGradient<E::Real>,
    ) -> Self {
        Self { work, first, width, gradient, thread: PhantomData }
    }

    /// Number of steps.
    #[inline(always)]
    pub fn steps(&self) -> usize {
        self.work.steps()
    }

    /// Number of tiles.
    #[inline(always)]
    pub fn tiles(&self) -> usize {
        self.width.div_ceil(LANES)
    }

    /// How spikes are differentiated.
    #[inline(always)]
    pub fn gradient(&self) -> &TileGradient<E::Real> {
        &self.gradient
    }

    #[inline(always)]
    fn columns(&self, rows: usize) -> Columns {
        Columns { rows, stride: self.work.neurons(), width: self.width }
    }

    /// Input `index` of the signature, in the data's format.
    #[inline(always)]
    pub fn signal(&self, index: usize) -> Rows<'a, E> {
        let Input::Rows(ByClass::Signal(array), rows) = *self.work.input(index) else {
            wrong_class(Class::State)
        };
        // SAFETY: the array has these rows and columns, as `Work::new` checked, and those of the group are among them; it
        // is borrowed for the lifetime. The addition wraps because an array without rows has no columns to point to.
        unsafe { Rows::new(array.as_ptr().wrapping_add(self.first), self.columns(rows)) }
    }

    /// Input `index` of the signature, in the format of the arithmetic; a number, in every lane, if the array is left out.
    #[inline(always)]
    pub fn state(&self, index: usize) -> Result<Rows<'a, E::Real>, &'a [E::Real; LANES]> {
        match self.work.input(index) {
            &Input::Rows(ByClass::State(array), rows) => {
                let first = array.as_ptr().wrapping_add(self.first);
                // SAFETY: as in `signal`.
                Ok(unsafe { Rows::new(first, self.columns(rows)) })
            }
            Input::Number(lanes) => Err(lanes),
            Input::Rows(..) => wrong_class(Class::Signal),
        }
    }

    /// Input `index` of the signature, a parameter, for the columns of a tile.
    #[inline(always)]
    pub fn values(&self, index: usize, tile: usize) -> Values<'a, E::Real> {
        let Input::Rows(ByClass::Parameter(parameter), _) = *self.work.input(index) else {
            wrong_class(Class::State)
        };
        Values::new(parameter, self.first + tile * LANES)
    }

    /// Output `index` of the signature, in the data's format.
    #[inline(always)]
    pub fn signal_mut(&self, index: usize) -> RowsMut<'a, E> {
        let Some((Output::<E>::Signal(array), rows)) = *self.work.output(index) else {
            wrong_class(Class::State)
        };
        // SAFETY: as in `signal`; groups have no columns in common, and neither a group nor its views leave their
        // thread, so one row at a time is written.
        unsafe { RowsMut::new(array.wrapping_add(self.first), self.columns(rows)) }
    }

    /// Output `index` of the signature, in the format of the arithmetic.
    #[inline(always)]
    pub fn state_mut(&self, index: usize) -> RowsMut<'a, E::Real> {
        match *self.work.output(index) {
            // SAFETY: as in `signal_mut`.
            Some((Output::<E>::State(array), rows)) => unsafe {
                RowsMut::new(array.wrapping_add(self.first), self.columns(rows))
            },
            Some(_) => wrong_class(Class::Signal),
            None => RowsMut::absent(),
        }
    }

    /// Output `index` of the signature, in bits.
    #[inline(always)]
    pub fn bits_mut(&self, index: usize) -> BitRowsMut<'a> {
        let Some((Output::<E>::Bits(array), rows)) = *self.work.output(index) else {
            wrong_class(Class::State)
        };
        let stride = Class::Bits.columns(self.work.neurons());
        // SAFETY: as in `signal_mut`. A tile begins with a word, since its lanes are whole words.
        unsafe {
            BitRowsMut::new(array.wrapping_add(self.first / WORD), Columns { stride, ..self.columns(rows) })
        }
    }
}
