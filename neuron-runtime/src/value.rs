//! Values of parameters and flags.

/// A value of a parameter, whatever its type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Of a `param`.
    Real(f64),
    /// Of a `flag`.
    Flag(bool),
}
