//! The memory of a device's arrays.

use cudarc::driver::CudaSlice;
use cudarc::driver::sys::CUmemPool_attribute;

use super::pool::{Pool, allocating};
use super::{CudaDevice, CudaError};

/// Memory used by the arrays of a device, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryUse {
    /// The bytes in use now.
    pub current: u64,
    /// The maximum since the device was created or [`CudaDevice::reset_memory_peak`] was called.
    pub peak: u64,
}

impl CudaDevice {
    /// The memory used by its arrays.
    ///
    /// # Errors
    /// [`CudaError::Driver`], [`CudaError::NoMemoryPools`]
    pub fn memory_use(&self) -> Result<MemoryUse, CudaError> {
        let pool = self.require_pool()?;
        let current = pool.get(CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_CURRENT)?;
        let peak = pool.get(CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_HIGH)?;
        Ok(MemoryUse { current, peak: peak.max(current) })
    }

    /// Resets the peak to the memory in use now.
    ///
    /// # Errors
    /// As [`CudaDevice::memory_use`].
    pub fn reset_memory_peak(&self) -> Result<(), CudaError> {
        // The driver accepts no value other than 0.
        self.require_pool()?.set(CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_HIGH, 0)
    }

    fn require_pool(&self) -> Result<&Pool, CudaError> {
        self.pool().ok_or_else(|| CudaError::NoMemoryPools { device: self.to_string() })
    }

    /// Allocates uninitialised memory. A context of the device is current.
    pub(super) fn allocate(&self, bytes: usize) -> Result<CudaSlice<u8>, CudaError> {
        match self.pool() {
            Some(pool) => pool.allocate(self.stream(), bytes),
            // SAFETY: the caller initialises it before anything reads it.
            None => unsafe { self.stream().alloc(bytes) }.map_err(allocating),
        }
    }
}
