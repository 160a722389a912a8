//! Checks of a call, before anything is written: arrays, lengths, the values of parameters.

use std::convert::Infallible;

use crate::by_class::Length;
use crate::parameter::{Distributed, Layout, misfit};
use crate::range::validate_values;
use crate::{
    BufferSpec, ByClass, Call, Element, Error, Extent, Gradient, Kind, Neuron, ParamKind, Parameter, Real,
    Signature, Source, Spec, Template,
};

impl<'a, E: Element> Call<'_, 'a, E> {
    /// What it reads.
    pub(crate) fn inputs(&self) -> Inputs<'_, Source<'a, E>> {
        let Self { template, neurons, gradient, inputs, .. } = *self;
        Inputs { template, neurons, gradient, inputs }
    }

    /// Checks the values of parameters that may differ between neurons, together where they are as many.
    pub(crate) fn check_parameters<N: Neuron>(&self, neuron: &N) -> Result<(), Error> {
        let arrays: Vec<&[E::Real]> = parameters(self.inputs).map(|parameter| parameter.values()).collect();
        validate_values(neuron, &arrays)
    }

    /// The number of steps, and the arrays there are, if everything is as it should be.
    pub(crate) fn check(&self, spec: &'static Spec) -> Result<(usize, &'static Signature), Error> {
        let (neuron, template, checked) = (spec.name, self.template, self.inputs());
        let (steps, signature) = checked.check::<E::Real>(spec)?;
        let outputs = signature.outputs;
        check_count(spec, template, "output", outputs.len(), self.outputs.len())?;
        for (buffer, (actual, length)) in outputs.iter().zip(self.outputs.iter().map(ByClass::shape)) {
            checked.check_buffer(neuron, buffer, actual, length, steps)?;
        }
        let sums = self.outputs.iter().zip(outputs).skip(outputs.len() - checked.learnables(spec).count());
        for (layout, (sum, buffer)) in checked.learnables(spec).zip(sums) {
            let (actual, expected) = (sum.shape().1, layout.count);
            if actual != expected {
                let (argument, shape) = (buffer.name, "as many as the parameter has".to_owned());
                return Err(Error::Length { neuron, template, argument, shape, expected, actual });
            }
        }
        Ok((steps, signature))
    }
}

/// What a call reads, which says how long everything that it writes is.
pub(crate) struct Inputs<'c, S> {
    pub template: Template,
    pub neurons: usize,
    pub gradient: Gradient,
    pub inputs: &'c [S],
}

impl<S: Length, R: Length, P: Length + Distributed> Inputs<'_, ByClass<S, R, P, Infallible>> {
    /// The number of steps, and the arrays there are, if these fit together. `F` is the format of the arithmetic.
    pub fn check<F: Real>(&self, spec: &'static Spec) -> Result<(usize, &'static Signature), Error> {
        let (neuron, template) = (spec.name, self.template);
        let signature = spec.checked_signature(template)?;
        let buffers = signature.inputs;
        check_count(spec, template, "input", buffers.len(), self.inputs.len())?;
        if template.takes_gradient() {
            self.gradient.surrogate.validate_in::<F>()?;
        }
        if self.neurons == 0 {
            return Err(Error::Empty { neuron, template, what: "N" });
        }
        let inputs = buffers.iter().zip(self.inputs.iter().map(ByClass::shape));
        let steps = self.steps(neuron, inputs.clone())?;
        for (buffer, (actual, length)) in inputs {
            self.check_buffer(neuron, buffer, actual, length, steps)?;
        }
        for (array, layout) in spec.arrays().zip(self.inputs.iter().filter_map(ByClass::layout)) {
            misfit(neuron, array.name, layout, self.neurons)?;
        }
        Ok((steps, signature))
    }

    /// How the parameters are distributed over neurons whose gradients the template returns.
    pub fn learnables(&self, spec: &'static Spec) -> impl Iterator<Item = Layout> {
        let returns = self.template.is_backward();
        let arrays = spec.arrays().zip(self.inputs.iter().filter_map(ByClass::layout));
        arrays
            .filter(move |(param, _)| returns && param.kind == ParamKind::Learnable)
            .map(|(_, layout)| layout)
    }

    /// The outputs, each with how many elements it has. `steps` and `signature` are those that [`Inputs::check`] gave.
    pub fn outputs(
        &self,
        spec: &'static Spec,
        steps: usize,
        signature: &'static Signature,
    ) -> impl Iterator<Item = (&'static BufferSpec, usize)> {
        let mut learnables = self.learnables(spec);
        signature.outputs.iter().map(move |buffer| {
            let elements = buffer.elements(steps, self.neurons);
            // As many as the check has counted.
            (buffer, elements.or_else(|| learnables.next().map(|layout| layout.count)).unwrap_or(0))
        })
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
        let expected = buffer.kind();
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

/// Checks that there are as many arrays as the signature has.
pub(crate) fn check_count(
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

/// The parameters among the arrays to read, in the order of the signature.
fn parameters<'c, 'a: 'c, E: Element>(
    inputs: &'c [Source<'a, E>],
) -> impl Iterator<Item = Parameter<'a, E::Real>> + 'c {
    inputs.iter().filter_map(|input| match input {
        Source::Parameter(parameter) => Some(*parameter),
        _ => None,
    })
}
