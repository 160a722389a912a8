//! Errors of the runtime as exceptions of Python.

use neurons::Error;
use pyo3::PyErr;
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};

/// `TypeError` for something of the wrong kind, `RuntimeError` for what is not the caller's doing, `ValueError` for the rest.
pub fn exception(error: Error) -> PyErr {
    let message = error.to_string();
    match error {
        Error::ParameterType { .. } | Error::BufferClass { .. } => PyTypeError::new_err(message),
        #[cfg(feature = "cuda")]
        Error::Cuda(_) => PyRuntimeError::new_err(message),
        Error::Signature { .. } => PyRuntimeError::new_err(message),
        _ => PyValueError::new_err(message),
    }
}
