//! Memory for arrays that belong to other libraries.

use std::ptr::NonNull;

use super::memory::{Elements, LARGE, space};

/// Bytes for an array of another library.
///
/// They are allocated like the outputs of this crate: kept when the buffer is dropped, for a later one of the same length, if there
/// are at least [`HostBuffer::KEPT`] of them. [`release_memory`](crate::release_memory) returns what is kept to the system.
#[derive(Debug)]
pub struct HostBuffer {
    /// More than the caller asked for, so that a part of it is aligned.
    words: Elements<u32>,
    /// The first word of that part.
    first: usize,
}

impl HostBuffer {
    /// The length in bytes from which memory is kept.
    pub const KEPT: usize = LARGE;

    /// What its address is a multiple of, as DLPack demands.
    pub const ALIGNMENT: usize = 256;

    /// A buffer of `len` bytes: zeros, or the contents of an earlier one.
    ///
    /// # Panics
    /// If the length is more than the machine can address.
    pub fn new(len: usize) -> Self {
        let words = len.saturating_add(Self::ALIGNMENT).div_ceil(size_of::<u32>());
        let words = Elements::output(space::<u32>(words));
        let first = words.as_ptr().align_offset(Self::ALIGNMENT);
        Self { words, first }
    }

    /// Its address. The bytes stay there until the buffer is dropped.
    pub fn address(&mut self) -> NonNull<u8> {
        NonNull::from(&mut self.words[self.first..]).cast()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned() {
        for len in [0, 1, 4096, 1_000_003] {
            let mut buffer = HostBuffer::new(len);
            assert!(buffer.address().addr().get().is_multiple_of(HostBuffer::ALIGNMENT), "{len}");
            let words = &buffer.words[buffer.first..];
            assert!(size_of_val(words) >= len, "{len}");
            assert!(words.iter().all(|word| *word == 0), "{len}");
        }
    }
}
