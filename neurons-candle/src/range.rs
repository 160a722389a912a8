//! Variables that an optimiser has moved out of range.

use candle_core::{DType, Tensor, Var};
use half::{bf16, f16};
use neuron_runtime::{Neuron, Value, project_values};

use crate::Error;

/// Moves the values of variables among `parameters` that are out of range for data of format `dtype` to the closest ones in
/// range. `parameters` are those of [`Spec::arrays`](neuron_runtime::Spec::arrays), in order, `None` where all have the
/// neuron's own value.
pub(crate) fn project<N: Neuron + Clone>(
    neuron: &N,
    parameters: &[Option<Tensor>],
    dtype: DType,
) -> Result<(), Error> {
    let own = |name| match neuron.get(name) {
        Some(Value::Real(value)) => value,
        _ => f64::NAN,
    };
    let values = |(param, tensor): (&neuron_runtime::ParamSpec, &Option<Tensor>)| match tensor {
        Some(tensor) => tensor.flatten_all()?.to_dtype(DType::F64)?.to_vec1(),
        None => Ok(vec![own(param.name)]),
    };
    let values = neuron.spec().arrays().zip(parameters).map(values);
    let mut values = values.collect::<candle_core::Result<Vec<Vec<f64>>>>()?;
    for (at, (param, tensor)) in neuron.spec().arrays().zip(parameters).enumerate() {
        let Some(variable) = tensor.as_ref().filter(|tensor| tensor.is_variable()) else { continue };
        let all: Vec<&[f64]> = values.iter().map(Vec::as_slice).collect();
        let stored = rounded(variable.dtype());
        let moved = match dtype {
            DType::F64 => project_values::<N, f64>(neuron, param.name, &all, stored)?,
            _ => project_values::<N, f32>(neuron, param.name, &all, stored)?,
        };
        if let Some(moved) = moved {
            let tensor = Tensor::from_slice(&moved, variable.shape(), variable.device())?;
            Var::from_tensor(variable)?.set(&tensor.to_dtype(variable.dtype())?)?;
            values[at] = moved;
        }
    }
    Ok(())
}

/// Rounds to a format of parameters.
fn rounded(dtype: DType) -> fn(f64) -> f64 {
    match dtype {
        DType::F16 => |value| f16::from_f64(value).to_f64(),
        DType::BF16 => |value| bf16::from_f64(value).to_f64(),
        DType::F32 => |value| f64::from(value as f32),
        _ => |value| value,
    }
}
