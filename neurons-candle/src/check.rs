//! Checks of arguments, before any work.

use candle_core::{DType, Tensor};
use neuron_runtime::{Layout, Neuron, Role, Spec, Template, validate_values};

use crate::Error;
use crate::call::Given;
use crate::launch::Neurons;

/// The format of the states for data of format `dtype`; `None` if the format is not supported.
pub fn state_dtype(dtype: DType) -> Option<DType> {
    match dtype {
        DType::F64 => Some(DType::F64),
        DType::F32 | DType::F16 | DType::BF16 => Some(DType::F32),
        _ => None,
    }
}

pub(crate) fn state_dtype_of(name: &str, x: &Tensor) -> Result<DType, Error> {
    let actual = x.dtype();
    state_dtype(actual).ok_or_else(|| Error::UnsupportedDType { name: name.to_owned(), actual })
}

/// Whether values of parameters are in range. On a GPU, checking them copies them, and waits for all work before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ranges {
    /// They are to be checked.
    Check,
    /// They have been, or are those of a neuron that has been.
    Known,
}

/// Checks a call; returns the layouts of its parameters.
pub(crate) fn check_call<N: Neuron + Clone>(
    neurons: &Neurons<N>,
    inputs: &[&Tensor],
    given: &Given<'_>,
) -> Result<Vec<Layout>, Error> {
    let Neurons { neuron, gradient, .. } = neurons;
    let (spec, multi_step) = (neuron.spec(), given.is_sequence);
    let state_names: Vec<_> = spec.states.iter().map(|state| state.name).collect();
    check_count(spec.name, "inputs", spec.inputs, inputs.len())?;
    if let Some(states) = given.states {
        check_count(spec.name, "states", &state_names, states.len())?;
    }

    let input_names = input_names(spec, multi_step);
    let x = inputs[0];
    let state_dtype = state_dtype_of(input_names[0], x)?;
    // The surrogate too, which only the backward pass reads: that would be too late for an error.
    match state_dtype {
        DType::F64 => {
            neuron.validate_in::<f64>()?;
            gradient.surrogate.validate_in::<f64>()?;
        }
        _ => {
            neuron.validate_in::<f32>()?;
            gradient.surrogate.validate_in::<f32>()?;
        }
    }
    let dims = if multi_step { step_dims(spec, x)? } else { x.dims() };
    if x.elem_count() == 0 {
        return Err(Error::Empty { name: input_names[0].to_owned(), shape: x.dims().to_vec() });
    }
    for (name, input) in input_names.into_iter().zip(inputs) {
        check_shape(name, input, x.dims())?;
        check_dtype(name, input, x.dtype())?;
    }
    for (name, state) in state_names.iter().zip(given.states.into_iter().flatten()) {
        check_shape(name, state, dims)?;
        check_dtype(name, state, state_dtype)?;
    }
    check_parameters(neuron, given.parameters, dims, state_dtype, given.ranges)
}

/// The names of the inputs of a step or a sequence.
pub(crate) fn input_names(spec: &'static Spec, multi_step: bool) -> Vec<&'static str> {
    let template = if multi_step { Template::Fptt } else { Template::Forward };
    let inputs = spec.signature(template).inputs.iter();
    inputs.filter(|buffer| matches!(buffer.role, Role::Input(_))).map(|buffer| buffer.name).collect()
}

/// Checks the parameters of neurons whose states are of shape `dims`.
pub(crate) fn check_parameters<N: Neuron + Clone>(
    neuron: &N,
    parameters: &[Tensor],
    dims: &[usize],
    dtype: DType,
    ranges: Ranges,
) -> Result<Vec<Layout>, Error> {
    let spec = neuron.spec();
    let names: Vec<_> = spec.arrays().map(|param| param.name).collect();
    check_count(spec.name, "parameters", &names, parameters.len())?;
    let mut layouts = Vec::with_capacity(parameters.len());
    for (param, values) in spec.arrays().zip(parameters) {
        check_dtype(param.name, values, dtype)?;
        layouts.push(Layout::of(spec.name, param, values.dims(), dims)?);
    }
    if ranges == Ranges::Check {
        check_ranges(neuron, parameters)?;
    }
    Ok(layouts)
}

/// Checks the values of all parameters against their ranges.
pub(crate) fn check_ranges<N: Neuron + Clone>(neuron: &N, parameters: &[Tensor]) -> Result<(), Error> {
    let values = |tensor: &Tensor| tensor.flatten_all()?.to_dtype(DType::F64)?.to_vec1();
    let values = parameters.iter().map(values).collect::<candle_core::Result<Vec<Vec<f64>>>>()?;
    Ok(validate_values(neuron, &values.iter().map(Vec::as_slice).collect::<Vec<_>>())?)
}

/// The shape of the states for the sequence `x_seq`.
pub(crate) fn step_dims<'x>(spec: &'static Spec, x_seq: &'x Tensor) -> Result<&'x [usize], Error> {
    match x_seq.dims() {
        [] => Err(Error::NoTime { name: input_names(spec, true)[0].to_owned() }),
        [_, dims @ ..] => Ok(dims),
    }
}

pub(crate) fn check_count(
    neuron: &'static str,
    what: &'static str,
    names: &[&str],
    actual: usize,
) -> Result<(), Error> {
    if names.len() == actual {
        return Ok(());
    }
    Err(Error::Count { neuron, what, names: names.join(", "), expected: names.len(), actual })
}

pub(crate) fn check_shape(name: &str, tensor: &Tensor, shape: &[usize]) -> Result<(), Error> {
    if tensor.dims() == shape {
        return Ok(());
    }
    let (expected, actual) = (shape.to_vec(), tensor.dims().to_vec());
    Err(Error::Shape { name: name.to_owned(), expected, actual })
}

pub(crate) fn check_dtype(name: &str, tensor: &Tensor, expected: DType) -> Result<(), Error> {
    let actual = tensor.dtype();
    if actual == expected { Ok(()) } else { Err(Error::DType { name: name.to_owned(), expected, actual }) }
}
