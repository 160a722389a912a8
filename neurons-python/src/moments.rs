//! Batch normalisation on a GPU: mean and variance of each channel, and the gradient of what is normalised.

use neurons::cuda::{MomentsCall, MomentsGradCall, MomentsGrads, RawArray};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::error::exception;
use crate::gpu::raw;
use crate::tensor::{Dtype, Place, Torch, View};

/// Writes mean and `1 / sqrt(var + eps)` of each channel of `x`, `[.., C]`, contiguous and on a GPU. Updates running statistics, if
/// given: `running += momentum * (new - running)`; adds 1 to the number of batches, if given, `torch.int64`. All other tensors are `[C]` in
/// the format of states.
#[pyfunction]
#[pyo3(signature = (x, mean, invstd, running_mean, running_var, batches, momentum, eps))]
#[allow(clippy::too_many_arguments)]
pub fn channel_moments(
    x: &Bound<'_, PyAny>,
    mean: &Bound<'_, PyAny>,
    invstd: &Bound<'_, PyAny>,
    running_mean: Option<&Bound<'_, PyAny>>,
    running_var: Option<&Bound<'_, PyAny>>,
    batches: Option<&Bound<'_, PyAny>>,
    momentum: f64,
    eps: f64,
) -> PyResult<()> {
    let py = x.py();
    let values = Values::of(x, "x")?;
    let channels = values.view.shape.last().map_or(0, |&size| usize::try_from(size).unwrap_or(0));
    let rows = values.view.len().checked_div(channels).unwrap_or(0);
    check_dense(&values.view, "x")?;
    let (mean, invstd) = (values.statistic(mean, "mean")?, values.statistic(invstd, "invstd")?);
    let running = match (running_mean, running_var) {
        (Some(mean), Some(var)) => {
            Some([values.statistic(mean, "running_mean")?, values.statistic(var, "running_var")?])
        }
        (None, None) => None,
        _ => return Err(PyValueError::new_err("one running statistic given, both or none expected")),
    };
    let batches = batches.map(|batches| values.array(batches, "batches", Dtype::Int64)).transpose()?;
    let prepared =
        crate::gpu::moments(values.index.unsigned_abs() as usize, values.format).map_err(exception)?;
    let workspace = crate::gpu::allocated(py, values.index, prepared.workspace_bytes(rows, channels, 1))?;
    let call = MomentsCall {
        rows,
        channels,
        inner: 1,
        x: raw(&values.view),
        mean,
        invstd,
        eps,
        running,
        momentum,
        batches,
        workspace: raw(&values.torch.view(&workspace, "workspace")?),
        stream: Some(values.torch.current_stream(py, values.index)?),
    };
    // SAFETY: the tensors are on this GPU, contiguous, aligned, of these formats, and PyTorch does not reuse their memory before the
    // stream has got there. That statistics do not overlap is up to `_batchnorm`, the only caller. Devices are kept for ever.
    let done = py.detach(|| unsafe { prepared.launch(&call) });
    done.map_err(exception)
}

/// Replaces `grad`, the gradient of `weight (x - mean) invstd + bias`, by that of `x`, through the statistics as well, which are those of
/// `x`. Both are `[B, C, ..]`, contiguous or channels-last, and on a GPU; all others are `[C]` in the format of states.
#[pyfunction]
pub fn normalisation_gradient(
    grad: &Bound<'_, PyAny>,
    x: &Bound<'_, PyAny>,
    mean: &Bound<'_, PyAny>,
    invstd: &Bound<'_, PyAny>,
    weight: &Bound<'_, PyAny>,
    grad_weight: &Bound<'_, PyAny>,
    grad_bias: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let py = x.py();
    let values = Values::of(x, "x")?;
    let grads = values.torch.view(grad, "grad")?;
    grads.expect("grad", values.view.dtype, values.view.place)?;
    if grads.shape != values.view.shape || grads.strides != values.view.strides {
        return Err(PyValueError::new_err("`grad` and `x` do not have the same shape and strides"));
    }
    let Some([rows, channels, inner]) = sizes(&values.view) else {
        return Err(PyValueError::new_err("`x` is neither contiguous nor channels-last"));
    };
    let call = MomentsGradCall {
        rows,
        channels,
        inner,
        x: raw(&values.view),
        mean: values.statistic(mean, "mean")?,
        invstd: values.statistic(invstd, "invstd")?,
        grads: MomentsGrads::Normalised {
            weight: values.statistic(weight, "weight")?,
            grad_weight: values.statistic(grad_weight, "grad_weight")?,
            grad_bias: values.statistic(grad_bias, "grad_bias")?,
        },
        grad_x: raw(&grads),
        stream: Some(values.torch.current_stream(py, values.index)?),
    };
    let prepared =
        crate::gpu::moments(values.index.unsigned_abs() as usize, values.format).map_err(exception)?;
    // SAFETY: as in `channel_moments`; `grad` has been made by the neuron's backward pass, for this.
    let done = py.detach(|| unsafe { prepared.launch_grad(&call) });
    done.map_err(exception)
}

/// Numbers on a GPU.
struct Values {
    torch: &'static Torch,
    view: View,
    format: neurons::Format,
    index: i32,
}

impl Values {
    fn of(tensor: &Bound<'_, PyAny>, name: &str) -> PyResult<Self> {
        let torch = Torch::get(tensor.py())?;
        let view = torch.view(tensor, name)?;
        let (Dtype::Number(format), Place::Cuda(index)) = (view.dtype, view.place) else {
            let (dtype, place) = (view.dtype.name(), view.place);
            return Err(PyTypeError::new_err(format!(
                "`{name}` is {dtype} on {place}; numbers on a GPU expected"
            )));
        };
        view.expect(name, view.dtype, view.place)?;
        Ok(Self { torch, view, format, index })
    }

    /// A tensor in the format of states.
    fn statistic(&self, tensor: &Bound<'_, PyAny>, name: &str) -> PyResult<RawArray> {
        self.array(tensor, name, Dtype::Number(self.format.arithmetic()))
    }

    /// A dense tensor of that format on the same GPU.
    fn array(&self, tensor: &Bound<'_, PyAny>, name: &str, dtype: Dtype) -> PyResult<RawArray> {
        let view = self.torch.view(tensor, name)?;
        view.expect(name, dtype, self.view.place)?;
        check_dense(&view, name)?;
        Ok(raw(&view))
    }
}

/// `[B, C, ..]` as rows, channels, and values of a channel that are next to each other.
fn sizes(view: &View) -> Option<[usize; 3]> {
    let (&[batch, channels], rest) = view.shape.split_at_checked(2)? else { return None };
    let inner: i64 = rest.iter().product();
    let [rows, channels, inner] = if view.is_contiguous() {
        [batch, channels, inner]
    } else {
        view.has_channels_last().then_some([batch * inner, channels, 1])?
    };
    Some([rows, channels, inner].map(|size| usize::try_from(size).unwrap_or(0)))
}

fn check_dense(view: &View, name: &str) -> PyResult<()> {
    if view.is_contiguous() {
        return Ok(());
    }
    Err(PyValueError::new_err(format!("`{name}` is not contiguous")))
}
