//! The driver's pool that arrays are allocated from.

use cudarc::driver::result::{device, mem_pool};
use cudarc::driver::sys::{CUdevice_attribute, CUmemPool_attribute, CUmemoryPool};

use super::{CudaDevice, CudaError};

/// What arrays of a GPU take of its memory, in bytes.
///
/// The driver counts, in one pool a GPU and process: what other libraries allocate from it is counted too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryUse {
    /// Now.
    pub current: u64,
    /// At most, since the device was made or [`CudaDevice::reset_memory_peak`] was called.
    pub peak: u64,
}

impl CudaDevice {
    /// What arrays take of its memory.
    ///
    /// # Errors
    /// [`CudaError::Driver`], also of a GPU without memory pools.
    pub fn memory_use(&self) -> Result<MemoryUse, CudaError> {
        let pool = self.pool()?;
        let current = get(pool, CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_CURRENT)?;
        let peak = get(pool, CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_HIGH)?;
        Ok(MemoryUse { current, peak: peak.max(current) })
    }

    /// Makes what arrays take now the peak.
    ///
    /// # Errors
    /// As [`CudaDevice::memory_use`].
    pub fn reset_memory_peak(&self) -> Result<(), CudaError> {
        // The driver takes no other value than 0.
        set(self.pool()?, CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_HIGH, 0)
    }

    /// Lets the pool keep the memory of arrays that are gone for those to come. Without this every wait for the
    /// GPU returns it to the system, and getting it back takes longer than most kernels.
    pub(crate) fn keep_freed_memory(&self) -> Result<(), CudaError> {
        let supported = CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED;
        match self.context().attribute(supported) {
            Ok(0) => Ok(()),
            Ok(_) => set(self.pool()?, CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, u64::MAX),
            Err(error) => Err(CudaError::driver("asking for memory pools", error)),
        }
    }

    fn pool(&self) -> Result<CUmemoryPool, CudaError> {
        // SAFETY: the device is one that a context was made of.
        let pool = unsafe { device::get_mem_pool(self.context().cu_device()) };
        pool.map_err(|e| CudaError::driver("asking for the memory pool", e))
    }
}

fn get(pool: CUmemoryPool, attribute: CUmemPool_attribute) -> Result<u64, CudaError> {
    let mut value = 0u64;
    // SAFETY: the pool is a device's own, and the attributes asked for here are 64-bit numbers.
    let got = unsafe { mem_pool::get_attribute(pool, attribute, (&raw mut value).cast()) };
    got.map(|()| value).map_err(|e| CudaError::driver("asking the memory pool", e))
}

fn set(pool: CUmemoryPool, attribute: CUmemPool_attribute, mut value: u64) -> Result<(), CudaError> {
    // SAFETY: as above.
    let done = unsafe { mem_pool::set_attribute(pool, attribute, (&raw mut value).cast()) };
    done.map_err(|e| CudaError::driver("setting up the memory pool", e))
}
