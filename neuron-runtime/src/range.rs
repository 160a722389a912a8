//! Ranges of parameters, checked on the numbers that kernels compute with.

use crate::{Error, Neuron, Real, Value};

/// The nearest number of a format of arithmetic.
pub(crate) fn rounded<R: Real>(value: f64) -> f64 {
    R::from_f64(value).to_f64()
}

/// Checks the parameters of a neuron as they are declared, and as they are in the format of the arithmetic.
pub(crate) fn validate_in<R: Real>(neuron: &(impl Neuron + ?Sized)) -> Result<(), Error> {
    neuron.validate()?;
    if size_of::<R>() == size_of::<f64>() {
        return Ok(());
    }
    let (format, before) = (R::NAME, |name| match neuron.get(name) {
        Some(Value::Real(value)) => value,
        _ => f64::NAN,
    });
    neuron.validate_rounded(rounded::<R>).map_err(|error| match error {
        Error::ParameterRange { neuron, name, value: rounded, expected } => {
            Error::ParameterRounded { neuron, name, value: before(name), rounded, format, expected }
        }
        Error::ParameterNotFinite { neuron, name, .. } => {
            Error::ParameterTooLarge { neuron, name, value: before(name), format }
        }
        other => other,
    })
}
