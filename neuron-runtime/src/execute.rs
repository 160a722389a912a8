//! From a call to its execution: first every check, then the work.

use rayon::prelude::*;

use crate::isa::{Isa, dispatch};
use crate::tile::{Kernel, Work};
use crate::{BufferSpec, Call, Class, Element, Error, Sink, Source, Spec, Template};

/// Neuron-steps from which on threads are worth starting. Measured with LIF on two cores: starting them
/// takes about 5 microseconds, in which one core does some 2^14 neuron-steps.
const PARALLEL: usize = 1 << 15;

/// Tiles that a thread takes at a time, at the least.
const TILES_PER_TASK: usize = 4;

impl<'a, E: Element> Call<'_, 'a, E> {
    /// Checks the call against the neuron's signature and runs `kernel` on all neurons.
    ///
    /// # Errors
    /// [`Error::BufferCount`], [`Error::BufferClass`], [`Error::Empty`], [`Error::NotAMultiple`],
    /// [`Error::Length`], [`Error::SurrogateParameter`]. Nothing has been written then.
    pub fn execute<K: Kernel<E>>(self, spec: &'static Spec, kernel: &K) -> Result<(), Error> {
        let steps = self.check(spec)?;
        let signature = spec.signature(self.template);
        let inputs = self.inputs.iter().copied().zip(signature.inputs.iter().map(|buffer| buffer.per_step));
        let outputs = self.outputs.iter_mut().zip(signature.outputs.iter().map(|buffer| buffer.per_step));
        let work = Work::new(steps, self.neurons, self.gradient, inputs, outputs);
        run(&work, kernel, Isa::current(), steps * self.neurons);
        Ok(())
    }

    /// The number of steps, if everything is as it should be.
    pub(crate) fn check(&self, spec: &'static Spec) -> Result<usize, Error> {
        let (neuron, template) = (spec.name, self.template);
        let signature = spec.signature(template);
        for (role, expected, actual) in [
            ("input", signature.inputs.len(), self.inputs.len()),
            ("output", signature.outputs.len(), self.outputs.len()),
        ] {
            if expected != actual {
                return Err(Error::BufferCount { neuron, template, role, expected, actual });
            }
        }
        if matches!(template, Template::ForwardWithGrad | Template::FpttWithGrad) {
            self.gradient.surrogate.validate_in::<E::Real>()?;
        }
        if self.neurons == 0 {
            return Err(Error::Empty { neuron, template, what: "N" });
        }
        let inputs = signature.inputs.iter().zip(self.inputs.iter().map(Source::shape));
        let outputs = signature.outputs.iter().zip(self.outputs.iter().map(Sink::shape));
        let steps = self.steps(neuron, inputs.clone())?;
        for (buffer, (actual, length)) in inputs.chain(outputs) {
            self.check_buffer(neuron, buffer, actual, length, steps)?;
        }
        Ok(steps)
    }

    /// From the first array that has a row for each step.
    fn steps<'s>(
        &self,
        neuron: &'static str,
        mut inputs: impl Iterator<Item = (&'s BufferSpec, (Class, usize))>,
    ) -> Result<usize, Error> {
        let template = self.template;
        let Some((buffer, (_, length))) = inputs.find(|(buffer, _)| buffer.per_step) else { return Ok(1) };
        if length == 0 {
            return Err(Error::Empty { neuron, template, what: "T" });
        }
        if length % self.neurons != 0 {
            let (argument, neurons) = (buffer.name, self.neurons);
            return Err(Error::NotAMultiple { neuron, template, argument, neurons, actual: length });
        }
        Ok(length / self.neurons)
    }

    fn check_buffer(
        &self,
        neuron: &'static str,
        buffer: &BufferSpec,
        class: Class,
        actual: usize,
        steps: usize,
    ) -> Result<(), Error> {
        let (template, argument) = (self.template, buffer.name);
        if class != buffer.class {
            return Err(Error::BufferClass {
                neuron,
                template,
                argument,
                expected: buffer.class,
                actual: class,
            });
        }
        // Without overflow: the first per-step array has as many elements.
        let expected = if buffer.per_step { steps * self.neurons } else { self.neurons };
        if actual != expected {
            let shape = match buffer.per_step {
                true => format!("T = {steps}, N = {}", self.neurons),
                false => format!("N = {}", self.neurons),
            };
            return Err(Error::Length { neuron, template, argument, shape, expected, actual });
        }
        Ok(())
    }
}

impl<E: Element> Source<'_, E> {
    fn shape(&self) -> (Class, usize) {
        match self {
            Self::Signal(array) => (Class::Signal, array.len()),
            Self::State(array) => (Class::State, array.len()),
        }
    }
}

impl<E: Element> Sink<'_, E> {
    fn shape(&self) -> (Class, usize) {
        match self {
            Self::Signal(array) => (Class::Signal, array.len()),
            Self::State(array) => (Class::State, array.len()),
        }
    }
}

/// Runs `kernel` on all tiles, on several threads if there is enough to do.
///
/// Neurons do not depend on each other, so results do not depend on how they are distributed.
fn run<E: Element, K: Kernel<E>>(work: &Work<E>, kernel: &K, isa: Isa, neuron_steps: usize) {
    let tiles = work.tiles();
    let threads = rayon::current_num_threads();
    if neuron_steps < PARALLEL || threads == 1 {
        return tile_range(isa, work, kernel, 0..tiles);
    }
    // A few tasks for each thread, so that one that is held up does not hold up all.
    let size = tiles.div_ceil(threads * 8).max(TILES_PER_TASK);
    (0..tiles.div_ceil(size)).into_par_iter().for_each(|task| {
        let first = task * size;
        tile_range(isa, work, kernel, first..tiles.min(first + size));
    });
}

fn tile_range<E: Element, K: Kernel<E>>(isa: Isa, work: &Work<E>, kernel: &K, tiles: std::ops::Range<usize>) {
    range(isa, isa, work, kernel, tiles);
}

dispatch! {
    /// Some tiles, compiled for each instruction set.
    fn range<E: Element, K: Kernel<E>>(set: Isa, work: &Work<E>, kernel: &K, tiles: std::ops::Range<usize>) => inlined
}

#[inline(always)]
fn inlined<E: Element, K: Kernel<E>>(isa: Isa, work: &Work<E>, kernel: &K, tiles: std::ops::Range<usize>) {
    work.run(kernel, isa, tiles);
}
