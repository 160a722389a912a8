//! A step or a sequence: checked, computed, and made part of candle's graph.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use candle_core::{Shape, Tensor};
use neuron_runtime::{Neuron, ParamKind, Role, Spec};

use crate::Error;
use crate::check::{Ranges, check_call};
use crate::history::History;
use crate::launch::{Neurons, Pass};
use crate::left::Left;
use crate::op::{NextState, Output, Ready, Recorded};
use crate::passes::{Arrays, Computed, constant, forward};

/// What a call takes besides inputs.
pub(crate) struct Given<'a> {
    pub is_sequence: bool,
    /// `None` stands for the initial values, which then depend on no parameter.
    pub states: Option<&'a [Tensor]>,
    /// Of [`Spec::arrays`], in order.
    pub parameters: &'a [Tensor],
    pub ranges: Ranges,
}

/// What a call is to return, and be part of.
#[derive(Default)]
pub(crate) struct Wanted<'a> {
    /// Whether the states after the call are returned.
    pub states: bool,
    /// The graph: the calls that the states come from. Without, the results are part of no graph.
    pub history: Option<&'a mut History>,
    /// Set by the backward pass.
    pub may_change: Option<&'a Arc<AtomicBool>>,
    /// Where the backward pass leaves the gradient of the first input, for another operation of that input; `None` if candle is
    /// to have it.
    pub grad_input: Option<&'a Arc<Left>>,
}

/// Computes a call: the output and, if they are wanted, the states after it.
pub(crate) fn call<N: Neuron + Clone>(
    neurons: &Neurons<N>,
    inputs: &[&Tensor],
    given: &Given<'_>,
    wanted: Wanted<'_>,
) -> Result<(Tensor, Vec<Tensor>), Error> {
    let layouts = check_call(neurons, inputs, given)?;
    let (spec, x) = (neurons.neuron.spec(), inputs[0]);
    let (steps, dims) = if given.is_sequence { (x.dim(0)?, &x.dims()[1..]) } else { (1, x.dims()) };
    let count = x.elem_count() / steps;
    let pass = Pass { multi_step: given.is_sequence, dtype: x.dtype(), steps, count, layouts };

    let contiguous = |tensors: &mut dyn Iterator<Item = &Tensor>| {
        tensors.map(Tensor::contiguous).collect::<candle_core::Result<Vec<_>>>()
    };
    let arrays = Arrays {
        inputs: contiguous(&mut inputs.iter().copied())?,
        states: given.states.map(|states| contiguous(&mut states.iter())).transpose()?,
        parameters: contiguous(&mut given.parameters.iter())?,
    };
    let differentiated = match &wanted.history {
        Some(_) => differentiated(spec, &arrays),
        None => Vec::new(),
    };
    let Computed { output, next, checkpoints } =
        forward(neurons, &pass, &arrays, wanted.states, !differentiated.is_empty())?;
    let (Some(history), false) = (wanted.history, differentiated.is_empty()) else {
        let next = next.into_iter().flatten().map(|storage| constant(storage, dims)).collect();
        return Ok((constant(output, x.shape()), next));
    };

    let anchor = history.anchor().cloned();
    let arguments = arguments(differentiated, 3 - usize::from(anchor.is_some()))?;
    let recorded = Recorded {
        neurons: neurons.clone(),
        pass,
        arrays: arrays.detached(),
        checkpoints,
        arguments: arguments.iter().map(|(roles, tensor)| (roles.clone(), tensor.shape().clone())).collect(),
        may_change: wanted.may_change.cloned(),
        grad_next: Default::default(),
        grad_input: wanted.grad_input.cloned(),
    };
    let recorded = Arc::new(recorded);
    let first = anchor.iter().map(|anchor| anchor.result().clone());
    let tensors: Vec<Tensor> = first.chain(arguments.into_iter().map(|(_, tensor)| tensor)).collect();
    let output = Output { call: recorded.clone(), ready: Ready::new(output, x.shape()), anchor };
    let output = output.apply(&tensors)?;
    history.add(&output);
    let next = next.into_iter().enumerate().filter_map(|(index, storage)| Some((index, storage?)));
    let next = next.map(|(index, storage)| {
        let ready = Ready::new(storage, Shape::from(dims));
        output.apply_op1(NextState { call: recorded.clone(), index, ready })
    });
    let next = next.collect::<candle_core::Result<_>>()?;
    Ok((output, next))
}

impl Arrays {
    /// The same arrays, without the graphs that they are part of.
    fn detached(&self) -> Self {
        let detached = |tensors: &Vec<Tensor>| tensors.iter().map(Tensor::detach).collect();
        let Self { inputs, states, parameters } = self;
        Self {
            inputs: detached(inputs),
            states: states.as_ref().map(detached),
            parameters: detached(parameters),
        }
    }
}

/// The tensors that need a gradient, with the role of that gradient, in the order of signatures. Candle would allocate and add
/// up gradients for the others too.
fn differentiated(spec: &'static Spec, arrays: &Arrays) -> Vec<(Role, Tensor)> {
    let inputs = arrays.inputs.iter().enumerate().map(|(index, x)| (Role::GradInput(index), x));
    let states = arrays.states.iter().flatten().enumerate();
    let states = states.map(|(index, state)| (Role::GradState(index), state));
    let is_array = |(_, param): &(usize, &neuron_runtime::ParamSpec)| param.kind != ParamKind::Scalar;
    let parameters = spec.params.iter().enumerate().filter(is_array).zip(&arrays.parameters);
    let learnables = parameters.filter(|((_, param), _)| param.kind == ParamKind::Learnable);
    let learnables = learnables.map(|((index, _), values)| (Role::GradParam(index), values));
    let all = inputs.chain(states).chain(learnables).filter(|(_, tensor)| tensor.track_op());
    all.map(|(role, tensor)| (role, tensor.clone())).collect()
}

/// At most `limit` arguments, of which there are at least two, each with the roles of the gradients that it takes.
fn arguments(
    mut differentiated: Vec<(Role, Tensor)>,
    limit: usize,
) -> candle_core::Result<Vec<(Vec<Role>, Tensor)>> {
    if differentiated.len() <= limit {
        return Ok(differentiated.into_iter().map(|(role, tensor)| (vec![role], tensor)).collect());
    }
    let is_input = |(role, _): &(Role, Tensor)| matches!(role, Role::GradInput(_));
    let others = differentiated.split_off(differentiated.iter().take_while(|each| is_input(each)).count());
    let groups = [differentiated, others].into_iter().filter(|group| !group.is_empty());
    groups.map(concatenated).collect()
}

/// One argument of several tensors of one format.
fn concatenated(group: Vec<(Role, Tensor)>) -> candle_core::Result<(Vec<Role>, Tensor)> {
    let (roles, mut tensors): (Vec<_>, Vec<_>) = group.into_iter().unzip();
    if tensors.len() == 1 {
        return Ok((roles, tensors.remove(0)));
    }
    let flat = tensors.iter().map(Tensor::flatten_all).collect::<candle_core::Result<Vec<_>>>()?;
    Ok((roles, Tensor::cat(&flat, 0)?))
}
