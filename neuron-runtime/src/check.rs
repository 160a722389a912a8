//! Checks of a call before anything is written: arrays, their lengths, values of parameters.

use std::convert::Infallible;

use crate::by_class::Length;
use crate::parameter::{Distributed, Layout, misfit};
use crate::range::validate_values;
use crate::{
    Absent, BufferSpec, ByClass, Call, Element, Error, Extent, Gradient, Kind, Neuron, ParamKind, Parameter,
    Real, Signature, Source, Spec, Template,
};

impl<'a, E: Element> Call<'_, 'a, E> {
    /// The part of it that is read.
    pub(crate) fn inputs(&self) -> Inputs<'_, Source<'a, E>> {
        let Self { template, neurons, gradient, inputs, .. } = *self;
        Inputs { template, neurons, gradient, inputs }
    }

    /// Checks the values of array parameters against their ranges.
    pub(crate) fn check_parameters<N: Neuron>(&self, neuron: &N) -> Result<(), Error> {
        let arrays: Vec<&[E::Real]> = parameters(self.inputs).map(|parameter| parameter.values()).collect();
        validate_values(neuron, &arrays)
    }

    /// Checks the whole call; returns the number of steps and the signature.
    pub(crate) fn check(&self, spec: &'static Spec) -> Result<(usize, &'static Signature), Error> {
        let (template, checked) = (self.template, self.inputs());
        let (steps, signature) = checked.check::<E::Real>(spec)?;
        let outputs = signature.outputs;
        check_count(spec, template, "output", outputs.len(), self.outputs.len())?;
        for (buffer, (actual, length)) in outputs.iter().zip(self.outputs.iter().map(ByClass::shape)) {
            checked.check_buffer(spec, buffer, actual, length, steps)?;
        }
        let sums = self.outputs.iter().zip(outputs).skip(outputs.len() - checked.learnables(spec).count());
        for (layout, (sum, buffer)) in checked.learnables(spec).zip(sums) {
            check_length(spec, template, buffer, [steps, self.neurons], Some(layout.count), sum.shape().1)?;
        }
        Ok((steps, signature))
    }
}

/// The part of a call that is read, which determines the lengths of the outputs.
pub(crate) struct Inputs<'c, S> {
    pub template: Template,
    pub neurons: usize,
    pub gradient: Gradient,
    pub inputs: &'c [S],
}

impl<S: Length, R: Length, P: Length + Distributed> Inputs<'_, ByClass<S, R, P, Infallible>> {
    /// Checks the inputs; returns the number of steps and the signature. `F` is the format of the arithmetic.
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
            self.check_buffer(spec, buffer, actual, length, steps)?;
        }
        for (array, layout) in spec.arrays().zip(self.inputs.iter().filter_map(ByClass::layout)) {
            misfit(neuron, array.name, layout, self.neurons)?;
        }
        Ok((steps, signature))
    }

    /// The layouts of the parameters whose gradients the template returns.
    pub fn learnables(&self, spec: &'static Spec) -> impl Iterator<Item = Layout> {
        let returns = self.template.is_backward();
        let arrays = spec.arrays().zip(self.inputs.iter().filter_map(ByClass::layout));
        arrays
            .filter(move |(param, _)| returns && param.kind == ParamKind::Learnable)
            .map(|(_, layout)| layout)
    }

    /// The outputs with their lengths. `steps` and `signature` are those that [`Inputs::check`] returned.
    pub fn outputs(
        &self,
        spec: &'static Spec,
        steps: usize,
        signature: &'static Signature,
    ) -> impl Iterator<Item = (&'static BufferSpec, usize)> {
        let mut learnables = self.learnables(spec);
        signature.outputs.iter().map(move |buffer| {
            let elements = buffer.elements(steps, self.neurons);
            // There is a layout for each, as was checked.
            (buffer, elements.or_else(|| learnables.next().map(|layout| layout.count)).unwrap_or(0))
        })
    }

    /// The number of steps, from the first array with a row per step.
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
        spec: &'static Spec,
        buffer: &BufferSpec,
        kind: Kind,
        actual: usize,
        steps: usize,
    ) -> Result<(), Error> {
        let (neuron, template, argument) = (spec.name, self.template, buffer.name);
        let expected = buffer.kind();
        if kind != expected {
            return Err(Error::BufferClass { neuron, template, argument, expected, actual: kind });
        }
        check_length(spec, template, buffer, [steps, self.neurons], None, actual)
    }
}

/// Checks the length of an array, which is 0 if the call leaves it out. `count` is the number of values if it is a parameter
/// or its gradient; without it, these may have any length.
pub(crate) fn check_length(
    spec: &'static Spec,
    template: Template,
    buffer: &BufferSpec,
    [steps, neurons]: [usize; 2],
    count: Option<usize>,
    actual: usize,
) -> Result<(), Error> {
    let expected = buffer.elements(steps, neurons).or(count).unwrap_or(actual);
    if actual == expected {
        return Ok(());
    }
    let (neuron, argument) = (spec.name, buffer.name);
    match buffer.left_out(actual) {
        Some(Absent::Initial(index)) => {
            return match spec.states.get(index) {
                Some(state) if state.varies => Err(Error::InitialStateVaries { neuron, template, argument }),
                Some(_) => Ok(()),
                None => Err(Error::Signature { neuron, template, what: "states" }),
            };
        }
        Some(Absent::Zero | Absent::Unwritten) => return Ok(()),
        None => {}
    }
    let shape = match buffer.extent {
        Extent::Parameter => "one per value of the parameter".to_owned(),
        Extent::Neuron => format!("N = {neurons}"),
        Extent::Step | Extent::Checkpoint => format!("T = {steps}, N = {neurons}"),
    };
    Err(Error::Length { neuron, template, argument, shape, expected, actual })
}

/// Checks the number of arrays.
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

/// The parameters among the inputs, in the order of the signature.
fn parameters<'c, 'a: 'c, E: Element>(
    inputs: &'c [Source<'a, E>],
) -> impl Iterator<Item = Parameter<'a, E::Real>> + 'c {
    inputs.iter().filter_map(|input| match input {
        Source::Parameter(parameter) => Some(*parameter),
        _ => None,
    })
}
