//! The memory pool that the arrays of a device are allocated from.

use std::ffi::c_int;
use std::sync::Arc;

use cudarc::driver::result::mem_pool;
use cudarc::driver::sys::{
    CUdeviceptr, CUmemAllocationHandleType, CUmemAllocationType, CUmemLocationType, CUmemPool_attribute,
    CUmemPoolProps, CUmemoryPool,
};
use cudarc::driver::{CudaContext, CudaSlice, CudaStream};

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

/// A memory pool that keeps freed memory for later arrays: by default, every synchronisation returns it to the system,
/// and getting it back takes longer than most kernels. The device's default pool is shared with other libraries, whose
/// memory it would keep, too.
#[derive(Debug)]
pub(super) struct Pool(CUmemoryPool);

// SAFETY: functions of the driver may be called with a pool on any thread.
unsafe impl Send for Pool {}
// SAFETY: as above.
unsafe impl Sync for Pool {}

impl Pool {
    /// A new pool, or `None` if the device does not support pools.
    pub fn new(context: &CudaContext) -> Result<Option<Self>, CudaError> {
        if !context.has_async_alloc() {
            return Ok(None);
        }
        let index = c_int::try_from(context.ordinal()).unwrap_or(c_int::MAX);
        // SAFETY: a structure of integers and pointers, in which zeros mean the defaults.
        let mut properties: CUmemPoolProps = unsafe { std::mem::zeroed() };
        properties.allocType = CUmemAllocationType::CU_MEM_ALLOCATION_TYPE_PINNED;
        properties.handleTypes = CUmemAllocationHandleType::CU_MEM_HANDLE_TYPE_NONE;
        let location = [CUmemLocationType::CU_MEM_LOCATION_TYPE_DEVICE as c_int, index];
        // SAFETY: a location consists of these two integers. In cuda.h 13.2 and later the second is a member of a union,
        // so that its name depends on the version of the bindings.
        unsafe { (&raw mut properties.location).cast::<[c_int; 2]>().write(location) };
        // SAFETY: the properties are valid.
        let pool = unsafe { mem_pool::create(&raw const properties) };
        let pool = Self(pool.map_err(|e| CudaError::driver("creating a memory pool", e))?);
        pool.set(CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, u64::MAX)?;
        Ok(Some(pool))
    }

    /// Uninitialised memory, which is freed on `stream`.
    fn allocate(&self, stream: &Arc<CudaStream>, bytes: usize) -> Result<CudaSlice<u8>, CudaError> {
        // SAFETY: the pool and the stream are of the same device.
        let address: CUdeviceptr =
            unsafe { mem_pool::alloc_async(self.0, bytes, stream.cu_stream()) }.map_err(allocating)?;
        // SAFETY: the memory was just allocated on the stream, has that many bytes, and is not freed elsewhere.
        Ok(unsafe { stream.upgrade_device_ptr(address, bytes) })
    }

    fn get(&self, attribute: CUmemPool_attribute) -> Result<u64, CudaError> {
        let mut value = 0u64;
        // SAFETY: the attributes that are queried here are 64-bit integers.
        let got = unsafe { mem_pool::get_attribute(self.0, attribute, (&raw mut value).cast()) };
        got.map(|()| value).map_err(|e| CudaError::driver("querying the memory pool", e))
    }

    fn set(&self, attribute: CUmemPool_attribute, mut value: u64) -> Result<(), CudaError> {
        // SAFETY: as above.
        let done = unsafe { mem_pool::set_attribute(self.0, attribute, (&raw mut value).cast()) };
        done.map_err(|e| CudaError::driver("configuring the memory pool", e))
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // SAFETY: its device is dropped, which every array keeps alive. The driver releases memory whose deallocation has
        // not completed when it completes.
        let _ = unsafe { mem_pool::destroy(self.0) };
    }
}

fn allocating(error: cudarc::driver::DriverError) -> CudaError {
    CudaError::driver("allocating GPU memory", error)
}
