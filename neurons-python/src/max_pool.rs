//! Maximum pooling on a GPU, which keeps a byte for each maximum.

use neurons::cuda::{MaxPoolCall, Window};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::error::exception;
use crate::gpu::raw;
use crate::tensor::{Dtype, Place, Torch};

/// Writes the maxima of windows of `x` to `y`, both `[B, C, H, W]`, and to `places`, `torch.uint8`, which value of its window each is. All
/// are on a GPU and either contiguous or in channels_last. Vertical, then horizontal.
#[pyfunction]
pub fn max_pool(
    x: &Bound<'_, PyAny>,
    y: &Bound<'_, PyAny>,
    places: &Bound<'_, PyAny>,
    window: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
) -> PyResult<()> {
    launch([x, y, places], [window, stride, padding], false)
}

/// Writes the gradient of `x` to `x`, from that of the maxima, `y`, and the `places` that [`max_pool`] wrote.
#[pyfunction]
pub fn max_pool_gradient(
    x: &Bound<'_, PyAny>,
    y: &Bound<'_, PyAny>,
    places: &Bound<'_, PyAny>,
    window: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
) -> PyResult<()> {
    launch([x, y, places], [window, stride, padding], true)
}

fn launch(
    tensors: [&Bound<'_, PyAny>; 3],
    [window, stride, padding]: [[usize; 2]; 3],
    is_gradient: bool,
) -> PyResult<()> {
    let [x, y, places] = tensors;
    let py = x.py();
    let torch = Torch::get(py)?;
    let [x, y, places] = [torch.view(x, "x")?, torch.view(y, "y")?, torch.view(places, "places")?];
    let (Dtype::Number(format), Place::Cuda(index)) = (x.dtype, x.place) else {
        let (dtype, place) = (x.dtype.name(), x.place);
        return Err(PyTypeError::new_err(format!("`x` is {dtype} on {place}; numbers on a GPU expected")));
    };
    if x.shape.len() != 4 {
        return Err(PyValueError::new_err(format!("`x` has shape {:?}, [B, C, H, W] expected", x.shape)));
    }
    let axis = |at: usize| Window {
        size: usize::try_from(x.shape[at + 2]).unwrap_or(0),
        window: window[at],
        stride: stride[at],
        padding: padding[at],
    };
    let axes = [axis(0), axis(1)];
    let shape = [x.shape[0], x.shape[1], axes[0].pooled() as i64, axes[1].pooled() as i64];
    for (view, name, dtype) in [(&y, "y", x.dtype), (&places, "places", Dtype::Uint8)] {
        view.expect(name, dtype, x.place)?;
        if view.shape.as_slice() != shape {
            let actual = &view.shape;
            return Err(PyValueError::new_err(format!("`{name}` has shape {actual:?}, {shape:?} expected")));
        }
    }
    x.expect("x", x.dtype, x.place)?;
    let views = [&x, &y, &places];
    let [batch, channels] = [0, 1].map(|at| usize::try_from(x.shape[at]).unwrap_or(0));
    let (images, channels) = if views.iter().all(|view| view.has_channels_last()) {
        (batch, channels)
    } else if views.iter().all(|view| view.is_contiguous()) {
        (batch * channels, 1)
    } else {
        return Err(PyValueError::new_err(
            "`x`, `y` and `places` are neither all contiguous nor all in channels_last",
        ));
    };
    let prepared = crate::gpu::max_pool(index.unsigned_abs() as usize, format).map_err(exception)?;
    let call = MaxPoolCall {
        images,
        channels,
        axes,
        x: raw(&x),
        y: raw(&y),
        places: raw(&places),
        stream: Some(torch.current_stream(py, index)?),
    };
    // SAFETY: the tensors are on this GPU, dense, aligned, of these formats, and PyTorch does not reuse their memory before the
    // stream has got there. That they do not overlap is up to `_pooling`, the only caller. Devices are kept for ever.
    let done = py
        .detach(|| unsafe { if is_gradient { prepared.launch_grad(&call) } else { prepared.launch(&call) } });
    done.map_err(exception)
}
