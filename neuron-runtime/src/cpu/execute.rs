//! Runs the kernel of a call on all tiles, after every check.

use rayon::prelude::*;

use crate::cpu::isa::{Isa, dispatch};
use crate::cpu::sums::sums;
use crate::cpu::tile::Kernel;
use crate::cpu::work::{Input, Work};
use crate::initial::initial_values;
use crate::number::LANES;
use crate::summation::columns;
use crate::{Absent, BufferSpec, Call, Element, Error, Neuron, Real, Sink, Source, Template};

/// The number of neuron-steps from which threads are worthwhile. Measured with LIF on two cores: starting tasks takes about
/// 5 microseconds, in which one core computes about 2^14 neuron-steps.
const PARALLEL: usize = 1 << 15;

/// The minimum number of tiles per task.
const TILES_PER_TASK: usize = 4;

impl<'a, E: Element> Call<'_, 'a, E> {
    /// Checks the call against the neuron's signature and runs `kernel` on all neurons.
    ///
    /// # Errors
    /// [`Error::BufferCount`], [`Error::BufferClass`], [`Error::Empty`], [`Error::NotAMultiple`],
    /// [`Error::Length`], [`Error::SurrogateParameter`], [`Error::Signature`], and as [`Neuron::validate_in`]. Then nothing
    /// has been written.
    pub fn execute<N: Neuron, K: Kernel<E>>(self, neuron: &N, kernel: &K) -> Result<(), Error> {
        let spec = neuron.spec();
        neuron.validate_in::<E::Real>()?;
        let (steps, signature) = self.check(spec)?;
        self.check_parameters(neuron)?;
        let layouts: Vec<_> = self.inputs().learnables(spec).collect();
        let columns = columns(self.inputs.iter().filter_map(Source::layout), self.neurons);
        let Self { template, neurons, gradient, inputs, outputs } = self;
        // The gradients per neuron, which are summed below.
        let mut parts: Vec<Vec<E::Real>> =
            layouts.iter().map(|_| vec![E::Real::default(); neurons]).collect();
        let first = outputs.len() - layouts.len();
        let (arrays, totals) = outputs.split_at_mut(first);
        let rows = |buffer: &BufferSpec| buffer.extent.rows(steps).unwrap_or(1);
        let read = inputs.iter().zip(signature.inputs);
        let left_out = read.clone().filter(|(source, buffer)| buffer.left_out(source.shape().1).is_some());
        let initial = initial_values(neuron, template, left_out.map(|(_, buffer)| buffer))?;
        let source = |(source, buffer): (&Source<'a, E>, &BufferSpec)| match buffer.left_out(source.shape().1)
        {
            None => Input::Rows(*source, rows(buffer)),
            Some(Absent::Initial(index)) => Input::Number([E::Real::from_f64(initial[index]); LANES]),
            Some(Absent::Zero | Absent::Unwritten) => Input::Number([E::Real::ZERO; LANES]),
        };
        let sources = read.map(source);
        let written = arrays.iter_mut().zip(signature.outputs);
        let sinks = written.map(|(sink, buffer)| match buffer.left_out(sink.shape().1) {
            None => Some((reborrow(sink), rows(buffer))),
            Some(_) => None,
        });
        let sinks = sinks.chain(parts.iter_mut().map(|part| Some((Sink::State(part), 1))));
        let work = Work::new(steps, neurons, gradient, sources, sinks);
        run(&work, kernel, Isa::current(), steps * neurons);
        for ((part, layout), total) in parts.iter().zip(layouts).zip(totals) {
            if let Sink::Parameter(total) = total {
                sums(part, columns, layout, total);
            }
        }
        Ok(())
    }

    /// As [`Call::execute`], with the kernel of the relaxed model.
    ///
    /// # Errors
    /// As [`Call::execute`]; [`Error::NotRelaxed`] for a template that has no such kernel.
    pub fn execute_relaxed<N: Neuron, K: Kernel<E>>(self, neuron: &N, kernel: &K) -> Result<(), Error> {
        match self.template {
            // One kernel serves both: a step is a sequence of length 1.
            Template::ForwardWithGrad | Template::FpttWithGrad => self.execute(neuron, kernel),
            template => Err(Error::NotRelaxed { neuron: neuron.spec().name, template }),
        }
    }
}

/// Borrows the array again, for a shorter time.
fn reborrow<'s, E: Element>(sink: &'s mut Sink<'_, E>) -> Sink<'s, E> {
    sink.as_mut().map(|array| &mut **array, |array| &mut **array, |array| &mut **array, |array| &mut **array)
}

/// Runs `kernel` on all tiles, on several threads if there is enough work.
///
/// Neurons are independent of each other, so results do not depend on how they are distributed.
fn run<E: Element, K: Kernel<E>>(work: &Work<'_, E>, kernel: &K, isa: Isa, neuron_steps: usize) {
    let tiles = work.tiles();
    // Asking for their number starts them, which small calls need not pay for.
    let threads = if neuron_steps < PARALLEL { 1 } else { rayon::current_num_threads() };
    if threads == 1 {
        return tile_range(isa, work, kernel, 0..tiles);
    }
    // Several tasks per thread, so that a delayed thread does not delay the others.
    let size = tiles.div_ceil(threads * 8).max(TILES_PER_TASK);
    (0..tiles.div_ceil(size)).into_par_iter().for_each(|task| {
        let first = task * size;
        tile_range(isa, work, kernel, first..tiles.min(first + size));
    });
}

fn tile_range<E: Element, K: Kernel<E>>(
    isa: Isa,
    work: &Work<'_, E>,
    kernel: &K,
    tiles: std::ops::Range<usize>,
) {
    range(isa, isa, work, kernel, tiles);
}

dispatch! {
    /// Some tiles, compiled for each instruction set.
    fn range<E: Element, K: Kernel<E>>(set: Isa, work: &Work<'_, E>, kernel: &K, tiles: std::ops::Range<usize>) => inlined
}

#[inline(always)]
fn inlined<E: Element, K: Kernel<E>>(
    isa: Isa,
    work: &Work<'_, E>,
    kernel: &K,
    tiles: std::ops::Range<usize>,
) {
    work.run(kernel, isa, tiles);
}
