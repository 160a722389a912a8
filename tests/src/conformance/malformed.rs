//! What may be wrong with a reference file.

use safetensors::{Dtype, SafeTensorError};
use thiserror::Error;

/// Why a reference file cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Malformed {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// It is not in the format of safetensors.
    #[error("is not a safetensors file: {0}")]
    Format(#[from] SafeTensorError),
    /// The metadata lacks an entry.
    #[error("metadata `{key}` is missing")]
    MissingKey {
        /// The entry.
        key: &'static str,
    },
    /// An entry of the metadata is something else.
    #[error("metadata `{key}` is {actual:?}, {expected} expected")]
    Key {
        /// The entry.
        key: &'static str,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        actual: String,
    },
    /// A tensor is missing.
    #[error("tensor `{tensor}` is missing")]
    MissingTensor {
        /// Its name.
        tensor: String,
    },
    /// A tensor is not of float64.
    #[error("tensor `{tensor}` is of {actual}, F64 expected")]
    Dtype {
        /// Its name.
        tensor: String,
        /// Its format.
        actual: Dtype,
    },
    /// A tensor has the wrong shape.
    #[error("tensor `{tensor}` has shape {actual:?}, {expected:?} expected")]
    Shape {
        /// Its name.
        tensor: String,
        /// The shape that `T` and `N` ask for.
        expected: Vec<usize>,
        /// Its shape.
        actual: Vec<usize>,
    },
}

/// The error of a metadata entry that is not what it should be.
pub(super) fn wrong(key: &'static str, expected: &'static str, actual: &str) -> Malformed {
    Malformed::Key { key, expected, actual: actual.to_owned() }
}
