//! Memory of a GPU.

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use cudarc::driver::{CudaSlice, DevicePtr};

use super::{CudaDevice, CudaError, RawArray};
use crate::number::Plain;

/// An array in the memory of a GPU.
#[derive(Clone, Debug)]
pub struct CudaArray<E> {
    device: CudaDevice,
    memory: Arc<Memory>,
    len: usize,
    format: PhantomData<E>,
}

/// Bytes, since the formats are ours.
#[derive(Debug)]
struct Memory {
    bytes: ManuallyDrop<CudaSlice<u8>>,
    device: CudaDevice,
}

impl Drop for Memory {
    fn drop(&mut self) {
        // Arrays are dropped on any thread, on which another context may be current, or none.
        let current = self.device.enter();
        // SAFETY: it is neither used nor dropped again.
        unsafe { ManuallyDrop::drop(&mut self.bytes) };
        drop(current);
    }
}

impl<E: Plain> CudaArray<E> {
    /// A copy of `data`. Waits until it is made.
    ///
    /// # Errors
    /// [`CudaError::Driver`], also if there is not enough memory.
    pub fn from_slice(device: &CudaDevice, data: &[E]) -> Result<Self, CudaError> {
        let _current = device.enter()?;
        let stream = device.stream();
        // The driver may still read memory that is registered with it when it returns.
        let memory = stream.clone_htod(as_bytes(data)).and_then(|memory| {
            stream.synchronize()?;
            Ok(memory)
        });
        let memory = memory.map_err(|e| CudaError::driver("copying to the GPU", e))?;
        Ok(Self::of(device, memory, data.len()))
    }

    /// Filled with zeros.
    ///
    /// # Errors
    /// [`CudaError::ArrayTooLarge`]; [`CudaError::Driver`], also if there is not enough memory.
    pub fn zeros(device: &CudaDevice, len: usize) -> Result<Self, CudaError> {
        let _current = device.enter()?;
        let memory = device.stream().alloc_zeros::<u8>(bytes::<E>(len)?);
        Ok(Self::of(device, memory.map_err(|e| CudaError::driver("allocating", e))?, len))
    }

    /// Not filled: for a kernel to write.
    pub(crate) fn uninitialised(device: &CudaDevice, len: usize) -> Result<Self, CudaError> {
        let bytes = bytes::<E>(len)?;
        let _current = device.enter()?;
        // SAFETY: it is given to a kernel that writes all of it before anything can read it.
        let memory = unsafe { device.stream().alloc::<u8>(bytes) };
        Ok(Self::of(device, memory.map_err(|e| CudaError::driver("allocating", e))?, len))
    }

    fn of(device: &CudaDevice, memory: CudaSlice<u8>, len: usize) -> Self {
        let memory = Memory { bytes: ManuallyDrop::new(memory), device: device.clone() };
        Self { device: device.clone(), memory: Arc::new(memory), len, format: PhantomData }
    }

    /// A copy in host memory. Waits for everything given to the device before.
    ///
    /// # Errors
    /// [`CudaError::Driver`], also of work given to the device before.
    pub fn to_vec(&self) -> Result<Vec<E>, CudaError> {
        let stream = self.device.stream();
        let mut data = vec![E::default(); self.len];
        let length = size_of_val(data.as_slice());
        if length == 0 {
            return Ok(data);
        }
        let _current = self.device.enter()?;
        // SAFETY: the elements are plain numbers, so any bytes are valid, and these are all their bytes.
        let bytes = unsafe { std::slice::from_raw_parts_mut(data.as_mut_ptr().cast::<u8>(), length) };
        let copied =
            stream.memcpy_dtoh(&self.memory.bytes.slice(..length), bytes).and_then(|()| stream.synchronize());
        copied.map_err(|e| CudaError::driver("copying from the GPU", e))?;
        Ok(data)
    }

    /// Overwrites its elements by those of `other`, an array of the same length on the same device.
    ///
    /// # Errors
    /// [`CudaError::Driver`], also if the lengths differ.
    pub fn copy_from(&mut self, other: &Self) -> Result<(), CudaError> {
        let doing = "copying on the GPU";
        if self.len != other.len || self.device != other.device {
            let message =
                format!("{} elements on {} into {} on {}", other.len, other.device, self.len, self.device);
            return Err(CudaError::Driver { doing: doing.to_owned(), message });
        }
        // Clones share their memory, which must not change under them.
        let memory = match Arc::get_mut(&mut self.memory) {
            Some(memory) => memory,
            None => {
                *self = Self::uninitialised(&self.device.clone(), self.len)?;
                Arc::get_mut(&mut self.memory).expect("just made")
            }
        };
        let _current = self.device.enter()?;
        let (from, to) = (&*other.memory.bytes, &mut *memory.bytes);
        self.device.stream().memcpy_dtod(from, to).map_err(|e| CudaError::driver(doing, e))
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The device that it is on.
    pub fn device(&self) -> &CudaDevice {
        &self.device
    }

    /// Itself, for a [`PreparedCall`](super::PreparedCall). It has to outlive what is done with it.
    pub fn raw(&self) -> RawArray {
        RawArray { address: self.address(), len: self.len }
    }

    /// Its address in the device's memory.
    pub fn address(&self) -> u64 {
        // Everything happens on the device's one stream, so there is nothing to record.
        self.memory.bytes.device_ptr(self.device.stream()).0
    }
}

/// Bytes to allocate for `len` elements; never 0, which the driver refuses.
fn bytes<E: Plain>(len: usize) -> Result<usize, CudaError> {
    let bytes = len.max(1).checked_mul(size_of::<E>());
    // As for any allocation of Rust, into which the array may be copied.
    let bytes = bytes.filter(|bytes| isize::try_from(*bytes).is_ok());
    bytes.ok_or(CudaError::ArrayTooLarge { elements: len, size: size_of::<E>() })
}

fn as_bytes<E: Plain>(data: &[E]) -> &[u8] {
    // SAFETY: the elements are plain numbers without padding, and these are all their bytes.
    unsafe { std::slice::from_raw_parts(data.as_ptr().cast::<u8>(), size_of_val(data)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_do_not_wrap() {
        assert_eq!(bytes::<f32>(0), Ok(4));
        assert_eq!(bytes::<f64>(3), Ok(24));
        assert_eq!(bytes::<half::f16>(isize::MAX.unsigned_abs() / 2), Ok(isize::MAX.unsigned_abs() - 1));
        // The first wraps to 256 bytes, the second is what a product that saturates ends at.
        for elements in [(1 << 62) + 64, usize::MAX, 1 << 61] {
            assert_eq!(bytes::<f32>(elements), Err(CudaError::ArrayTooLarge { elements, size: 4 }));
        }
    }
}
