//! Memory for arrays that belong to other libraries.

use std::ptr::NonNull;

use super::memory::{ALIGNMENT, Elements};

/// Bytes for an array of another library.
///
/// They are allocated like the outputs of this crate: 128 KiB and more are kept when the buffer is dropped, for a later one of the
/// same length. [`release_memory`](crate::release_memory) returns what is kept to the system.
#[derive(Debug)]
pub struct HostBuffer(Elements<u32>);

impl HostBuffer {
    /// What its address is a multiple of, as DLPack demands.
    pub const ALIGNMENT: usize = ALIGNMENT;

    /// A buffer of `len` bytes, or a few more: zeros, or the contents of an earlier one.
    ///
    /// # Panics
    /// If the length is more than the machine can address.
    pub fn new(len: usize) -> Self {
        Self(Elements::output(len.div_ceil(size_of::<u32>())))
    }

    /// Its address. The bytes stay there until the buffer is dropped.
    pub fn address(&mut self) -> NonNull<u8> {
        NonNull::from(&mut *self.0).cast()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_have_their_bytes() {
        for len in [0, 1, 4096, 100_003] {
            let mut buffer = HostBuffer::new(len);
            assert!(buffer.address().addr().get().is_multiple_of(HostBuffer::ALIGNMENT), "{len}");
            assert!(size_of_val(&*buffer.0) >= len, "{len}");
        }
    }
}
