//! Arrays in the memory of a GPU.

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

/// Untyped, since cudarc does not know all formats.
#[derive(Debug)]
struct Memory {
    bytes: ManuallyDrop<CudaSlice<u8>>,
    device: CudaDevice,
}

impl Drop for Memory {
    fn drop(&mut self) {
        // The thread that drops an array may have another current context, or none.
        let current = self.device.enter();
        // SAFETY: the field is not used again.
        unsafe { ManuallyDrop::drop(&mut self.bytes) };
        drop(current);
    }
}

impl<E: Plain> CudaArray<E> {
    /// A copy of `data`. Waits until it is complete.
    ///
    /// # Errors
    /// [`CudaError::Driver`], also if there is not enough memory.
    pub fn from_slice(device: &CudaDevice, data: &[E]) -> Result<Self, CudaError> {
        let _current = device.enter()?;
        let stream = device.stream();
        // If the memory is registered with the driver, the copy is asynchronous.
        let mut memory = device.allocate(bytes::<E>(data.len())?)?;
        let copied = match as_bytes(data) {
            [] => Ok(()),
            data => stream.memcpy_htod(data, &mut memory.slice_mut(..data.len())),
        };
        copied.and_then(|()| stream.synchronize()).map_err(|e| CudaError::driver("copying to the GPU", e))?;
        Ok(Self::of(device, memory, data.len()))
    }

    /// An array filled with zeros.
    ///
    /// # Errors
    /// [`CudaError::ArrayTooLarge`]; [`CudaError::Driver`], also if there is not enough memory.
    pub fn zeros(device: &CudaDevice, len: usize) -> Result<Self, CudaError> {
        let _current = device.enter()?;
        let mut memory = device.allocate(bytes::<E>(len)?)?;
        device.stream().memset_zeros(&mut memory).map_err(|e| CudaError::driver("clearing GPU memory", e))?;
        Ok(Self::of(device, memory, len))
    }

    /// An uninitialised array, for a kernel to write.
    pub(crate) fn uninitialised(device: &CudaDevice, len: usize) -> Result<Self, CudaError> {
        let bytes = bytes::<E>(len)?;
        let _current = device.enter()?;
        Ok(Self::of(device, device.allocate(bytes)?, len))
    }

    fn of(device: &CudaDevice, memory: CudaSlice<u8>, len: usize) -> Self {
        let memory = Memory { bytes: ManuallyDrop::new(memory), device: device.clone() };
        Self { device: device.clone(), memory: Arc::new(memory), len, format: PhantomData }
    }

    /// A copy in host memory. Waits for all earlier work on the device.
    ///
    /// # Errors
    /// [`CudaError::Driver`], also for errors of that work.
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

    /// Copies the elements of `other`, an array of the same length on the same device.
    ///
    /// # Errors
    /// [`CudaError::Driver`], also if the lengths differ.
    pub fn copy_from(&mut self, other: &Self) -> Result<(), CudaError> {
        let doing = "copying on the GPU";
        if self.len != other.len || self.device != other.device {
            let message = format!(
                "expected {} elements on {}, found {} on {}",
                self.len, self.device, other.len, other.device
            );
            return Err(CudaError::Driver { doing: doing.to_owned(), message });
        }
        // Clones share their memory, and must not change.
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

    /// A copy of `len` elements from `start` on, which are within the array.
    pub(crate) fn part(&self, start: usize, len: usize) -> Result<Self, CudaError> {
        let mut part = Self::uninitialised(&self.device, len)?;
        part.write(0, self, start, len)?;
        Ok(part)
    }

    /// The elements of all `parts`, which are on `device`.
    pub(crate) fn concat(device: &CudaDevice, parts: &[&Self]) -> Result<Self, CudaError> {
        let mut whole = Self::uninitialised(device, parts.iter().map(|part| part.len).sum())?;
        let mut at = 0;
        for part in parts {
            whole.write(at, part, 0, part.len)?;
            at += part.len;
        }
        Ok(whole)
    }

    /// Copies elements of `other` into an array that has no clones.
    fn write(&mut self, at: usize, other: &Self, start: usize, len: usize) -> Result<(), CudaError> {
        let bytes = |from: usize| from * size_of::<E>()..(from + len) * size_of::<E>();
        let memory = Arc::get_mut(&mut self.memory).expect("it has no clones");
        if len == 0 {
            return Ok(());
        }
        let _current = self.device.enter()?;
        let (from, mut to) = (other.memory.bytes.slice(bytes(start)), memory.bytes.slice_mut(bytes(at)));
        let copied = self.device.stream().memcpy_dtod(&from, &mut to);
        copied.map_err(|e| CudaError::driver("copying on the GPU", e))
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

    /// Its address and length, for a [`PreparedCall`](super::PreparedCall). It must outlive the work that uses these.
    pub fn raw(&self) -> RawArray {
        RawArray { address: self.address(), len: self.len }
    }

    /// Its address in the device's memory.
    pub fn address(&self) -> u64 {
        // All work runs on the device's stream, so no events need to be recorded.
        self.memory.bytes.device_ptr(self.device.stream()).0
    }
}

/// The bytes to allocate for `len` elements; never 0, which the driver refuses.
fn bytes<E: Plain>(len: usize) -> Result<usize, CudaError> {
    let bytes = len.max(1).checked_mul(size_of::<E>());
    // The limit of Rust's allocations, since the array may be copied into one.
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
        // Without checks, the product of the first would wrap to 256 bytes.
        for elements in [(1 << 62) + 64, usize::MAX, 1 << 61] {
            assert_eq!(bytes::<f32>(elements), Err(CudaError::ArrayTooLarge { elements, size: 4 }));
        }
    }
}
