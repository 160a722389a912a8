//! Ranges of parameters, checked on the numbers that kernels compute with.

use crate::{Error, Neuron, Real, Value};

/// The neuron with the parameters that it has in the format of the arithmetic.
pub(crate) fn rounded<N: Neuron, R: Real>(neuron: &N) -> Result<N, Error> {
    let mut rounded = neuron.clone();
    for param in N::SPEC.params {
        if let Some(Value::Real(value)) = neuron.get(param.name) {
            rounded.set(param.name, Value::Real(R::from_f64(value).to_f64()))?;
        }
    }
    Ok(rounded)
}

/// Checks the parameters of a neuron that is valid in float64, as they are in the format of the arithmetic.
pub(crate) fn check_rounded<N: Neuron, R: Real>(neuron: &N) -> Result<(), Error> {
    if size_of::<R>() == size_of::<f64>() {
        return Ok(());
    }
    let (format, before) = (R::NAME, |name| match neuron.get(name) {
        Some(Value::Real(value)) => value,
        _ => f64::NAN,
    });
    rounded::<N, R>(neuron)?.validate().map_err(|error| match error {
        Error::ParameterRange { neuron, name, value: rounded, expected } => {
            Error::ParameterRounded { neuron, name, value: before(name), rounded, format, expected }
        }
        Error::ParameterNotFinite { neuron, name, .. } => {
            Error::ParameterTooLarge { neuron, name, value: before(name), format }
        }
        other => other,
    })
}
