//! What the expansion of `surrogate!` uses. Not for use by hand: it changes with the generator.

pub use std::option::Option::{self, None, Some};
pub use std::result::Result;

use neuron_abi::SURROGATE_PARAMETERS as MAX_PARAMETERS;

pub use super::definition::{Definition, ParameterDef, Shape};
pub use crate::{Error, Gradient, Real, Surrogate};

/// A declared surrogate with values of its parameters.
pub fn surrogate(definition: &'static Definition, parameters: [f64; MAX_PARAMETERS]) -> Surrogate {
    Surrogate { definition, parameters }
}
