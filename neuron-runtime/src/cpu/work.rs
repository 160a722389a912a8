//! A checked call, prepared for threads.

use std::convert::Infallible;
use std::marker::PhantomData;

use crate::number::LANES;
use crate::{ByClass, Class, Element, Gradient, Sink, Source};

/// An input of [`Work`].
#[derive(Debug)]
pub(crate) enum Input<'a, E: Element> {
    /// An array with its number of rows.
    Rows(Source<'a, E>, usize),
    /// A number in place of a row of states, in every lane.
    Number([E::Real; LANES]),
}

/// An output, by pointer.
pub(crate) type Output<E> = ByClass<*mut E, *mut <E as Element>::Real, Infallible, *mut u32>;

/// A checked call, prepared for threads.
///
/// The exclusive borrows of the outputs become pointers, so that threads can write to different columns of the same
/// array.
#[derive(Debug)]
pub(crate) struct Work<'a, E: Element> {
    steps: usize,
    neurons: usize,
    pub(super) gradient: Gradient,
    /// As checked by [`Work::new`].
    inputs: Vec<Input<'a, E>>,
    /// Each with its number of rows; `None` if it is left out.
    outputs: Vec<Option<(Output<E>, usize)>>,
    borrows: PhantomData<&'a mut [E]>,
}

// SAFETY: the arrays are borrowed for as long as the work exists, and are of types that may be shared and sent.
// Threads write through it to different columns only; see `Group`.
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

    #[inline(always)]
    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    #[inline(always)]
    pub(crate) fn neurons(&self) -> usize {
        self.neurons
    }

    pub(crate) fn inputs(&self) -> &[Input<'a, E>] {
        &self.inputs
    }

    #[inline(always)]
    pub(crate) fn input(&self, index: usize) -> &Input<'a, E> {
        &self.inputs[index]
    }

    #[inline(always)]
    pub(crate) fn output(&self, index: usize) -> &Option<(Output<E>, usize)> {
        &self.outputs[index]
    }
}

/// Kernels and signatures are generated from the same program, so this is a bug in the generator.
#[cold]
pub(crate) fn wrong_class(class: Class) -> ! {
    panic!("the kernel disagrees with its signature: the array is a {class} array")
}
