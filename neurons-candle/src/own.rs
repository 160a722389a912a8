//! Array parameters that have the neuron's value, one for all neurons, as tensors.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{DType, Tensor};
use neuron_runtime::{Neuron, ParamSpec, Value};

use crate::Error;

/// The values that a layer has made, one set for each device and format: on a GPU, each takes several kernels. Shared by its
/// clones, which are the same neuron.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnValues(Arc<Mutex<Vec<Vec<Tensor>>>>);

/// The number of sets that are kept: tensors keep their device, which may have been a temporary one.
const SETS: usize = 8;

impl OwnValues {
    /// Of all array parameters, on the device of `x`.
    pub fn get<N: Neuron>(&self, neuron: &N, x: &Tensor, dtype: DType) -> Result<Vec<Tensor>, Error> {
        let mut sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |value: &Tensor| value.dtype() == dtype && value.device().same_device(x.device());
        if let Some(set) = sets.iter().find(|set| set.iter().all(fits)) {
            return Ok(set.clone());
        }
        let set = own_values(neuron, x, dtype)?;
        sets.insert(0, set.clone());
        sets.truncate(SETS);
        Ok(set)
    }
}

/// Of all array parameters, on the device of `x`.
pub(crate) fn own_values<N: Neuron>(neuron: &N, x: &Tensor, dtype: DType) -> Result<Vec<Tensor>, Error> {
    let tensor = |param| Tensor::full(own_value(neuron, param), (), x.device())?.to_dtype(dtype);
    Ok(neuron.spec().arrays().map(tensor).collect::<candle_core::Result<_>>()?)
}

/// The neuron's value of a parameter.
pub(crate) fn own_value<N: Neuron>(neuron: &N, param: &ParamSpec) -> f64 {
    match neuron.get(param.name) {
        Some(Value::Real(value)) => value,
        _ => param.default,
    }
}
