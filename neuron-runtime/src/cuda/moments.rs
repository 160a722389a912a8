//! Mean and variance of each channel, for batch normalisation before a neuron, and the gradient of the values.

mod shape;

use std::sync::Arc;

use cudarc::driver::sys;

use self::shape::{Shape, VECTOR};
use super::arguments::Arguments;
use super::context::Current;
use super::image::of_source;
use super::kernel;
use super::module::{Function, Module};
use super::{CudaDevice, CudaError, RawArray};
use crate::{Element, Error};

/// The statistics of batch normalisation for data of one format on one device, prepared for arrays by address.
///
/// `x` is `[rows, channels, inner]`: `[B, H, W, C]` and `[B, C, H, W]`, for example, with `inner` 1 and `H W`. It is read once. No sum of
/// squares is subtracted from another, so a mean far larger than the deviations costs no accuracy beyond the rounding of `x` itself.
/// Results are bit-identical from call to call.
#[derive(Clone, Debug)]
pub struct PreparedMoments {
    device: CudaDevice,
    /// Keeps the functions loaded.
    _module: Arc<Module>,
    /// By [`shape::Variant`].
    spans: [Function; 3],
    merge: Function,
    /// By [`shape::Variant`].
    gradients: [Function; 3],
    /// Bytes of a value of `x`, and of a statistic.
    sizes: [usize; 2],
}

/// The arrays of a call, and what it needs to know.
#[derive(Clone, Copy, Debug)]
pub struct MomentsCall {
    /// What is before the channels.
    pub rows: usize,
    /// The channels.
    pub channels: usize,
    /// Values of a channel that are next to each other.
    pub inner: usize,
    /// `[rows, channels, inner]`, in the format of the data.
    pub x: RawArray,
    /// The mean of each channel, written.
    pub mean: RawArray,
    /// `1 / sqrt(var + eps)` of each channel, with the biased variance; written.
    pub invstd: RawArray,
    /// Added to the variance.
    pub eps: f64,
    /// Running mean and unbiased variance of each channel, updated as `running += momentum * (new - running)`.
    pub running: Option<[RawArray; 2]>,
    /// The weight of the new statistics in the running ones.
    pub momentum: f64,
    /// The number of batches so far, one 64-bit integer, to which 1 is added.
    pub batches: Option<RawArray>,
    /// At least [`PreparedMoments::workspace_bytes`] bytes, aligned for statistics.
    pub workspace: RawArray,
    /// A `cudaStream_t` as an integer, or `None` for the device's own.
    pub stream: Option<u64>,
}

/// The arrays of a call for the gradient of `x`.
#[derive(Clone, Copy, Debug)]
pub struct MomentsGradCall {
    /// As in [`MomentsCall`].
    pub rows: usize,
    /// As in [`MomentsCall`].
    pub channels: usize,
    /// As in [`MomentsCall`].
    pub inner: usize,
    /// As in [`MomentsCall`].
    pub x: RawArray,
    /// As computed by [`PreparedMoments::launch`].
    pub mean: RawArray,
    /// As computed by [`PreparedMoments::launch`].
    pub invstd: RawArray,
    /// Gradients of what was computed from them.
    pub grads: MomentsGrads,
    /// Replaced by the gradient of `x`.
    pub grad_x: RawArray,
    /// A `cudaStream_t` as an integer, or `None` for the device's own.
    pub stream: Option<u64>,
}

/// Of which gradients [`PreparedMoments::launch_grad`] makes that of `x`.
#[derive(Clone, Copy, Debug)]
pub enum MomentsGrads {
    /// Those of the statistics. `grad_x` is the gradient of `x` without its share in these.
    Statistics {
        /// The gradient of `mean`.
        mean: RawArray,
        /// The gradient of `invstd`.
        invstd: RawArray,
    },
    /// Those of a normalisation, `weight (x - mean) invstd + bias`. `grad_x` is the gradient of its result.
    Normalised {
        /// The weight of each channel.
        weight: RawArray,
        /// The gradient of `weight`.
        grad_weight: RawArray,
        /// The gradient of `bias`.
        grad_bias: RawArray,
    },
}

impl MomentsGrads {
    /// As the kernels take them, with their names.
    fn arrays(self) -> [(&'static str, Option<RawArray>); 3] {
        match self {
            Self::Statistics { mean, invstd } => {
                [("grad_mean", Some(mean)), ("grad_invstd", Some(invstd)), ("weight", None)]
            }
            Self::Normalised { weight, grad_weight, grad_bias } => {
                [("grad_bias", Some(grad_bias)), ("grad_weight", Some(grad_weight)), ("weight", Some(weight))]
            }
        }
    }
}

impl PreparedMoments {
    /// Compiles the kernels for data of format `E`, unless an earlier run has cached them.
    ///
    /// # Errors
    /// [`CudaError::Compile`] without NVRTC.
    pub fn new<E: Element>(device: &CudaDevice) -> Result<Self, CudaError> {
        let module = Arc::new(of_source(device, SOURCE, E::FORMAT)?);
        let function = |name| module.function(name);
        let spans = ["span_moments_1", "span_moments_4", "span_moments_planes"].map(function);
        let gradients = ["moments_gradient_1", "moments_gradient_4", "moments_gradient_planes"].map(function);
        let ([single, vector, planes], [grad_single, grad_vector, grad_planes]) = (spans, gradients);
        let spans = [single?, vector?, planes?];
        let gradients = [grad_single?, grad_vector?, grad_planes?];
        let merge = function("merge_moments")?;
        let sizes = [size_of::<E>(), size_of::<E::Real>()];
        Ok(Self { device: device.clone(), _module: module, spans, merge, gradients, sizes })
    }

    /// The device.
    pub fn device(&self) -> &CudaDevice {
        &self.device
    }

    /// The bytes of [`MomentsCall::workspace`]; [`usize::MAX`] if that overflows.
    pub fn workspace_bytes(&self, rows: usize, channels: usize, inner: usize) -> usize {
        if rows == 0 || channels == 0 || inner == 0 {
            return 0;
        }
        // That `x` is aligned is known at launch.
        let spans = [false, true].map(|is_aligned| Shape::of(rows, channels, inner, is_aligned).spans);
        let values = spans[0].max(spans[1]).checked_mul(channels).and_then(|values| values.checked_mul(2));
        values.and_then(|values| values.checked_mul(self.sizes[1])).unwrap_or(usize::MAX)
    }

    /// Launches it, without copies, allocations or synchronisation.
    ///
    /// # Errors
    /// [`Error::Operand`] if an array has another length; [`Error::Cuda`].
    ///
    /// # Safety
    /// As [`PreparedCall::launch`](super::PreparedCall::launch), for `x`, which is read, and all other arrays, which are written.
    pub unsafe fn launch(&self, call: &MomentsCall) -> Result<(), Error> {
        let &MomentsCall { rows, channels, inner, x, mean, invstd, workspace, .. } = call;
        let statistics = [("mean", mean), ("invstd", invstd)].into_iter();
        let running =
            call.running.into_iter().flat_map(|[mean, var]| [("running_mean", mean), ("running_var", var)]);
        for (name, array) in statistics.chain(running) {
            check(name, channels, array.len)?;
        }
        if let Some(batches) = call.batches {
            check("batches", 1, batches.len)?;
        }
        check("x", rows.saturating_mul(channels).saturating_mul(inner), x.len)?;
        if x.len == 0 {
            return Ok(());
        }
        let expected = self.workspace_bytes(rows, channels, inner);
        if workspace.len < expected {
            return Err(CudaError::Workspace { expected, actual: workspace.len }.into());
        }
        let launch = Launch::new(rows, channels, inner, self.are_aligned(&[x]), x.len)?;
        let stream = self.stream(call.stream);
        let mut arguments = launch.arguments(x);
        arguments.word(workspace.address);
        let mut merging = Arguments::default();
        merging.word(workspace.address);
        merging.word((rows * inner) as u64);
        merging.push(&launch.channels.to_ne_bytes());
        merging.push(&launch.grid[1].to_ne_bytes());
        merging.word((launch.shape.span * inner) as u64);
        self.real(&mut merging, call.eps);
        merging.word(mean.address);
        merging.word(invstd.address);
        self.real(&mut merging, call.momentum);
        let [running_mean, running_var] =
            call.running.map_or([0; 2], |arrays| arrays.map(|array| array.address));
        merging.word(running_mean);
        merging.word(running_var);
        merging.word(call.batches.map_or(0, |batches| batches.address));

        let _current = Current::enter(self.device.context())?;
        let spans = self.spans[launch.shape.variant as usize];
        // SAFETY: lengths fit, the arguments are those of the kernels, and their context is current; the caller guarantees the
        // rest.
        unsafe {
            kernel::launch("span_moments", spans, launch.grid, stream, &mut arguments)?;
            kernel::launch("merge_moments", self.merge, [launch.channels, 1], stream, &mut merging)?;
        }
        Ok(())
    }

    /// Launches the computation of the gradient, without copies, allocations or synchronisation.
    ///
    /// # Errors
    /// [`Error::Operand`] if an array has another length; [`Error::Cuda`].
    ///
    /// # Safety
    /// As [`PreparedCall::launch`](super::PreparedCall::launch), for `grad_x`, which is read and written, and all other arrays,
    /// which are read.
    pub unsafe fn launch_grad(&self, call: &MomentsGradCall) -> Result<(), Error> {
        let &MomentsGradCall { rows, channels, inner, x, grad_x, .. } = call;
        let statistics = [("mean", Some(call.mean)), ("invstd", Some(call.invstd))];
        let arrays = statistics.into_iter().chain(call.grads.arrays());
        for (name, array) in arrays.clone() {
            check(name, channels, array.map_or(channels, |array| array.len))?;
        }
        for (name, array) in [("x", x), ("grad_x", grad_x)] {
            check(name, rows.saturating_mul(channels).saturating_mul(inner), array.len)?;
        }
        if x.len == 0 {
            return Ok(());
        }
        let launch = Launch::new(rows, channels, inner, self.are_aligned(&[x, grad_x]), x.len)?;
        let mut arguments = launch.arguments(x);
        for (_, array) in arrays {
            arguments.word(array.map_or(0, |array| array.address));
        }
        arguments.word(grad_x.address);
        let (function, stream) = (self.gradients[launch.shape.variant as usize], self.stream(call.stream));
        let _current = Current::enter(self.device.context())?;
        // SAFETY: as in `launch`.
        unsafe { kernel::launch("moments_gradient", function, launch.grid, stream, &mut arguments)? };
        Ok(())
    }

    /// Whether the addresses of data are those of vectors.
    fn are_aligned(&self, arrays: &[RawArray]) -> bool {
        let bytes = (VECTOR * self.sizes[0]) as u64;
        arrays.iter().all(|array| array.address.is_multiple_of(bytes))
    }

    fn stream(&self, stream: Option<u64>) -> sys::CUstream {
        stream.map_or(self.device.stream().cu_stream(), |raw| raw as sys::CUstream)
    }

    /// A number in the format of the statistics.
    fn real(&self, arguments: &mut Arguments, value: f64) {
        match self.sizes[1] {
            8 => arguments.push(&value.to_ne_bytes()),
            _ => arguments.push(&(value as f32).to_ne_bytes()),
        }
    }
}

/// The kernels, for NVRTC.
pub(super) const SOURCE: &str = concat!(include_str!("values.cu"), include_str!("moments.cu"));

/// The sizes of a launch, as kernels take them.
struct Launch {
    shape: Shape,
    rows: usize,
    channels: u32,
    columns: u32,
    grid: [u32; 2],
}

impl Launch {
    /// For `len` values, at least one.
    fn new(
        rows: usize,
        channels: usize,
        inner: usize,
        is_aligned: bool,
        len: usize,
    ) -> Result<Self, CudaError> {
        let shape = Shape::of(rows, channels, inner, is_aligned);
        let too_large = |_| CudaError::TooLarge { neurons: len, blocks: channels, limit: u32::MAX as usize };
        let [columns, spans] =
            [shape.columns, shape.spans].map(|size| u32::try_from(size).map_err(too_large));
        let grid = [kernel::grid(shape.groups, len)?, spans?];
        let channels = u32::try_from(channels).map_err(too_large)?;
        Ok(Self { shape, rows, channels, columns: columns?, grid })
    }

    /// The arguments that all kernels of this shape begin with.
    fn arguments(&self, x: RawArray) -> Arguments {
        let mut arguments = Arguments::default();
        arguments.word(x.address);
        arguments.word(self.rows as u64);
        arguments.push(&self.channels.to_ne_bytes());
        arguments.push(&self.columns.to_ne_bytes());
        arguments.word(self.shape.span as u64);
        arguments
    }
}

fn check(name: &'static str, expected: usize, actual: usize) -> Result<(), Error> {
    if actual == expected {
        Ok(())
    } else {
        Err(Error::Operand { operation: "statistics of channels", name, expected, actual })
    }
}
