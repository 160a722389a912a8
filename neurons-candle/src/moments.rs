//! Mean and standard deviation of each channel, as an operation that is differentiable with respect to the input.

mod cpu;
#[cfg(feature = "cuda")]
mod cuda;

use std::sync::Arc;

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::backend::BackendStorage;
use candle_core::{
    CpuStorage, CustomOp1, Error, InplaceOp3, Layout, Result, Shape, Storage, Tensor, WithDType,
};
use half::{bf16, f16};

use crate::cpu::slice;
use crate::left::Left;

/// How the values of a tensor are distributed over channels: it is `[outer, count, inner]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Channels {
    pub outer: usize,
    pub count: usize,
    pub inner: usize,
}

/// The statistics of a tensor: values for each channel, in the format of states.
pub(crate) struct Moments {
    /// Part of the graph.
    pub mean: Tensor,
    /// `1 / sqrt(var + eps)`, with the biased variance; part of the graph.
    pub invstd: Tensor,
    /// The unbiased variance; not part of the graph.
    pub variance: Tensor,
    /// Where another operation may leave its gradient of the input, to be part of this one's.
    pub grad_input: Arc<Left>,
}

/// From `x` to `[3, C]`: the rows are those of [`Moments`].
struct Operation {
    channels: Channels,
    eps: f64,
    grad_input: Arc<Left>,
}

/// Adds the gradient of `x` through its statistics to another gradient of `x`.
struct Backward<'a> {
    channels: Channels,
    /// Of the statistics.
    grads: &'a Tensor,
}

const NAME: &str = "moments";

impl Channels {
    /// The number of values of a channel.
    pub fn values(&self) -> usize {
        self.outer * self.inner
    }
}

impl Moments {
    /// Of `x`, which is contiguous.
    pub fn of(x: &Tensor, channels: Channels, eps: f64) -> Result<Self> {
        let grad_input = Arc::<Left>::default();
        let all = x.apply_op1(Operation { channels, eps, grad_input: grad_input.clone() })?;
        Ok(Self { mean: all.get(0)?, invstd: all.get(1)?, variance: all.detach().get(2)?, grad_input })
    }
}

impl CustomOp1 for Operation {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let Self { channels, eps, .. } = self;
        let moments = match x {
            CpuStorage::F32(_) => storage(cpu::moments::<f32>(slice(x, layout)?, channels, *eps)),
            CpuStorage::F64(_) => storage(cpu::moments::<f64>(slice(x, layout)?, channels, *eps)),
            CpuStorage::F16(_) => storage(cpu::moments::<f16>(slice(x, layout)?, channels, *eps)),
            CpuStorage::BF16(_) => storage(cpu::moments::<bf16>(slice(x, layout)?, channels, *eps)),
            other => return Err(Error::UnsupportedDTypeForOp(other.dtype(), NAME)),
        };
        Ok((moments, Shape::from((3, channels.count))))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let moments = cuda::moments((x, layout), &self.channels, self.eps)?;
        Ok((moments, Shape::from((3, self.channels.count))))
    }

    fn bwd(&self, x: &Tensor, moments: &Tensor, grads: &Tensor) -> Result<Option<Tensor>> {
        // It is a tensor of its own, which nothing else reads.
        let left = self.grad_input.take(1).remove(0);
        let grad = left.map_or_else(|| x.zeros_like(), Ok)?;
        grad.inplace_op3(x, moments, &Backward { channels: self.channels, grads: &grads.contiguous()? })?;
        Ok(Some(grad))
    }
}

impl InplaceOp3 for Backward<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(
        &self,
        grad_x: &mut CpuStorage,
        grad_layout: &Layout,
        x: &CpuStorage,
        layout: &Layout,
        moments: &CpuStorage,
        moments_layout: &Layout,
    ) -> Result<()> {
        let (storage, grads_layout) = self.grads.storage_and_layout();
        let Storage::Cpu(grads) = &*storage else {
            return Err(Error::Msg(format!("{NAME}: expected gradients on the CPU, found {storage:?}")));
        };
        let Some(range) = grad_layout.contiguous_offsets() else {
            return Err(Error::RequiresContiguous { op: NAME });
        };
        macro_rules! add {
            ($grad_x:expr, $format:ty) => {{
                let moments = slice(moments, moments_layout)?;
                let grads = slice(grads, grads_layout)?;
                let grad_x = &mut $grad_x[range.0..range.1];
                cpu::add_input_grad::<$format>(slice(x, layout)?, &self.channels, moments, grads, grad_x);
                Ok(())
            }};
        }
        match grad_x {
            CpuStorage::F32(grad_x) => add!(grad_x, f32),
            CpuStorage::F64(grad_x) => add!(grad_x, f64),
            CpuStorage::F16(grad_x) => add!(grad_x, f16),
            CpuStorage::BF16(grad_x) => add!(grad_x, bf16),
            other => Err(Error::UnsupportedDTypeForOp(other.dtype(), NAME)),
        }
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        grad_x: &mut CudaStorage,
        grad_layout: &Layout,
        x: &CudaStorage,
        layout: &Layout,
        moments: &CudaStorage,
        moments_layout: &Layout,
    ) -> Result<()> {
        let (storage, grads_layout) = self.grads.storage_and_layout();
        let Storage::Cuda(grads) = &*storage else {
            return Err(Error::Msg(format!("{NAME}: expected gradients on a GPU, found {storage:?}")));
        };
        let statistics = [(moments, moments_layout), (grads, grads_layout)];
        cuda::add_input_grad((x, layout), statistics, &self.channels, (grad_x, grad_layout))
    }
}

fn storage<T: WithDType>(values: Vec<T>) -> CpuStorage {
    T::to_cpu_storage_owned(values)
}
