//! Means over GPUs, by NCCL.

use anyhow::{Result, anyhow};
use candle_core::cuda_backend::cudarc::nccl::result::NcclError;
use candle_core::cuda_backend::cudarc::nccl::{Comm, Id as NcclId, ReduceOp};
use candle_core::{CpuStorage, CudaStorage, CustomOp1, Device, Error, Layout, Shape, Tensor};

use crate::common::device::gpu;

/// What the members of a group have in common.
pub struct Id(NcclId);

impl Id {
    pub fn new() -> Result<Self> {
        NcclId::new().map(Self).map_err(failed)
    }
}

/// A member of a group of GPUs, each with a thread of its own.
pub struct Mean {
    group: Comm,
    device: Device,
}

impl Mean {
    /// Member number `rank` of `size`, on the GPU of that number. Waits for the others.
    pub fn new(rank: usize, size: usize, Id(id): &Id) -> Result<Self> {
        let device = gpu(rank)?;
        let stream = device.as_cuda_device()?.cuda_stream();
        let group = Comm::from_rank(stream, rank, size, *id).map_err(failed)?;
        Ok(Self { group, device })
    }

    pub fn rank(&self) -> usize {
        self.group.rank()
    }

    pub fn size(&self) -> usize {
        self.group.world_size()
    }

    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The mean of what all members pass, in the same order of calls.
    pub fn of(&self, tensor: &Tensor) -> candle_core::Result<Tensor> {
        tensor.contiguous()?.apply_op1_no_bwd(self)
    }
}

impl CustomOp1 for Mean {
    fn name(&self) -> &'static str {
        "mean over GPUs"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        Err(Error::Msg("expected a tensor on a GPU, found one on the CPU".to_owned()))
    }

    fn cuda_fwd(&self, storage: &CudaStorage, layout: &Layout) -> candle_core::Result<(CudaStorage, Shape)> {
        let Some((start, end)) = layout.contiguous_offsets() else {
            return Err(Error::RequiresContiguous { op: self.name() });
        };
        let values = storage.as_cuda_slice::<f32>()?.slice(start..end);
        // SAFETY: NCCL writes all of it.
        let mut mean = unsafe { storage.device.alloc::<f32>(values.len()) }?;
        self.group
            .all_reduce(&values, &mut mean, &ReduceOp::Avg)
            .map_err(|error| Error::Msg(failed(error).to_string()))?;
        Ok((CudaStorage::wrap_cuda_slice(mean, storage.device.clone()), layout.shape().clone()))
    }
}

fn failed(error: NcclError) -> anyhow::Error {
    anyhow!("NCCL failed: {error:?}")
}
