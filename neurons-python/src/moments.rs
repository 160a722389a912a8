//! Mean and variance of each channel of a tensor on a GPU.

use neurons::cuda::{MomentsCall, RawArray};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::error::exception;
use crate::tensor::{Dtype, Place, Torch, View};

/// Writes mean and `1 / sqrt(var + eps)` of each channel of `x`, `[.., C]`, contiguous and on a GPU, and updates running statistics, if
/// given: `running += momentum * (new - running)`. All other tensors are `[C]` in the format of states.
#[pyfunction]
#[pyo3(signature = (x, mean, invstd, running_mean, running_var, momentum, eps))]
#[allow(clippy::too_many_arguments)]
pub fn channel_moments(
    x: &Bound<'_, PyAny>,
    mean: &Bound<'_, PyAny>,
    invstd: &Bound<'_, PyAny>,
    running_mean: Option<&Bound<'_, PyAny>>,
    running_var: Option<&Bound<'_, PyAny>>,
    momentum: f64,
    eps: f64,
) -> PyResult<()> {
    let py = x.py();
    let torch = Torch::get(py)?;
    let x = torch.view(x, "x")?;
    let (Dtype::Number(format), Place::Cuda(index)) = (x.dtype, x.place) else {
        let (dtype, place) = (x.dtype.name(), x.place);
        return Err(PyTypeError::new_err(format!("`x` is {dtype} on {place}; numbers on a GPU expected")));
    };
    let channels = x.shape.last().map_or(0, |&size| usize::try_from(size).unwrap_or(0));
    let rows = x.len().checked_div(channels).unwrap_or(0);
    check(&x, "x", x.dtype, x.place)?;
    let real = Dtype::Number(format.arithmetic());
    let array = |tensor: &Bound<'_, PyAny>, name: &str| {
        let view = torch.view(tensor, name)?;
        check(&view, name, real, x.place)?;
        Ok::<_, PyErr>(raw(&view))
    };
    let (mean, invstd) = (array(mean, "mean")?, array(invstd, "invstd")?);
    let running = match (running_mean, running_var) {
        (Some(mean), Some(var)) => Some([array(mean, "running_mean")?, array(var, "running_var")?]),
        (None, None) => None,
        _ => return Err(PyValueError::new_err("one running statistic given, both or none expected")),
    };
    let prepared = crate::gpu::moments(index.unsigned_abs() as usize, format).map_err(exception)?;
    let workspace = crate::gpu::allocated(py, index, prepared.workspace_bytes(rows, channels, 1))?;
    let call = MomentsCall {
        rows,
        channels,
        inner: 1,
        x: raw(&x),
        mean,
        invstd,
        eps,
        running,
        momentum,
        workspace: raw(&torch.view(&workspace, "workspace")?),
        stream: Some(torch.current_stream(py, index)?),
    };
    // SAFETY: the tensors are on this GPU, contiguous, aligned, of these formats, and PyTorch does not reuse their memory before the
    // stream has got there. That statistics do not overlap is up to `_batchnorm`, the only caller. Devices are kept for ever.
    let done = py.detach(|| unsafe { prepared.launch(&call) });
    done.map_err(exception)
}

fn raw(view: &View) -> RawArray {
    RawArray { address: view.address as u64, len: view.len() }
}

fn check(view: &View, name: &str, dtype: Dtype, place: Place) -> PyResult<()> {
    if view.dtype != dtype {
        let (actual, expected) = (view.dtype.name(), dtype.name());
        return Err(PyTypeError::new_err(format!("`{name}` is {actual}, {expected} expected")));
    }
    if view.place != place {
        let actual = view.place;
        return Err(PyValueError::new_err(format!("`{name}` is on {actual}, {place} expected")));
    }
    if !view.is_contiguous() || !view.address.is_multiple_of(dtype.size()) {
        return Err(PyValueError::new_err(format!("`{name}` is not contiguous and aligned")));
    }
    Ok(())
}
