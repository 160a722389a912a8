//! Checks of a call, before anything is written: arrays, lengths, the values of parameters.

use crate::error::Kind;
use crate::parameter::{Layout, misfit};
use crate::range::validate_values;
use crate::{
    BufferSpec, Call, Class, Element, Error, Extent, Gradient, Neuron, ParamKind, Parameter, Real, Signature,
    Sink, Source, Spec, Template,
};

impl<'a, E: Element> Call<'_, 'a, E> {
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
pub(crate) fn learnable_layouts<E: Element>(
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
