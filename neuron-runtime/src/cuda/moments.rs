//! Mean and variance of each channel, for batch normalisation before a neuron.

use std::sync::Arc;

use cudarc::driver::sys;

use super::arguments::Arguments;
use super::context::Current;
use super::image::of_source;
use super::kernel::{self, BLOCK};
use super::module::{Function, Module};
use super::{CudaDevice, CudaError, RawArray};
use crate::{Element, Error};

/// Channels of a thread, where their number and the alignment of `x` allow it.
const VECTOR: usize = 4;
/// Rows that a thread loads at once.
const CHUNK: usize = 8;
/// Threads for neighbouring channels: as many as read whole sectors.
const COLUMNS: usize = 32;
/// Blocks at most, whatever the GPU, so that results depend on the shape alone: several for each processor of a large one.
const BLOCKS: usize = 2048;

/// The statistics of batch normalisation for data of one format on one device, prepared for arrays by address.
///
/// `x` has rows of channels, `[B, H, W, C]` for example. It is read once. No sum of squares is subtracted from another, so a mean
/// far larger than the deviations costs no accuracy beyond the rounding of `x` itself. Results are bit-identical from call to call.
#[derive(Clone, Debug)]
pub struct PreparedMoments {
    device: CudaDevice,
    /// Keeps the functions loaded.
    _module: Arc<Module>,
    spans: [Function; 2],
    merge: Function,
    /// Bytes of a value of `x`, and of a statistic.
    sizes: [usize; 2],
}

/// The arrays of a call, and what it needs to know.
#[derive(Clone, Copy, Debug)]
pub struct MomentsCall {
    /// Values of each channel.
    pub rows: usize,
    /// The channels.
    pub channels: usize,
    /// `[rows, channels]`, in the format of the data.
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
    /// At least [`PreparedMoments::workspace_bytes`] bytes, aligned for statistics.
    pub workspace: RawArray,
    /// A `cudaStream_t` as an integer, or `None` for the device's own.
    pub stream: Option<u64>,
}

/// How the threads of a launch are distributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    /// Channels of a thread.
    vector: usize,
    /// Threads of a block that have neighbouring channels.
    columns: usize,
    /// Blocks for all channels.
    groups: usize,
    /// Rows of a block.
    span: usize,
    /// Blocks for all rows.
    spans: usize,
}

impl Shape {
    fn of(rows: usize, channels: usize, vector: usize) -> Self {
        let threads = channels / vector;
        let columns = (threads + 1).next_power_of_two() / 2;
        let columns = if threads.is_power_of_two() { threads } else { columns }.min(COLUMNS);
        let groups = threads.div_ceil(columns);
        // A thread has at least a chunk.
        let least = BLOCK / columns * CHUNK;
        let span = rows.div_ceil((BLOCKS / groups).max(1)).next_multiple_of(least);
        Self { vector, columns, groups, span, spans: rows.div_ceil(span) }
    }
}

impl PreparedMoments {
    /// Compiles the kernels for data of format `E`, unless an earlier run has cached them.
    ///
    /// # Errors
    /// [`CudaError::Compile`] without NVRTC.
    pub fn new<E: Element>(device: &CudaDevice) -> Result<Self, CudaError> {
        let module = Arc::new(of_source(device, include_str!("moments.cu"), E::FORMAT)?);
        let spans = [module.function("span_moments_1")?, module.function("span_moments_4")?];
        let merge = module.function("merge_moments")?;
        let sizes = [size_of::<E>(), size_of::<E::Real>()];
        Ok(Self { device: device.clone(), _module: module, spans, merge, sizes })
    }

    /// The device.
    pub fn device(&self) -> &CudaDevice {
        &self.device
    }

    /// The bytes of [`MomentsCall::workspace`]; [`usize::MAX`] if that overflows.
    pub fn workspace_bytes(&self, rows: usize, channels: usize) -> usize {
        if rows == 0 || channels == 0 {
            return 0;
        }
        // A thread has fewer channels where `x` is not aligned: with one each there are at least as many spans.
        let spans =
            [1, VECTOR].map(|vector| Shape::of(rows, channels.next_multiple_of(vector), vector).spans);
        let values = spans[0].max(spans[1]).checked_mul(channels).and_then(|values| values.checked_mul(2));
        values.and_then(|values| values.checked_mul(self.sizes[1])).unwrap_or(usize::MAX)
    }

    /// Launches it, without copies, allocations or synchronisation.
    ///
    /// # Errors
    /// [`Error::Moments`] if an array has another length; [`Error::Cuda`].
    ///
    /// # Safety
    /// As [`PreparedCall::launch`](super::PreparedCall::launch), for `x`, which is read, and all other arrays, which are written.
    pub unsafe fn launch(&self, call: &MomentsCall) -> Result<(), Error> {
        let &MomentsCall { rows, channels, x, mean, invstd, workspace, .. } = call;
        let statistics = [("mean", mean), ("invstd", invstd)].into_iter();
        let running =
            call.running.into_iter().flat_map(|[mean, var]| [("running_mean", mean), ("running_var", var)]);
        for (name, array) in statistics.chain(running) {
            check(name, channels, array.len)?;
        }
        check("x", rows.saturating_mul(channels), x.len)?;
        if x.len == 0 {
            return Ok(());
        }
        let expected = self.workspace_bytes(rows, channels);
        if workspace.len < expected {
            return Err(CudaError::Workspace { expected, actual: workspace.len }.into());
        }
        let is_aligned =
            channels.is_multiple_of(VECTOR) && x.address.is_multiple_of((VECTOR * self.sizes[0]) as u64);
        let shape = Shape::of(rows, channels, if is_aligned { VECTOR } else { 1 });
        let too_large =
            |_| CudaError::TooLarge { neurons: x.len, blocks: channels, limit: u32::MAX as usize };
        let [channels, columns, spans] = [channels, shape.columns, shape.spans].map(u32::try_from);
        let (channels, columns) = (channels.map_err(too_large)?, columns.map_err(too_large)?);
        let spans = spans.map_err(too_large)?;
        let grid = [kernel::grid(shape.groups, x.len)?, spans];

        let stream = call.stream.map_or(self.device.stream().cu_stream(), |raw| raw as sys::CUstream);
        let mut arguments = Arguments::default();
        arguments.word(x.address);
        arguments.word(rows as u64);
        arguments.push(&channels.to_ne_bytes());
        arguments.push(&columns.to_ne_bytes());
        arguments.word(shape.span as u64);
        arguments.word(workspace.address);
        let mut merging = Arguments::default();
        merging.word(workspace.address);
        merging.word(rows as u64);
        merging.push(&channels.to_ne_bytes());
        merging.push(&spans.to_ne_bytes());
        merging.word(shape.span as u64);
        self.real(&mut merging, call.eps);
        merging.word(mean.address);
        merging.word(invstd.address);
        self.real(&mut merging, call.momentum);
        let [running_mean, running_var] =
            call.running.map_or([0; 2], |arrays| arrays.map(|array| array.address));
        merging.word(running_mean);
        merging.word(running_var);

        let _current = Current::enter(self.device.context())?;
        let spans = self.spans[usize::from(is_aligned)];
        // SAFETY: lengths fit, the arguments are those of the kernels, and their context is current; the caller guarantees the
        // rest.
        unsafe {
            kernel::launch("span_moments", spans, grid, stream, &mut arguments)?;
            kernel::launch("merge_moments", self.merge, [channels, 1], stream, &mut merging)?;
        }
        Ok(())
    }

    /// A number in the format of the statistics.
    fn real(&self, arguments: &mut Arguments, value: f64) {
        match self.sizes[1] {
            8 => arguments.push(&value.to_ne_bytes()),
            _ => arguments.push(&(value as f32).to_ne_bytes()),
        }
    }
}

fn check(name: &'static str, expected: usize, actual: usize) -> Result<(), Error> {
    if actual == expected { Ok(()) } else { Err(Error::Moments { name, expected, actual }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_one_span() {
        for rows in [1, 7, 1000, 25_000, 1 << 21] {
            for channels in [1, 3, 4, 12, 63, 64, 65, 512, 2048, 100_000] {
                for vector in [1, VECTOR] {
                    if channels % vector != 0 {
                        continue;
                    }
                    let shape = Shape::of(rows, channels, vector);
                    let Shape { columns, groups, span, spans, .. } = shape;
                    assert!(columns.is_power_of_two() && columns <= COLUMNS, "{shape:?}");
                    assert!(
                        groups * columns * vector >= channels && (groups - 1) * columns * vector < channels
                    );
                    assert!(span * spans >= rows && span * (spans - 1) < rows, "{shape:?}");
                    assert!(spans * groups <= BLOCKS || spans == 1, "{shape:?}");
                }
            }
        }
    }
}
