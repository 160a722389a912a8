//! Mean and standard deviation of each channel, as an operation that is differentiable with respect to the input.

mod cpu;
#[cfg(feature = "cuda")]
mod cuda;

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, CustomOp3, Error, Layout, Result, Shape, Tensor, WithDType};
use half::{bf16, f16};
use neuron_runtime::{Element, Real};

use crate::cpu::slice;

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
}

/// From `x` to `[3, C]`: the rows are those of [`Moments`].
struct Operation {
    channels: Channels,
    eps: f64,
}

/// The gradient of `x`, from `x`, the result and its gradient.
struct Backward(Channels);

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
        let all = x.apply_op1(Operation { channels, eps })?;
        Ok(Self { mean: all.get(0)?, invstd: all.get(1)?, variance: all.detach().get(2)? })
    }
}

impl CustomOp1 for Operation {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let Self { channels, eps } = self;
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
        Ok(Some(x.apply_op3_no_bwd(moments, &grads.contiguous()?, &Backward(self.channels))?))
    }
}

impl CustomOp3 for Backward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        moments: &CpuStorage,
        moments_layout: &Layout,
        grads: &CpuStorage,
        grads_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let channels = &self.0;
        let x_elements = (x, x_layout);
        let statistics = [(moments, moments_layout), (grads, grads_layout)];
        let grad = match x {
            CpuStorage::F32(_) => input_grad::<f32>(x_elements, statistics, channels)?,
            CpuStorage::F64(_) => input_grad::<f64>(x_elements, statistics, channels)?,
            CpuStorage::F16(_) => input_grad::<f16>(x_elements, statistics, channels)?,
            CpuStorage::BF16(_) => input_grad::<bf16>(x_elements, statistics, channels)?,
            other => return Err(Error::UnsupportedDTypeForOp(other.dtype(), NAME)),
        };
        Ok((grad, x_layout.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        moments: &CudaStorage,
        moments_layout: &Layout,
        grads: &CudaStorage,
        grads_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let grad =
            cuda::input_grad((x, x_layout), (moments, moments_layout), (grads, grads_layout), &self.0)?;
        Ok((grad, x_layout.shape().clone()))
    }
}

fn input_grad<E: Element + WithDType>(
    (x, layout): (&CpuStorage, &Layout),
    [moments, grads]: [(&CpuStorage, &Layout); 2],
    channels: &Channels,
) -> Result<CpuStorage>
where
    E::Real: Real + WithDType,
{
    let x = slice::<E>(x, layout)?;
    let (moments, grads) = (slice(moments.0, moments.1)?, slice(grads.0, grads.1)?);
    Ok(storage(cpu::input_grad(x, channels, moments, grads)))
}

fn storage<T: WithDType>(values: Vec<T>) -> CpuStorage {
    T::to_cpu_storage_owned(values)
}
