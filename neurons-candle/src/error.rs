//! Errors of calls.

use candle_core::DType;

/// Why an operation was refused or failed. All checks come before any work.
///
/// Converts into [`candle_core::Error`], so that `?` works in functions that return candle's `Result`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The wrong number of tensors.
    #[error("{neuron}: wrong number of {what}: expected {expected} ({names}), found {actual}")]
    Count {
        /// Name of the neuron.
        neuron: &'static str,
        /// What is counted, such as `inputs`.
        what: &'static str,
        /// Their names, in order.
        names: String,
        /// The number that the neuron has.
        expected: usize,
        /// The number passed.
        actual: usize,
    },
    /// A sequence without a time dimension.
    #[error("expected shape [T, ...] for `{name}`, found a scalar")]
    NoTime {
        /// Name of the tensor.
        name: String,
    },
    /// A tensor without elements: no time steps or no neurons.
    #[error("expected at least one element in `{name}`, found shape {shape:?}")]
    Empty {
        /// Name of the tensor.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A tensor whose shape does not match the first input.
    #[error("expected shape {expected:?} for `{name}`, found {actual:?}")]
    Shape {
        /// Name of the tensor.
        name: String,
        /// The expected shape.
        expected: Vec<usize>,
        /// Its shape.
        actual: Vec<usize>,
    },
    /// A tensor whose format does not match the first input.
    #[error("expected {} for `{name}`, found {}", expected.as_str(), actual.as_str())]
    DType {
        /// Name of the tensor.
        name: String,
        /// The expected format.
        expected: DType,
        /// Its format.
        actual: DType,
    },
    /// Data in an unsupported format.
    #[error("expected f32, f64, f16 or bf16 for `{name}`, found {}", actual.as_str())]
    UnsupportedDType {
        /// Name of the tensor.
        name: String,
        /// Its format.
        actual: DType,
    },
    /// A state in an unsupported format.
    #[error("expected f32 or f64 for state `{name}`, found {}", actual.as_str())]
    UnsupportedState {
        /// Name of the state.
        name: String,
        /// Its format.
        actual: DType,
    },
    /// A neuron whose input cannot be normalised.
    #[error(
        "{neuron}: expected a neuron of one input, which it reads as `(x - mean) * scale + shift` only, with `array mean`, \
         `learnable scale` and `learnable shift`"
    )]
    NotTransformed {
        /// Name of the neuron.
        neuron: &'static str,
    },
    /// A layer with values for a parameter that a normalisation determines.
    #[error("{neuron}: expected no values for `{name}`, which the normalisation determines")]
    Determined {
        /// Name of the neuron.
        neuron: &'static str,
        /// Name of the parameter.
        name: &'static str,
    },
    /// A normalisation that keeps the mean.
    #[error("{neuron}: expected a normalisation with `remove_mean`")]
    MeanKept {
        /// Name of the neuron.
        neuron: &'static str,
    },
    /// An input with other channels than a normalisation has.
    #[error("expected {expected} channels in dimension {dim} of `{name}`, found shape {actual:?}")]
    Channels {
        /// Name of the tensor.
        name: String,
        /// The number of channels.
        expected: usize,
        /// The dimension that they are expected in.
        dim: usize,
        /// The shape of the tensor.
        actual: Vec<usize>,
    },
    /// An input with a single value of each channel, whose variance would be 0.
    #[error("expected at least two values of each channel of `{name}` in training, found shape {shape:?}")]
    FewValues {
        /// Name of the tensor.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// The neuron refused the call: a parameter of the neuron or surrogate is out of range.
    #[error(transparent)]
    Neuron(#[from] neuron_runtime::Error),
    /// Candle failed: tensors are on different devices, or on one without an implementation.
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
