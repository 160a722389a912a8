//! Sequences that record states after every step, with gradients of the records.

use super::context::Context;
use super::given::{Given, refs};
use super::operation::Operation;
use super::results::{Gradients, Records, Stepped};
use super::stepping::{Sequence, Single, Stepping};
use crate::shape::same;
use crate::sum::Sum;
use crate::{Array, Element, Error, Neuron, Spec};

/// What a forward pass that recorded states saved for its backward pass: its steps, one by one.
#[derive(Clone, Debug)]
pub struct RecordedContext<N, E: Element> {
    steps: Vec<Context<N, E>>,
    /// The recorded states, by their positions in [`Spec::states`].
    recorded: Vec<usize>,
}

/// The outputs of the steps of a sequence.
struct Steps<E: Element> {
    outputs: Vec<Array<E>>,
    records: Vec<Vec<Array<E::Real>>>,
    states: Vec<Array<E::Real>>,
}

impl<N: Neuron + Clone> Operation<N, Sequence> {
    /// Forward pass that also returns the states `names` after every step, each `[T, ...]`, and is differentiable in these.
    ///
    /// Spikes, states and gradients are bit-identical to those of [`Operation::forward_all`]. It takes longer, because it
    /// runs step by step: each step is a call of its own, and saves what its backward pass needs.
    ///
    /// # Errors
    /// As [`Operation::forward`], and [`Error::UnknownState`].
    #[allow(clippy::type_complexity)]
    pub fn forward_recorded<E: Element>(
        &self,
        inputs: &[&Array<E>],
        states: &[&Array<E::Real>],
        names: &[&str],
    ) -> Result<(Stepped<E>, Records<E>, RecordedContext<N, E>), Error> {
        self.recorded_steps(inputs, states, &refs(&self.parameters(inputs)?), names)
    }

    /// As [`Operation::forward_recorded`], with values for parameters; see [`Operation::forward_with`].
    #[allow(clippy::type_complexity)]
    pub(crate) fn recorded_steps<E: Element>(
        &self,
        inputs: &[&Array<E>],
        states: &[&Array<E::Real>],
        parameters: &[&Array<E::Real>],
        names: &[&str],
    ) -> Result<(Stepped<E>, Records<E>, RecordedContext<N, E>), Error> {
        let recorded = positions(self.neuron.spec(), names)?;
        let mut contexts = Vec::new();
        let steps = self.steps(inputs, states, parameters, &recorded, |single, inputs, states| {
            let (stepped, context) = single.forward_with(inputs, states, parameters)?;
            contexts.push(context);
            Ok(stepped)
        })?;
        let (stepped, records) = steps.stacked()?;
        Ok((stepped, records, RecordedContext { steps: contexts, recorded }))
    }

    /// As [`Operation::inference_with`], with the states `names` after every step.
    pub(crate) fn inference_recorded<E: Element>(
        &self,
        inputs: &[&Array<E>],
        states: &[&Array<E::Real>],
        parameters: &[&Array<E::Real>],
        names: &[&str],
    ) -> Result<(Stepped<E>, Records<E>), Error> {
        let recorded = positions(self.neuron.spec(), names)?;
        if recorded == [0] {
            let (stepped, v_seq) = self.recorded(inputs, states, parameters)?;
            return Ok((stepped, vec![v_seq]));
        }
        let steps = self.steps(inputs, states, parameters, &recorded, |single, inputs, states| {
            single.inference_with(inputs, states, parameters)
        })?;
        steps.stacked()
    }

    /// Runs a sequence step by step.
    fn steps<E: Element>(
        &self,
        inputs: &[&Array<E>],
        states: &[&Array<E::Real>],
        parameters: &[&Array<E::Real>],
        recorded: &[usize],
        mut step: impl FnMut(&Operation<N, Single>, &[&Array<E>], &[&Array<E::Real>]) -> Result<Stepped<E>, Error>,
    ) -> Result<Steps<E>, Error> {
        let spec = self.neuron.spec();
        let steps = Given::check::<Sequence>(spec, inputs, states, parameters)?.shapes.steps;
        if steps == 0 {
            return Err(Error::Empty { neuron: spec.name, template: Sequence::template(true), what: "T" });
        }
        let mut single = Operation::<N, Single>::new(self.neuron.clone(), self.gradient);
        single.keep = self.keep;
        let mut run = Steps {
            outputs: Vec::with_capacity(steps),
            records: vec![Vec::with_capacity(steps); recorded.len()],
            states: states.iter().map(|&state| state.clone()).collect(),
        };
        for t in 0..steps {
            let rows = inputs.iter().map(|input| input.row(t)).collect::<Result<Vec<_>, _>>()?;
            let Stepped { spike, states } = step(&single, &refs(&rows), &refs(&run.states))?;
            for (record, &state) in run.records.iter_mut().zip(recorded) {
                record.push(states[state].clone());
            }
            run.outputs.push(spike);
            run.states = states;
        }
        Ok(run)
    }
}

impl<E: Element> Steps<E> {
    fn stacked(self) -> Result<(Stepped<E>, Records<E>), Error> {
        let records = self.records.iter().map(|record| Array::stack(record)).collect::<Result<_, _>>()?;
        Ok((Stepped { spike: Array::stack(&self.outputs)?, states: self.states }, records))
    }
}

impl<N: Neuron + Clone, E: Element> RecordedContext<N, E> {
    /// Backward pass: the gradients of inputs, states and parameters from those of the spikes, of recorded states by name,
    /// `[T, ...]` each, and of the states after the last step. Records without a gradient do not matter.
    ///
    /// On a GPU, gradients of records are added on the CPU, so each step waits for them.
    ///
    /// # Errors
    /// [`Error::NotRecorded`], [`Error::Shape`], [`Error::Arity`]
    pub fn backward_all(
        &self,
        grad_spike: &Array<E>,
        grad_records: &[(&str, &Array<E::Real>)],
        grad_states: &[&Array<E::Real>],
    ) -> Result<Gradients<E>, Error> {
        let last = self.last();
        let spec = last.neuron.spec();
        let dims = self.dims();
        let sequence = [&[self.steps.len()], dims].concat();
        same(spec.name, &format!("grad_{}", spec.output), &sequence, grad_spike.shape())?;
        let mut records = Vec::new();
        for &(name, grad) in grad_records {
            let is_it = |state: &&usize| spec.states[**state].name == name;
            let Some(&state) = self.recorded.iter().find(is_it) else {
                return Err(self.not_recorded(name));
            };
            same(spec.name, &format!("grad_{name}_seq"), &sequence, grad.shape())?;
            records.push((state, grad));
        }
        let mut states: Vec<Array<E::Real>> = grad_states.iter().map(|&grad| grad.clone()).collect();
        let mut inputs = Vec::with_capacity(self.steps.len());
        let mut parameters: Vec<Sum<E::Real>> = spec.learnables().map(|_| Sum::default()).collect();
        for (t, context) in self.steps.iter().enumerate().rev() {
            for &(state, grad) in &records {
                // Fewer or more of them are refused below, before the first step.
                if let Some(sum) = states.get_mut(state) {
                    *sum = sum.plus(&grad.row(t)?)?;
                }
            }
            let grads = context.backward_all(&grad_spike.row(t)?, &refs(&states))?;
            states = grads.states;
            inputs.push(grads.inputs);
            for (sum, grad) in parameters.iter_mut().zip(grads.parameters) {
                sum.make_room()?;
                sum.add(grad);
            }
        }
        inputs.reverse();
        let input = |index: usize| {
            let rows: Vec<Array<E>> = inputs.iter().map(|step| step[index].clone()).collect();
            Array::stack(&rows)
        };
        Ok(Gradients {
            inputs: (0..spec.inputs.len()).map(input).collect::<Result<_, _>>()?,
            states,
            // There is at least one step.
            parameters: parameters
                .iter()
                .filter_map(|sum| sum.total().transpose())
                .collect::<Result<_, _>>()?,
        })
    }

    /// The array parameters, as passed to the forward pass.
    pub fn parameters(&self) -> &[Array<E::Real>] {
        self.last().parameters()
    }

    /// The shape of the states.
    pub fn dims(&self) -> &[usize] {
        self.last().dims()
    }

    /// The bytes that it keeps besides the caller's arrays.
    pub fn kept_bytes(&self) -> usize {
        self.steps.iter().map(Context::kept_bytes).sum()
    }

    fn last(&self) -> &Context<N, E> {
        self.steps.last().expect("a forward pass has at least one step")
    }

    fn not_recorded(&self, name: &str) -> Error {
        let spec = self.last().neuron.spec();
        not_recorded(spec, name, self.recorded.iter().map(|&state| spec.states[state].name))
    }
}

/// The error for the gradient of a state that is not among those recorded.
pub(crate) fn not_recorded<'a>(
    spec: &'static Spec,
    name: &str,
    recorded: impl Iterator<Item = &'a str>,
) -> Error {
    let recorded: Vec<String> = recorded.map(|name| format!("`{name}`")).collect();
    let recorded = if recorded.is_empty() { "none".to_owned() } else { recorded.join(", ") };
    Error::NotRecorded { neuron: spec.name, name: name.to_owned(), recorded }
}

/// The positions of states among [`Spec::states`].
fn positions(spec: &'static Spec, names: &[&str]) -> Result<Vec<usize>, Error> {
    names.iter().map(|name| spec.state_index(name)).collect()
}
