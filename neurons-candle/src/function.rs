//! Steps and sequences as functions of inputs, states and parameters.

use candle_core::{DType, Device, Tensor};
use neuron_runtime::{Gradient, Neuron, ParamKind, ParamSpec, Spec};

use crate::Error;
use crate::call::{Given, Wanted, call};
use crate::check::{Ranges, check_parameters, state_dtype, state_dtype_of};
use crate::history::History;
use crate::initial::Initial;
use crate::launch::Neurons;
use crate::own::own_values;

/// One time step: from inputs and states, all of one shape, to spikes (or the output of a neuron that does not fire) and
/// next states of that shape.
///
/// Inputs and states are in the order of [`Spec::inputs`](neuron_runtime::Spec::inputs) and
/// [`Spec::states`](neuron_runtime::Spec::states). The step is differentiable with respect to all of them, as specified by
/// `gradient`. Parameters have the neuron's values.
///
/// # Errors
/// Tensors do not match the neuron or each other, or parameters are out of range: see [`Error`].
pub fn step<N: Neuron + Clone>(
    neuron: &N,
    gradient: Gradient,
    inputs: &[&Tensor],
    states: &[Tensor],
) -> Result<(Tensor, Vec<Tensor>), Error> {
    let parameters = own_values_for(neuron, inputs)?;
    run(
        neuron,
        gradient,
        inputs,
        Given { states: Some(states), parameters: &parameters, ranges: Ranges::Known, is_sequence: false },
    )
}

/// As [`step`], with values for the array parameters ([`Spec::arrays`](neuron_runtime::Spec::arrays), in order), and also
/// differentiable with respect to the learnable ones.
///
/// They have the format of the states. Their shapes are broadcast to that of the states as usual: `[]` is one value for all
/// neurons, `[C, 1, 1]` one per channel of `[B, C, H, W]`, `[C, H, W]` one per neuron of an image. Only outer and inner
/// dimensions can be repeated.
///
/// # Errors
/// As [`step`].
pub fn step_with<N: Neuron + Clone>(
    neuron: &N,
    gradient: Gradient,
    inputs: &[&Tensor],
    states: &[Tensor],
    parameters: &[Tensor],
) -> Result<(Tensor, Vec<Tensor>), Error> {
    run(
        neuron,
        gradient,
        inputs,
        Given { states: Some(states), parameters, ranges: Ranges::Check, is_sequence: false },
    )
}

/// A sequence of `T` steps: from inputs `[T, ...]` and initial states `[...]` to spikes `[T, ...]` and the states `[...]`
/// after the last step. Otherwise as [`step`].
///
/// # Errors
/// As [`step`]; [`Error::NoTime`] for inputs without a time dimension.
pub fn multi_step<N: Neuron + Clone>(
    neuron: &N,
    gradient: Gradient,
    inputs: &[&Tensor],
    states: &[Tensor],
) -> Result<(Tensor, Vec<Tensor>), Error> {
    let parameters = own_values_for(neuron, inputs)?;
    run(
        neuron,
        gradient,
        inputs,
        Given { states: Some(states), parameters: &parameters, ranges: Ranges::Known, is_sequence: true },
    )
}

/// As [`multi_step`], with values for parameters; see [`step_with`].
///
/// # Errors
/// As [`multi_step`].
pub fn multi_step_with<N: Neuron + Clone>(
    neuron: &N,
    gradient: Gradient,
    inputs: &[&Tensor],
    states: &[Tensor],
    parameters: &[Tensor],
) -> Result<(Tensor, Vec<Tensor>), Error> {
    run(
        neuron,
        gradient,
        inputs,
        Given { states: Some(states), parameters, ranges: Ranges::Check, is_sequence: true },
    )
}

fn run<N: Neuron + Clone>(
    neuron: &N,
    gradient: Gradient,
    inputs: &[&Tensor],
    given: Given<'_>,
) -> Result<(Tensor, Vec<Tensor>), Error> {
    let neurons = Neurons::new(neuron.clone(), gradient);
    let wanted = Wanted { states: true, history: Some(&mut History::default()), ..Wanted::default() };
    call(&neurons, inputs, &given, wanted)
}

/// The states before the first step, each in the shape of `x`, the input of one step.
///
/// # Errors
/// [`Error::UnsupportedDType`]; [`Error::Candle`] if memory is exhausted.
pub fn initial_state<N: Neuron + Clone>(neuron: &N, x: &Tensor) -> Result<Vec<Tensor>, Error> {
    let dtype = state_dtype_of(neuron.spec().inputs[0], x)?;
    initial(neuron, x.dims(), &own_values(neuron, x, dtype)?, x, dtype, Ranges::Known)
}

/// As [`initial_state`], with values for parameters; see [`step_with`]. Differentiable with respect to the learnable ones.
///
/// # Errors
/// As [`initial_state`], and for parameters that do not match.
pub fn initial_state_with<N: Neuron + Clone>(
    neuron: &N,
    x: &Tensor,
    parameters: &[Tensor],
) -> Result<Vec<Tensor>, Error> {
    let dtype = state_dtype_of(neuron.spec().inputs[0], x)?;
    initial(neuron, x.dims(), parameters, x, dtype, Ranges::Check)
}

/// Of shape `dims` and format `dtype`, where `x` is.
pub(crate) fn initial<N: Neuron + Clone>(
    neuron: &N,
    dims: &[usize],
    parameters: &[Tensor],
    x: &Tensor,
    dtype: DType,
    ranges: Ranges,
) -> Result<Vec<Tensor>, Error> {
    let layouts = check_parameters(neuron, parameters, dims, dtype, ranges)?;
    if !neuron.spec().states.iter().any(|state| state.varies) {
        let full = |value| Tensor::full(value, dims, x.device())?.to_dtype(dtype);
        return Ok(neuron.initial_state().into_iter().map(full).collect::<candle_core::Result<_>>()?);
    }
    let count = dims.iter().product();
    // On the CPU wherever the tensors are: no kernel computes initial states.
    let values = flat(&constant_but_learnable(neuron.spec(), parameters))?.to_device(&Device::Cpu)?;
    let states =
        values.apply_op1(Initial { neuron: neuron.clone(), count, layouts })?.to_device(x.device())?;
    let state = |i| states.narrow(0, i * count, count)?.reshape(dims);
    Ok((0..neuron.spec().states.len()).map(state).collect::<candle_core::Result<_>>()?)
}

/// As [`own_values`], for a call, which checks its inputs itself.
fn own_values_for<N: Neuron + Clone>(neuron: &N, inputs: &[&Tensor]) -> Result<Vec<Tensor>, Error> {
    let Some((x, dtype)) = inputs.first().and_then(|x| Some((*x, state_dtype(x.dtype())?))) else {
        return Ok(Vec::new());
    };
    own_values(neuron, x, dtype)
}

/// Candle would compute a gradient for the others too, of zeros.
fn constant_but_learnable(spec: &'static Spec, parameters: &[Tensor]) -> Vec<Tensor> {
    let constant = |(param, values): (&ParamSpec, &Tensor)| match param.kind {
        ParamKind::Learnable => values.clone(),
        ParamKind::Array | ParamKind::Scalar => values.detach(),
    };
    spec.arrays().zip(parameters).map(constant).collect()
}

/// All elements, concatenated. A single contiguous tensor is not copied.
fn flat<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> candle_core::Result<Tensor> {
    let flat = |tensor: &Tensor| tensor.contiguous()?.flatten_all();
    let mut flat = tensors.into_iter().map(flat).collect::<candle_core::Result<Vec<_>>>()?;
    if flat.len() == 1 { Ok(flat.remove(0)) } else { Tensor::cat(&flat, 0) }
}
