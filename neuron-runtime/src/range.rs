//! Ranges of array parameters.

use crate::number::rounded;
use crate::shape::arity;
use crate::{Error, Neuron, Real, Value};

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
    let mut values = vec![0.0; arrays.len()];
    for i in 0..longest(arrays) {
        gather(&mut values, arrays, i);
        // Ranges may be over parameters that are one number too.
        neuron.validate_rounded_at(&values, rounded::<R>)?;
    }
    Ok(())
}

/// Moves values of the array parameter `name` that are outside its range to the closest number inside it, towards the
/// neuron's own value; returns the values if any moved. `R` is the format of the arithmetic, and `stored` rounds to the format
/// that values are stored in; numbers must be in range in both. `arrays` are as in [`validate_values`].
///
/// # Errors
/// [`Error::UnknownParameter`], [`Error::ScalarParameter`]; [`Error::ParameterNotFinite`] for NaN and parameters without
/// values; [`Error::ParameterRange`] if the neuron's own value is out of range, too, or if another parameter is.
pub fn project_values<N: Neuron, R: Real>(
    neuron: &N,
    name: &str,
    arrays: &[&[f64]],
    stored: impl Fn(f64) -> f64,
) -> Result<Option<Vec<f64>>, Error> {
    let spec = neuron.spec();
    arity(spec.name, "parameters", spec.arrays().count(), arrays.len())?;
    let at = spec.array_index(name)?;
    let mut moved = arrays[at].to_vec();
    let mut values = vec![0.0; arrays.len()];
    let mut is_moved = false;
    for i in 0..longest(arrays) {
        gather(&mut values, arrays, i);
        values.iter_mut().for_each(|value| *value = rounded::<R>(*value));
        let index = i % moved.len().max(1);
        let Some(value) = moved.get_mut(index) else {
            neuron.validate_rounded_at(&values, rounded::<R>)?;
            break;
        };
        let mut is_valid = |value: f64| {
            values[at] = rounded::<R>(value);
            neuron.validate_rounded_at(&values, rounded::<R>)
        };
        let Err(error) = is_valid(*value) else { continue };
        let inside = match neuron.get(name) {
            Some(Value::Real(own)) if !value.is_nan() && is_valid(stored(own)).is_ok() => stored(own),
            _ => return Err(error),
        };
        let outside = value.clamp(f64::MIN, f64::MAX);
        *value = closest(outside, inside, &stored, |value| is_valid(value).is_ok());
        is_moved = true;
    }
    if !is_moved {
        return Ok(None);
    }
    // A condition over several parameters may not hold any more for values that were checked before.
    let all = arrays.iter().enumerate().map(|(i, array)| if i == at { moved.as_slice() } else { array });
    let all: Vec<Vec<R>> = all.map(|array| array.iter().map(|value| R::from_f64(*value)).collect()).collect();
    validate_values(neuron, &all.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
    Ok(Some(moved))
}

/// Bisects between a valid and an invalid number until no number of the format is between them; returns the valid one.
fn closest(
    mut outside: f64,
    mut inside: f64,
    stored: impl Fn(f64) -> f64,
    mut is_valid: impl FnMut(f64) -> bool,
) -> f64 {
    loop {
        let exact = outside / 2.0 + inside / 2.0;
        // Beyond the format's largest number, where the search begins for an infinite value, it is not rounded.
        let middle = Some(stored(exact)).filter(|stored| stored.is_finite()).unwrap_or(exact);
        if middle == outside || middle == inside {
            return inside;
        }
        *(if is_valid(middle) { &mut inside } else { &mut outside }) = middle;
    }
}

fn longest<R>(arrays: &[&[R]]) -> usize {
    arrays.iter().map(|array| array.len()).max().unwrap_or(0).max(1)
}

/// The values with index `i`, which repeat.
fn gather<R: Real>(values: &mut [f64], arrays: &[&[R]], i: usize) {
    for (value, array) in values.iter_mut().zip(arrays) {
        // A parameter without values is rejected as not finite.
        *value = array.get(i % array.len().max(1)).map_or(f64::NAN, |value| value.to_f64());
    }
}
