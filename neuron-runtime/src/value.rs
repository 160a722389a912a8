//! Values of parameters and flags.

use std::fmt;

/// The value of a parameter or flag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Of a `param`.
    Real(f64),
    /// Of a `flag`.
    Flag(bool),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Real(value) => write!(f, "the number {value}"),
            Self::Flag(value) => write!(f, "the flag {value}"),
        }
    }
}
