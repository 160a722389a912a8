//! The two passes, on slices: where templates are run.

use neuron_runtime::evaluate::{Output, evaluate_on};
use neuron_runtime::{
    BufferSpec, Call, Device, Error, Gradient, Layout, Neuron, ParamKind, Parameter, Real, Role, STEPS, Sink,
    Source, Template,
};

use crate::storage::Data;

/// Neurons, and how they are to be computed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Neurons<N> {
    pub neuron: N,
    pub gradient: Gradient,
    /// Where the neurons are computed; the tensors are on the CPU.
    pub device: Device,
}

/// A step or a sequence of them, with `T` steps, `N` neurons, `I` inputs, `S` states, and `P` values of parameters
/// that may differ between neurons. What is in the format of the arithmetic comes in one piece.
#[derive(Clone, Debug)]
pub(crate) struct Passes<N> {
    pub neurons: Neurons<N>,
    pub multi_step: bool,
    /// `T`
    pub steps: usize,
    /// `N`
    pub count: usize,
    /// How the values of each of these parameters are distributed over neurons.
    pub layouts: Vec<Layout>,
}

impl<N: Neuron + Clone> Passes<N> {
    /// Spikes or output and next states `[T N + S N]`, from inputs `[I T N]`, and states and parameters `[S N + P]`.
    pub fn forward<E: Data>(&self, inputs: &[E], reals: &[E::Float]) -> Result<Vec<E::Float>, Error> {
        let template = if self.multi_step { Template::Fptt } else { Template::Forward };
        let per_step = self.steps * self.count;
        let mut result =
            vec![E::Float::default(); per_step + self.neurons.neuron.spec().states.len() * self.count];
        let (output, next) = result.split_at_mut(per_step);
        E::write(output, |output| {
            let mut sinks = vec![Sink::Signal(output)];
            sinks.extend(next.chunks_exact_mut(self.count).map(Sink::State));
            self.run(template, &self.sources(template, |role| self.source(role, inputs, reals)), &mut sinks)
        })?;
        Ok(result)
    }

    /// Gradients of inputs, states and parameters `[I T N + S N + P]`, from what [`Passes::forward`] took, and the
    /// gradient of what it gave. Those of parameters that are not learnable are 0.
    pub fn backward<E: Data>(
        &self,
        inputs: &[E],
        reals: &[E::Float],
        grad_result: &[E::Float],
    ) -> Result<Vec<E::Float>, Error> {
        let spec = self.neurons.neuron.spec();
        let Neurons { neuron, gradient, device } = &self.neurons;
        // Candle has kept the inputs, and nothing else: the states before every few steps are computed again.
        let is_checkpoint = |buffer: &BufferSpec| matches!(buffer.role, Role::Checkpoint(_));
        let mut kept = Vec::new();
        if self.steps > STEPS && spec.signature(Template::LeanFptt).outputs.iter().any(is_checkpoint) {
            let sources = self.sources(Template::LeanFptt, |role| self.source(role, inputs, reals));
            let again = evaluate_on(device, neuron, Template::LeanFptt, *gradient, self.count, &sources)?;
            kept.extend(again.into_arrays());
        }
        let checkpoint = |role: Role| match kept.iter().find(|(buffer, _)| buffer.role == role) {
            Some((_, Output::State(values))) => values.as_slice(),
            _ => &[],
        };

        let per_step = self.steps * self.count;
        let mut result = vec![E::Float::default(); inputs.len() + reals.len()];
        let (grad_inputs, grad_reals) = result.split_at_mut(inputs.len());
        let (grad_output, grad_next) = grad_result.split_at(per_step);
        E::read(grad_output, |grad_output| {
            E::write(grad_inputs, |grad_inputs| {
                let source = |role| match role {
                    Role::GradOutput => Some(Source::Signal(grad_output)),
                    Role::GradNextState(index) => Some(Source::State(part(grad_next, index, self.count))),
                    Role::Checkpoint(_) => Some(Source::State(checkpoint(role))),
                    role => self.source(role, inputs, reals),
                };
                let sources = self.sources(Template::LeanBptt, source);
                let mut sinks: Vec<_> = grad_inputs.chunks_exact_mut(per_step).map(Sink::Signal).collect();
                sinks.extend(self.grads(grad_reals));
                self.run(Template::LeanBptt, &sources, &mut sinks)
            })
        })?;
        Ok(result)
    }

    fn run<'a, E: Data>(
        &self,
        template: Template,
        inputs: &[Source<'a, E>],
        outputs: &mut [Sink<'a, E>],
    ) -> Result<(), Error> {
        let Neurons { neuron, gradient, device } = &self.neurons;
        let call = Call { template, neurons: self.count, gradient: *gradient, inputs, outputs };
        device.run(neuron, call)
    }

    /// What `template` reads, array by array.
    fn sources<'a, E: Data>(
        &self,
        template: Template,
        source: impl Fn(Role) -> Option<Source<'a, E>>,
    ) -> Vec<Source<'a, E>> {
        let inputs = self.neurons.neuron.spec().signature(template).inputs;
        inputs.iter().filter_map(|buffer| source(buffer.role)).collect()
    }

    /// The array of that role among the inputs, and among states and parameters.
    fn source<'a, E: Data>(
        &self,
        role: Role,
        inputs: &'a [E],
        reals: &'a [E::Float],
    ) -> Option<Source<'a, E>> {
        match role {
            Role::Input(index) => Some(Source::Signal(part(inputs, index, self.steps * self.count))),
            Role::State(index) => Some(Source::State(part(reals, index, self.count))),
            Role::Param(index) => {
                let values = &reals[self.neurons.neuron.spec().states.len() * self.count..];
                let mut parameters = parameters(&self.layouts, values);
                parameters.nth(self.neurons.neuron.spec().array_place(index)?).map(Source::Parameter)
            }
            _ => None,
        }
    }

    /// Where the backward template writes the gradients of states and learnable parameters.
    fn grads<'a, E: Data>(&self, reals: &'a mut [E::Float]) -> Vec<Sink<'a, E>> {
        let (states, mut rest) = reals.split_at_mut(self.neurons.neuron.spec().states.len() * self.count);
        let mut sinks: Vec<_> = states.chunks_exact_mut(self.count).map(Sink::State).collect();
        for (param, layout) in self.neurons.neuron.spec().arrays().zip(&self.layouts) {
            let (values, others) = rest.split_at_mut(layout.count);
            rest = others;
            if param.kind == ParamKind::Learnable {
                sinks.push(Sink::Parameter(values));
            }
        }
        sinks
    }
}

/// Parameters whose values are one behind the other.
pub(crate) fn parameters<'a, R: Real>(
    layouts: &[Layout],
    mut values: &'a [R],
) -> impl Iterator<Item = Parameter<'a, R>> {
    layouts.iter().map(move |layout| {
        let (own, others) = values.split_at(layout.count);
        values = others;
        Parameter::per_channel(own, layout.inner)
    })
}

/// Array number `index` of arrays of so many elements, one behind the other.
fn part<T>(arrays: &[T], index: usize, elements: usize) -> &[T] {
    &arrays[index * elements..][..elements]
}
