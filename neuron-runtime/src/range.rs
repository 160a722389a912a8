//! Ranges of array parameters.

use crate::number::rounded;
use crate::shape::arity;
use crate::{Error, Neuron, Real};

/// Checks the values of all array parameters ([`Spec::arrays`](crate::Spec::arrays), in order) against their ranges. Conditions
/// that involve several parameters are checked for values with the same index.
///
/// # Errors
/// [`Error::ParameterRange`], [`Error::ParameterNotFinite`] (also for a parameter without values), [`Error::Arity`] for the
/// wrong number of arrays.
pub fn validate_values<N: Neuron, R: Real>(neuron: &N, arrays: &[&[R]]) -> Result<(), Error> {
    let spec = neuron.spec();
    arity(spec.name, "parameters", spec.arrays().count(), arrays.len())?;
    if arrays.is_empty() {
        return Ok(());
    }
    let most = arrays.iter().map(|array| array.len()).max().unwrap_or(0).max(1);
    let mut values = vec![0.0; arrays.len()];
    for i in 0..most {
        for (value, array) in values.iter_mut().zip(arrays) {
            // A parameter without values is rejected as not finite.
            *value = array.get(i % array.len().max(1)).map_or(f64::NAN, |value| value.to_f64());
        }
        // Ranges may be over parameters that are one number too.
        neuron.validate_rounded_at(&values, rounded::<R>)?;
    }
    Ok(())
}
