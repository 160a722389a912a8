//! The two passes: which templates they run, on which tensors.

use candle_core::op::BackpropOp;
use candle_core::{Shape, Storage, Tensor};
use neuron_runtime::{Neuron, Role, STEPS, Spec, Template};

use crate::Error;
use crate::launch::{Launch, Neurons, Pass};

/// The tensors that a step or a sequence starts from, contiguous.
#[derive(Debug)]
pub(crate) struct Arrays {
    pub inputs: Vec<Tensor>,
    /// `None` stands for the initial values.
    pub states: Option<Vec<Tensor>>,
    /// Of [`Spec::arrays`], in order.
    pub parameters: Vec<Tensor>,
}

/// What the forward pass computes.
pub(crate) struct Computed {
    pub output: Storage,
    /// The states after the last step, if they are wanted.
    pub next: Vec<Option<Storage>>,
    /// For the backward pass: by state, its values before every few steps.
    pub checkpoints: Vec<Option<Tensor>>,
}

/// What the backward pass takes besides the [`Arrays`].
pub(crate) struct Grads<'a> {
    pub output: &'a Tensor,
    /// By state; `None` stands for zeros.
    pub next: &'a [Option<Tensor>],
    pub checkpoints: &'a [Option<Tensor>],
}

impl Arrays {
    fn of_role(&self, spec: &'static Spec, role: Role) -> Option<&Tensor> {
        match role {
            Role::Input(index) => self.inputs.get(index),
            Role::State(index) => self.states.as_ref()?.get(index),
            Role::Param(index) => self.parameters.get(spec.array_place(index)?),
            _ => None,
        }
    }
}

/// Computes the output; also the next states if they are wanted, and what the backward pass needs if there will be one.
pub(crate) fn forward<N: Neuron>(
    neurons: &Neurons<N>,
    pass: &Pass,
    arrays: &Arrays,
    wants_next: bool,
    has_backward: bool,
) -> Result<Computed, Error> {
    let spec = neurons.neuron.spec();
    let states = spec.states.len();
    let has_checkpoints = || {
        let is_checkpoint = |role| matches!(role, Role::Checkpoint(_));
        spec.signature(Template::LeanFptt).outputs.iter().any(|buffer| is_checkpoint(buffer.role))
    };
    let template = match pass.multi_step {
        false => Template::Forward,
        true if has_backward && pass.steps > STEPS && has_checkpoints() => Template::LeanFptt,
        true => Template::Fptt,
    };
    let block = |role| match role {
        Role::Output => Some(0),
        Role::NextState(index) if wants_next => Some(1 + index),
        Role::Checkpoint(index) => Some(1 + states + index),
        _ => None,
    };
    let launch = Launch::new(spec, pass, template, |role| arrays.of_role(spec, role), 1 + 2 * states, block);
    let lens: Vec<usize> = launch.blocks.iter().map(|block| block.len).collect();
    let mut results = launch.run(neurons)?;
    results.truncate(1 + 2 * states);
    let kept = results.drain(1 + states..).zip(&lens[1 + states..]);
    let checkpoints = kept.map(|(storage, len)| storage.map(|storage| constant(storage, *len))).collect();
    let next = results.drain(1..).collect();
    let Some(output) = results.pop().flatten() else {
        return Err(candle_core::Error::Msg(format!("{} has no output", spec.name)).into());
    };
    Ok(Computed { output, next, checkpoints })
}

/// Computes gradients of what [`forward`] took. Those of one group, by role, are one behind the other in the memory that is
/// returned for it.
pub(crate) fn backward<N: Neuron>(
    neurons: &Neurons<N>,
    pass: &Pass,
    arrays: &Arrays,
    grads: &Grads<'_>,
    groups: &[Vec<Role>],
) -> Result<Vec<Option<Storage>>, Error> {
    let spec = neurons.neuron.spec();
    let input = |role| match role {
        Role::GradOutput => Some(grads.output),
        Role::GradNextState(index) => grads.next.get(index)?.as_ref(),
        Role::Checkpoint(index) => grads.checkpoints.get(index)?.as_ref(),
        role => arrays.of_role(spec, role),
    };
    let group = |role| groups.iter().position(|group| group.contains(&role));
    let mut results = Launch::new(spec, pass, Template::LeanBptt, input, groups.len(), group).run(neurons)?;
    results.truncate(groups.len());
    Ok(results)
}

/// A tensor that is not part of a graph.
pub(crate) fn constant(storage: Storage, shape: impl Into<Shape>) -> Tensor {
    Tensor::from_storage(storage, shape, BackpropOp::none(), false)
}
