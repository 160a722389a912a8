//! Ranges of parameters that may differ between neurons.

use crate::number::rounded;
use crate::shape::arity;
use crate::{Error, Neuron, Real};

/// Checks the values of all parameters that may differ between neurons ([`Spec::arrays`](crate::Spec::arrays), in
/// order) against their ranges, together where they are as many.
///
/// # Errors
/// [`Error::ParameterRange`], [`Error::ParameterNotFinite`], also of one without values; [`Error::Arity`] for more or
/// fewer arrays than the neuron has.
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
            // One without values is refused for its length.
            *value = array.get(i % array.len().max(1)).map_or(f64::NAN, |value| value.to_f64());
        }
        // Ranges may be over parameters that are one number too.
        neuron.validate_rounded_at(&values, rounded::<R>)?;
    }
    Ok(())
}
