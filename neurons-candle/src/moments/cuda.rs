//! Statistics of channels on candle's GPU tensors: on candle's stream and in its memory, without copies and without waiting.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::{DevicePtrMut, ValidAsZeroBits};
use candle_core::{CudaStorage, DType, Error, Layout, Result};
use half::{bf16, f16};
use neuron_runtime::cuda::{MomentsCall, MomentsGradCall, MomentsGrads, PreparedMoments, RawArray};
use neuron_runtime::{Element, Format};

use super::{Channels, NAME};
use crate::cuda::{Number, gpu, raw_array};

/// A tensor.
type Read<'a> = (&'a CudaStorage, &'a Layout);

/// Calls a function for the format of the tensor `x`.
macro_rules! in_format_of {
    ($x:expr, $function:ident($($argument:expr),*)) => {
        match $x.0.dtype() {
            DType::F32 => $function::<f32>($($argument),*),
            DType::F64 => $function::<f64>($($argument),*),
            DType::F16 => $function::<f16>($($argument),*),
            DType::BF16 => $function::<bf16>($($argument),*),
            other => Err(Error::UnsupportedDTypeForOp(other, NAME)),
        }
    };
}

/// `[3, C]`: mean, `1 / sqrt(var + eps)` and unbiased variance.
pub(super) fn moments(x: Read<'_>, channels: &Channels, eps: f64) -> Result<CudaStorage> {
    in_format_of!(x, moments_of(x, channels, eps))
}

/// Adds the gradient of `x`, from its moments and their gradients; that of the variance is not used.
pub(super) fn add_input_grad(
    x: Read<'_>,
    statistics: [Read<'_>; 2],
    channels: &Channels,
    grad_x: (&mut CudaStorage, &Layout),
) -> Result<()> {
    in_format_of!(x, add_input_grad_of(x, statistics, channels, grad_x))
}

fn moments_of<E: Element + Number>(x: Read<'_>, channels: &Channels, eps: f64) -> Result<CudaStorage>
where
    E::Real: Number + ValidAsZeroBits,
{
    let device = x.0.device().clone();
    let stream = device.cuda_stream();
    let prepared = prepared::<E>(stream.context().ordinal())?;
    let Channels { outer, count, inner } = *channels;
    let bytes = prepared.workspace_bytes(outer, count, inner);
    // SAFETY: the kernels write it before they read it.
    let mut workspace = unsafe { device.alloc::<u8>(bytes) }?;
    // Running statistics that start at 0 and move all the way are the new ones: so the kernels write the unbiased variance.
    let mut moments = device.alloc_zeros::<E::Real>(3 * count)?;
    let mut running_mean = device.alloc_zeros::<E::Real>(count)?;

    let mut guards = Vec::new();
    let x = raw_array::<E>(x.0, x.1, &stream, &mut guards)?;
    let (workspace, guard) = workspace.device_ptr_mut(&stream);
    guards.push(guard);
    let (running_mean, guard) = running_mean.device_ptr_mut(&stream);
    guards.push(guard);
    let (address, guard) = moments.device_ptr_mut(&stream);
    guards.push(guard);
    let row = |index| row::<E::Real>(address, index, count);
    let call = MomentsCall {
        rows: outer,
        channels: count,
        inner,
        x,
        mean: row(0),
        invstd: row(1),
        eps,
        running: Some([RawArray { address: running_mean, len: count }, row(2)]),
        momentum: 1.0,
        batches: None,
        workspace: RawArray { address: workspace, len: bytes },
        stream: Some(stream.cu_stream() as u64),
    };
    // SAFETY: `x` is on this GPU, in its primary context, contiguous, and of this format; everything else was allocated for the
    // call. All memory is freed in the order of the stream, and `gpu` never drops a device.
    let done = unsafe { prepared.launch(&call) };
    drop(guards);
    done.map_err(Error::wrap)?;
    Ok(CudaStorage::wrap_cuda_slice(moments, device))
}

fn add_input_grad_of<E: Element + Number>(
    x: Read<'_>,
    [moments, grads]: [Read<'_>; 2],
    channels: &Channels,
    (grad_x, grad_layout): (&mut CudaStorage, &Layout),
) -> Result<()>
where
    E::Real: Number,
{
    let stream = x.0.device().cuda_stream();
    let prepared = prepared::<E>(stream.context().ordinal())?;
    let Channels { outer, count, inner } = *channels;
    let Some((start, end)) = grad_layout.contiguous_offsets() else {
        return Err(Error::RequiresContiguous { op: NAME });
    };

    let mut guards = Vec::new();
    let x = raw_array::<E>(x.0, x.1, &stream, &mut guards)?;
    let moments = raw_array::<E::Real>(moments.0, moments.1, &stream, &mut guards)?;
    let grads = raw_array::<E::Real>(grads.0, grads.1, &stream, &mut guards)?;
    let (address, guard) = grad_x.as_cuda_slice_mut::<E>()?.device_ptr_mut(&stream);
    guards.push(guard);
    let address = address + (start * size_of::<E>()) as u64;
    let row = |array: RawArray, index| row::<E::Real>(array.address, index, count);
    let call = MomentsGradCall {
        rows: outer,
        channels: count,
        inner,
        x,
        mean: row(moments, 0),
        invstd: row(moments, 1),
        grads: MomentsGrads::Statistics { mean: row(grads, 0), invstd: row(grads, 1) },
        grad_x: RawArray { address, len: end - start },
        stream: Some(stream.cu_stream() as u64),
    };
    // SAFETY: as in `moments_of`; moments and their gradients are of `[3, C]`.
    let done = unsafe { prepared.launch_grad(&call) };
    drop(guards);
    done.map_err(Error::wrap)
}

/// A row of statistics.
fn row<R>(address: u64, index: usize, count: usize) -> RawArray {
    RawArray { address: address + (index * count * size_of::<R>()) as u64, len: count }
}

/// The kernels on the GPU of that index, loaded at first use.
fn prepared<E: Element>(index: usize) -> Result<PreparedMoments> {
    static ALL: Mutex<Option<HashMap<(usize, Format), PreparedMoments>>> = Mutex::new(None);
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let all = all.get_or_insert_with(HashMap::new);
    if let Some(prepared) = all.get(&(index, E::FORMAT)) {
        return Ok(prepared.clone());
    }
    let prepared = PreparedMoments::new::<E>(&gpu(index).map_err(Error::wrap)?).map_err(Error::wrap)?;
    all.insert((index, E::FORMAT), prepared.clone());
    Ok(prepared)
}
