//! Steps and sequences as functions of inputs and states.

use candle_core::{DType, Tensor};
use neuron_runtime::{Device, Gradient, Neuron};

use crate::Error;
use crate::op::Forward;

/// One time step: inputs and states, all of one shape, to the spikes and the next states of that shape.
///
/// Inputs and states are in the order of [`Spec::inputs`](neuron_runtime::Spec::inputs) and
/// [`Spec::states`](neuron_runtime::Spec::states). Differentiable in all of them; `gradient` says how.
///
/// # Errors
/// Tensors that do not fit the neuron or each other, parameters out of range: see [`Error`].
pub fn step<N: Neuron>(
    neuron: &N,
    gradient: Gradient,
    inputs: &[&Tensor],
    states: &[Tensor],
) -> Result<(Tensor, Vec<Tensor>), Error> {
    call(Forward { neuron: neuron.clone(), gradient, multi_step: false, device: Device::Cpu }, inputs, states)
}

/// A sequence of `T` steps: inputs `[T, ...]` and initial states `[...]` to the spikes `[T, ...]` and the
/// states `[...]` after the last step. Otherwise as [`step`].
///
/// # Errors
/// As [`step`], and for inputs without a time dimension.
pub fn multi_step<N: Neuron>(
    neuron: &N,
    gradient: Gradient,
    inputs: &[&Tensor],
    states: &[Tensor],
) -> Result<(Tensor, Vec<Tensor>), Error> {
    call(Forward { neuron: neuron.clone(), gradient, multi_step: true, device: Device::Cpu }, inputs, states)
}

/// The states before the first step, each of the shape of `x`, the input of one step.
///
/// # Errors
/// [`Error::UnsupportedDType`], or a device that is out of memory.
pub fn initial_state<N: Neuron>(neuron: &N, x: &Tensor) -> Result<Vec<Tensor>, Error> {
    let dtype = state_dtype_of(N::SPEC.inputs[0], x)?;
    let full = |value| Tensor::full(value, x.shape(), x.device())?.to_dtype(dtype);
    Ok(neuron.initial_state().into_iter().map(full).collect::<candle_core::Result<_>>()?)
}

/// The format of the states for data of format `dtype`; `None` if neurons do not take such data.
pub fn state_dtype(dtype: DType) -> Option<DType> {
    match dtype {
        DType::F64 => Some(DType::F64),
        DType::F32 | DType::F16 | DType::BF16 => Some(DType::F32),
        _ => None,
    }
}

fn state_dtype_of(name: &str, x: &Tensor) -> Result<DType, Error> {
    let actual = x.dtype();
    state_dtype(actual).ok_or_else(|| Error::UnsupportedDType { name: name.to_owned(), actual })
}

pub(crate) fn call<N: Neuron>(
    op: Forward<N>,
    inputs: &[&Tensor],
    states: &[Tensor],
) -> Result<(Tensor, Vec<Tensor>), Error> {
    check(&op, inputs, states)?;
    let x = inputs[0];
    let steps = if op.multi_step { x.dim(0)? } else { 1 };
    let neurons = x.elem_count() / steps;

    let stacked_inputs = stack(inputs.iter().copied(), (steps, neurons))?;
    let stacked_states = stack(states, (1, neurons))?;
    let result = stacked_inputs.apply_op2(&stacked_states, op)?;

    let spikes = result.narrow(0, 0, steps)?.to_dtype(x.dtype())?.reshape(x.shape())?;
    let next = |(i, state): (usize, &Tensor)| result.narrow(0, steps + i, 1)?.reshape(state.shape());
    let next = states.iter().enumerate().map(next).collect::<candle_core::Result<_>>()?;
    Ok((spikes, next))
}

/// Contiguous matrices, one below the other. A single contiguous tensor is not copied.
fn stack<'a>(
    tensors: impl IntoIterator<Item = &'a Tensor>,
    shape: (usize, usize),
) -> candle_core::Result<Tensor> {
    let matrix = |tensor: &Tensor| tensor.contiguous()?.reshape(shape);
    let mut matrices = tensors.into_iter().map(matrix).collect::<candle_core::Result<Vec<_>>>()?;
    if matrices.len() == 1 { Ok(matrices.remove(0)) } else { Tensor::cat(&matrices, 0) }
}

/// Everything that can be wrong with the arguments.
fn check<N: Neuron>(op: &Forward<N>, inputs: &[&Tensor], states: &[Tensor]) -> Result<(), Error> {
    op.neuron.validate()?;
    op.gradient.surrogate.validate()?;
    let spec = N::SPEC;
    let state_names: Vec<_> = spec.states.iter().map(|state| state.name).collect();
    check_count(spec.name, "inputs", spec.inputs, inputs.len())?;
    check_count(spec.name, "states", &state_names, states.len())?;

    let suffix = if op.multi_step { "_seq" } else { "" };
    let input_names: Vec<_> = spec.inputs.iter().map(|name| format!("{name}{suffix}")).collect();
    let x = inputs[0];
    let state_dtype = state_dtype_of(&input_names[0], x)?;
    let state_shape = match x.dims() {
        [] if op.multi_step => return Err(Error::NoTime { name: input_names[0].clone() }),
        [_, rest @ ..] if op.multi_step => rest,
        all => all,
    };
    if x.elem_count() == 0 {
        return Err(Error::Empty { name: input_names[0].clone(), shape: x.dims().to_vec() });
    }
    for (name, input) in input_names.iter().zip(inputs) {
        check_tensor(name, input, x.dims(), x.dtype())?;
    }
    for (name, state) in state_names.iter().zip(states) {
        check_tensor(name, state, state_shape, state_dtype)?;
    }
    Ok(())
}

fn check_count(neuron: &'static str, what: &'static str, names: &[&str], actual: usize) -> Result<(), Error> {
    if names.len() == actual {
        return Ok(());
    }
    Err(Error::Count { neuron, what, names: names.join(", "), expected: names.len(), actual })
}

fn check_tensor(name: &str, tensor: &Tensor, shape: &[usize], dtype: DType) -> Result<(), Error> {
    if tensor.dims() != shape {
        let (expected, actual) = (shape.to_vec(), tensor.dims().to_vec());
        return Err(Error::Shape { name: name.to_owned(), expected, actual });
    }
    if tensor.dtype() != dtype {
        return Err(Error::DType { name: name.to_owned(), expected: dtype, actual: tensor.dtype() });
    }
    Ok(())
}
