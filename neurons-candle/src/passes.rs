//! The two passes, on slices: where templates are run.

use neuron_runtime::evaluate::{Output, evaluate_on};
use neuron_runtime::{
    BufferSpec, Call, Device, Error, Extent, Gradient, Layout, Neuron, ParamKind, Parameter, Real, STEPS,
    Sink, Source, Template,
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

impl<N: Neuron> Passes<N> {
    /// Spikes or output and next states `[T N + S N]`, from inputs `[I T N]`, and states and parameters `[S N + P]`.
    pub fn forward<E: Data>(&self, inputs: &[E], reals: &[E::Float]) -> Result<Vec<E::Float>, Error> {
        let template = if self.multi_step { Template::Fptt } else { Template::Forward };
        let per_step = self.steps * self.count;
        let mut result = vec![E::Float::default(); per_step + N::SPEC.states.len() * self.count];
        let (output, next) = result.split_at_mut(per_step);
        E::write(output, |output| {
            let mut sinks = vec![Sink::Signal(output)];
            sinks.extend(next.chunks_exact_mut(self.count).map(Sink::State));
            self.run(template, &self.sources(inputs, reals), &mut sinks)
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
        let spec = N::SPEC;
        let Neurons { neuron, gradient, device } = &self.neurons;
        // Candle has kept the inputs, and nothing else: the states before every few steps are computed again.
        let is_checkpoint = |buffer: &&BufferSpec| buffer.extent == Extent::Checkpoint;
        let checkpoints = spec.signature(Template::LeanFptt).outputs.iter().filter(is_checkpoint).count();
        let checkpoints: Vec<Output<E>> = if self.steps > STEPS && checkpoints > 0 {
            let sources = self.sources(inputs, reals);
            let again = evaluate_on(device, neuron, Template::LeanFptt, *gradient, self.count, &sources)?;
            again.into_arrays().skip(1 + spec.states.len()).map(|(_, array)| array).collect()
        } else {
            vec![Output::State(Vec::new()); checkpoints]
        };

        let per_step = self.steps * self.count;
        let mut result = vec![E::Float::default(); inputs.len() + reals.len()];
        let (grad_inputs, grad_reals) = result.split_at_mut(inputs.len());
        let (grad_output, grad_next) = grad_result.split_at(per_step);
        E::read(grad_output, |grad_output| {
            E::write(grad_inputs, |grad_inputs| {
                let all = spec.inputs.iter().zip(inputs.chunks_exact(per_step));
                let reread = all.filter(|(name, _)| spec.rereads_input(name));
                let mut sources: Vec<_> = reread.map(|(_, input)| Source::Signal(input)).collect();
                sources.push(Source::Signal(grad_output));
                let all = spec.states.iter().zip(reals.chunks_exact(self.count));
                let reread = all.filter(|(state, _)| spec.rereads_state(state.name));
                sources.extend(reread.map(|(_, state)| Source::State(state)));
                sources.extend(checkpoints.iter().map(source));
                sources.extend(grad_next.chunks_exact(self.count).map(Source::State));
                sources.extend(self.parameters(reals).map(Source::Parameter));
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

    /// What every forward template reads: inputs, states, parameters.
    fn sources<'a, E: Data>(&self, inputs: &'a [E], reals: &'a [E::Float]) -> Vec<Source<'a, E>> {
        let states = reals.chunks_exact(self.count).take(N::SPEC.states.len());
        let inputs = inputs.chunks_exact(self.steps * self.count);
        let signals = inputs.map(Source::Signal).chain(states.map(Source::State));
        signals.chain(self.parameters(reals).map(Source::Parameter)).collect()
    }

    /// The parameters, which are behind the states.
    fn parameters<'a, R: Real>(&self, reals: &'a [R]) -> impl Iterator<Item = Parameter<'a, R>> {
        parameters(&self.layouts, &reals[N::SPEC.states.len() * self.count..])
    }

    /// Where the backward template writes the gradients of states and learnable parameters.
    fn grads<'a, E: Data>(&self, reals: &'a mut [E::Float]) -> Vec<Sink<'a, E>> {
        let (states, mut rest) = reals.split_at_mut(N::SPEC.states.len() * self.count);
        let mut sinks: Vec<_> = states.chunks_exact_mut(self.count).map(Sink::State).collect();
        for (param, layout) in N::SPEC.arrays().zip(&self.layouts) {
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

fn source<E: Data>(array: &Output<E>) -> Source<'_, E> {
    match array {
        Output::Signal(values) => Source::Signal(values),
        Output::State(values) | Output::Parameter(values) => Source::State(values),
        Output::Bits(_) => unreachable!("training keeps no bits"),
    }
}
