//! A memory pool of the driver.

use std::ffi::c_int;
use std::sync::Arc;

use cudarc::driver::result::mem_pool;
use cudarc::driver::sys::{
    CUdeviceptr, CUmemAllocationHandleType, CUmemAllocationType, CUmemLocation, CUmemLocationType,
    CUmemPool_attribute, CUmemPoolProps, CUmemoryPool,
};
use cudarc::driver::{CudaContext, CudaSlice, CudaStream, DriverError};

use super::CudaError;

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
        let properties = properties(c_int::try_from(context.ordinal()).unwrap_or(c_int::MAX));
        // SAFETY: the properties are valid.
        let pool = unsafe { mem_pool::create(&raw const properties) };
        let pool = Self(pool.map_err(|e| CudaError::driver("creating a memory pool", e))?);
        pool.set(CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, u64::MAX)?;
        Ok(Some(pool))
    }

    /// Uninitialised memory, which is freed on `stream`.
    pub fn allocate(&self, stream: &Arc<CudaStream>, bytes: usize) -> Result<CudaSlice<u8>, CudaError> {
        // SAFETY: the pool and the stream are of the same device.
        let address: CUdeviceptr =
            unsafe { mem_pool::alloc_async(self.0, bytes, stream.cu_stream()) }.map_err(allocating)?;
        // SAFETY: the memory was just allocated on the stream, has that many bytes, and is not freed elsewhere.
        Ok(unsafe { stream.upgrade_device_ptr(address, bytes) })
    }

    /// The value of a 64-bit attribute.
    pub fn get(&self, attribute: CUmemPool_attribute) -> Result<u64, CudaError> {
        let mut value = 0u64;
        // SAFETY: the attributes that are queried here are 64-bit integers.
        let got = unsafe { mem_pool::get_attribute(self.0, attribute, (&raw mut value).cast()) };
        got.map(|()| value).map_err(|e| CudaError::driver("querying the memory pool", e))
    }

    /// Sets a 64-bit attribute.
    pub fn set(&self, attribute: CUmemPool_attribute, mut value: u64) -> Result<(), CudaError> {
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

/// The properties of a pool of ordinary memory of the GPU with the given index.
fn properties(index: c_int) -> CUmemPoolProps {
    // SAFETY: a structure of integers and pointers, in which zeros mean the defaults.
    let mut properties: CUmemPoolProps = unsafe { std::mem::zeroed() };
    properties.allocType = CUmemAllocationType::CU_MEM_ALLOCATION_TYPE_PINNED;
    properties.handleTypes = CUmemAllocationHandleType::CU_MEM_HANDLE_TYPE_NONE;
    let location = [CUmemLocationType::CU_MEM_LOCATION_TYPE_DEVICE as c_int, index];
    const { assert!(size_of::<CUmemLocation>() == size_of::<[c_int; 2]>()) };
    // SAFETY: a location consists of these two integers. In cuda.h 13.2 and later the second is a member of a union, so its
    // name depends on the version of the bindings.
    unsafe { (&raw mut properties.location).cast::<[c_int; 2]>().write(location) };
    properties
}

pub(super) fn allocating(error: DriverError) -> CudaError {
    CudaError::driver("allocating GPU memory", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_are_in_the_memory_of_their_gpu() {
        let properties = properties(3);
        assert_eq!(properties.location.type_, CUmemLocationType::CU_MEM_LOCATION_TYPE_DEVICE);
        // SAFETY: a location consists of two integers.
        let [_, index] = unsafe { (&raw const properties.location).cast::<[c_int; 2]>().read() };
        assert_eq!(index, 3);
        assert_eq!(properties.allocType, CUmemAllocationType::CU_MEM_ALLOCATION_TYPE_PINNED);
    }
}
