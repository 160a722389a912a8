//! What the expansion of `surrogate!` and the interpreter use. Not for use by hand: it changes with the generator.

pub use std::option::Option::{self, None, Some};
pub use std::result::Result;

use super::MAX_PARAMETERS;
pub use super::definition::{Definition, Interpret, ParameterDef, Shape, Texts};
pub use crate::{Error, Gradient, Real, Surrogate};

/// A declared surrogate with values of its parameters.
pub fn surrogate(definition: &'static Definition, parameters: [f64; MAX_PARAMETERS]) -> Surrogate {
    Surrogate { definition, parameters }
}
