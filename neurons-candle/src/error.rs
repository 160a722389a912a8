//! What can be wrong with a call.

use candle_core::DType;

/// Why an operation was refused or failed. All checks come before any work.
///
/// Converts into [`candle_core::Error`], so that `?` works in functions that return candle's `Result`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Wrong number of input or state tensors.
    #[error("wrong number of {what} for {neuron}: expected {expected} ({names}), got {actual}")]
    Count {
        /// Name of the neuron.
        neuron: &'static str,
        /// `inputs` or `states`.
        what: &'static str,
        /// Their names, in order.
        names: String,
        /// How many the neuron has.
        expected: usize,
        /// How many were given.
        actual: usize,
    },
    /// A sequence without a time dimension.
    #[error("`{name}` must be a sequence of shape [T, ...], but it is a scalar")]
    NoTime {
        /// Name of the tensor.
        name: String,
    },
    /// A tensor without elements: no time steps or no neurons.
    #[error("`{name}` has no elements: its shape is {shape:?}")]
    Empty {
        /// Name of the tensor.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A tensor that does not fit the first input.
    #[error("`{name}` must have shape {expected:?}, but it has {actual:?}")]
    Shape {
        /// Name of the tensor.
        name: String,
        /// The shape that the first input calls for.
        expected: Vec<usize>,
        /// The shape that was given.
        actual: Vec<usize>,
    },
    /// A tensor whose format does not fit the first input.
    #[error("`{name}` must be {}, but it is {}", expected.as_str(), actual.as_str())]
    DType {
        /// Name of the tensor.
        name: String,
        /// The format that the first input calls for.
        expected: DType,
        /// The format that was given.
        actual: DType,
    },
    /// Data in a format that neurons do not compute with.
    #[error("`{name}` is {}, but neurons take f32, f64, f16 and bf16", actual.as_str())]
    UnsupportedDType {
        /// Name of the tensor.
        name: String,
        /// The format that was given.
        actual: DType,
    },
    /// Refused by the neuron: a parameter of it or of the surrogate is out of range.
    #[error(transparent)]
    Neuron(#[from] neuron_runtime::Error),
    /// Failed in candle: tensors on different devices, a device without an implementation.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

impl From<Error> for candle_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Candle(error) => error,
            other => Self::wrap(other),
        }
    }
}
