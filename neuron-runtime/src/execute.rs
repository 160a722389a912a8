//! From a call to its execution: first every check, then the work.

use rayon::prelude::*;

use crate::error::Kind;
use crate::isa::{Isa, dispatch};
use crate::parameter::{Layout, misfit, validate_values};
use crate::reduce;
use crate::tile::{Kernel, Work};
use crate::{
    BufferSpec, Call, Class, Element, Error, Extent, Gradient, Neuron, ParamKind, Parameter, Real, Signature,
    Sink, Source, Spec, Template,
};

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
    /// [`Error::Length`], [`Error::SurrogateParameter`], [`Error::Signature`], and as [`Neuron::validate_in`]. Nothing has been written then.
    pub fn execute<N: Neuron, K: Kernel<E>>(self, neuron: &N, kernel: &K) -> Result<(), Error> {
        let spec = neuron.spec();
        neuron.validate_in::<E::Real>()?;
        let (steps, signature) = self.check(spec)?;
        self.check_parameters(neuron)?;
        let Self { template, neurons, gradient, inputs, outputs } = self;
        // The gradient of each neuron's own parameter, to be added up.
        let layouts = learnable_layouts(spec, template, inputs);
        let mut parts: Vec<Vec<E::Real>> =
            layouts.iter().map(|_| vec![E::Real::default(); neurons]).collect();
        let first = outputs.len() - layouts.len();
        let (arrays, sums) = outputs.split_at_mut(first);
        let rows = |buffer: &BufferSpec| buffer.extent.rows(steps).unwrap_or(1);
        let sources = inputs.iter().copied().zip(signature.inputs.iter().map(rows));
        let sinks = arrays.iter_mut().map(Sink::reborrow).zip(signature.outputs.iter().map(rows));
        let sinks = sinks.chain(parts.iter_mut().map(|part| (Sink::State(part), 1)));
        let work = Work::new(steps, neurons, gradient, sources, sinks);
        run(&work, kernel, Isa::current(), steps * neurons);
        for ((part, layout), sum) in parts.iter().zip(layouts).zip(sums) {
            if let Sink::Parameter(sum) = sum {
                reduce::sums(part, layout, sum);
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
            // One kernel for both: a step is a sequence of one.
            Template::ForwardWithGrad | Template::FpttWithGrad => self.execute(neuron, kernel),
            template => Err(Error::NotRelaxed { neuron: neuron.spec().name, template }),
        }
    }

    /// Checks the values of parameters that may differ between neurons, together where they are as many.
    pub(crate) fn check_parameters<N: Neuron>(&self, neuron: &N) -> Result<(), Error> {
        let arrays: Vec<&[E::Real]> = parameters(self.inputs).map(|parameter| parameter.values()).collect();
        validate_values(neuron, &arrays)
    }

    /// The number of steps, and the arrays there are, if everything is as it should be.
    pub(crate) fn check(&self, spec: &'static Spec) -> Result<(usize, &'static Signature), Error> {
        let Self { template, neurons, gradient, inputs, .. } = self;
        let (neuron, template) = (spec.name, *template);
        let checked = Inputs { template, neurons: *neurons, gradient: *gradient, inputs };
        let (steps, signature) = checked.check::<E::Real>(spec)?;
        let outputs = signature.outputs;
        check_count(spec, template, "output", outputs.len(), self.outputs.len())?;
        for (buffer, (actual, length)) in outputs.iter().zip(self.outputs.iter().map(Sink::shape)) {
            checked.check_buffer(neuron, buffer, actual, length, steps)?;
        }
        let layouts = learnable_layouts(spec, template, inputs);
        let sums = self.outputs.iter().zip(outputs).skip(outputs.len() - layouts.len());
        for (layout, (sum, buffer)) in layouts.iter().zip(sums) {
            let (actual, expected) = (sum.shape().1, layout.count);
            if actual != expected {
                let (argument, shape) = (buffer.name, "as many as the parameter has".to_owned());
                return Err(Error::Length { neuron, template, argument, shape, expected, actual });
            }
        }
        Ok((steps, signature))
    }
}

/// An array that a call reads, wherever it is.
pub(crate) trait Given {
    /// What it is, and how many elements it has.
    fn shape(&self) -> (Kind, usize);

    /// How it is distributed over neurons, if it is a parameter.
    fn layout(&self) -> Option<Layout>;
}

/// What a call reads, which says how long everything that it writes is.
pub(crate) struct Inputs<'c, S> {
    pub template: Template,
    pub neurons: usize,
    pub gradient: Gradient,
    pub inputs: &'c [S],
}

impl<S: Given> Inputs<'_, S> {
    /// The number of steps, and the arrays there are, if these fit together. `R` is the format of the arithmetic.
    pub fn check<R: Real>(&self, spec: &'static Spec) -> Result<(usize, &'static Signature), Error> {
        let (neuron, template) = (spec.name, self.template);
        let signature = spec.checked_signature(template)?;
        let buffers = signature.inputs;
        check_count(spec, template, "input", buffers.len(), self.inputs.len())?;
        if template.takes_gradient() {
            self.gradient.surrogate.validate_in::<R>()?;
        }
        if self.neurons == 0 {
            return Err(Error::Empty { neuron, template, what: "N" });
        }
        let inputs = buffers.iter().zip(self.inputs.iter().map(Given::shape));
        let steps = self.steps(neuron, inputs.clone())?;
        for (buffer, (actual, length)) in inputs {
            self.check_buffer(neuron, buffer, actual, length, steps)?;
        }
        for (array, layout) in spec.arrays().zip(self.inputs.iter().filter_map(Given::layout)) {
            misfit(neuron, array.name, layout, self.neurons)?;
        }
        Ok((steps, signature))
    }

    /// From the first array that has a row for each step.
    fn steps<'s>(
        &self,
        neuron: &'static str,
        mut inputs: impl Iterator<Item = (&'s BufferSpec, (Kind, usize))>,
    ) -> Result<usize, Error> {
        let template = self.template;
        let Some((buffer, (_, length))) = inputs.find(|(buffer, _)| buffer.extent == Extent::Step) else {
            return Ok(1);
        };
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
        kind: Kind,
        actual: usize,
        steps: usize,
    ) -> Result<(), Error> {
        let (template, argument) = (self.template, buffer.name);
        let expected = match (buffer.extent, buffer.class) {
            (Extent::Parameter, _) => Kind::Parameter,
            (_, Class::Signal) => Kind::Signal,
            (_, Class::State) => Kind::State,
            (_, Class::Bits) => Kind::Bits,
        };
        if kind != expected {
            return Err(Error::BufferClass { neuron, template, argument, expected, actual: kind });
        }
        // Without overflow: the first per-step array has as many elements.
        let Some(expected) = buffer.elements(steps, self.neurons) else { return Ok(()) };
        if actual != expected {
            let shape = match buffer.extent {
                Extent::Neuron => format!("N = {}", self.neurons),
                _ => format!("T = {steps}, N = {}", self.neurons),
            };
            return Err(Error::Length { neuron, template, argument, shape, expected, actual });
        }
        Ok(())
    }
}

fn check_count(
    spec: &'static Spec,
    template: Template,
    role: &'static str,
    expected: usize,
    actual: usize,
) -> Result<(), Error> {
    let neuron = spec.name;
    if expected == actual {
        Ok(())
    } else {
        Err(Error::BufferCount { neuron, template, role, expected, actual })
    }
}

impl<E: Element> Given for Source<'_, E> {
    fn shape(&self) -> (Kind, usize) {
        match self {
            Self::Signal(array) => (Kind::Signal, array.len()),
            Self::State(array) => (Kind::State, array.len()),
            Self::Parameter(parameter) => (Kind::Parameter, parameter.values().len()),
        }
    }

    fn layout(&self) -> Option<Layout> {
        match self {
            Self::Parameter(parameter) => Some(parameter.layout()),
            Self::Signal(_) | Self::State(_) => None,
        }
    }
}

impl<E: Element> Sink<'_, E> {
    fn shape(&self) -> (Kind, usize) {
        match self {
            Self::Signal(array) => (Kind::Signal, array.len()),
            Self::State(array) => (Kind::State, array.len()),
            Self::Parameter(array) => (Kind::Parameter, array.len()),
            Self::Bits(array) => (Kind::Bits, array.len()),
        }
    }
}

/// The parameters among the arrays to read, in the order of the signature.
fn parameters<'c, 'a: 'c, E: Element>(
    inputs: &'c [Source<'a, E>],
) -> impl Iterator<Item = Parameter<'a, E::Real>> + 'c {
    inputs.iter().filter_map(|input| match input {
        Source::Parameter(parameter) => Some(*parameter),
        _ => None,
    })
}

/// How the learnable parameters are distributed over neurons, if `template` returns their gradients.
fn learnable_layouts<E: Element>(
    spec: &'static Spec,
    template: Template,
    inputs: &[Source<'_, E>],
) -> Vec<Layout> {
    if !template.is_backward() {
        return Vec::new();
    }
    let arrays = spec.arrays().zip(parameters(inputs));
    let learnable = arrays.filter(|(param, _)| param.kind == ParamKind::Learnable);
    learnable.map(|(_, parameter)| parameter.layout()).collect()
}

/// Runs `kernel` on all tiles, on several threads if there is enough to do.
///
/// Neurons do not depend on each other, so results do not depend on how they are distributed.
fn run<E: Element, K: Kernel<E>>(work: &Work<'_, E>, kernel: &K, isa: Isa, neuron_steps: usize) {
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
