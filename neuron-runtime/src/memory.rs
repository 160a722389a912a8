//! Memory for what kernels write.

use std::alloc::{Layout, alloc_zeroed, handle_alloc_error};

use crate::element::Plain;

/// Zeros, in memory that nobody has touched yet if there are many of them.
///
/// The first touch of every page costs a visit to the system, which takes longer than a kernel does with the page. So
/// the system is asked for large pages.
pub(crate) fn zeros<T: Plain>(len: usize) -> Vec<T> {
    let Ok(layout) = Layout::array::<T>(len) else { capacity_overflow(len) };
    if layout.size() == 0 {
        return Vec::new();
    }
    // SAFETY: the layout is not empty.
    let start = unsafe { alloc_zeroed(layout) };
    if start.is_null() {
        handle_alloc_error(layout);
    }
    advise(start, layout.size());
    // SAFETY: allocated by the global allocator with the layout of so many elements, all of whose bytes are 0, which
    // is a value of every plain number.
    unsafe { Vec::from_raw_parts(start.cast(), len, len) }
}

fn capacity_overflow(len: usize) -> ! {
    panic!("{len} elements are more than the machine can address")
}

/// Bytes from which on it is worth asking: there are some large pages in them.
#[cfg(target_os = "linux")]
const LARGE: usize = 4 << 20;

/// Asks for large pages. Where there are none, nothing changes.
#[cfg(target_os = "linux")]
fn advise(start: *mut u8, bytes: usize) {
    /// Whole small pages only can be asked for.
    const PAGE: usize = 4096;
    if bytes >= LARGE {
        let before = start.align_offset(PAGE);
        let length = (bytes - before) / PAGE * PAGE;
        // SAFETY: inside the allocation, of which nothing but the size of its pages changes.
        unsafe { libc::madvise(start.add(before).cast(), length, libc::MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn advise(_: *mut u8, _: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_of_every_size() {
        for len in [0, 1, 1000, (1 << 20) + 3, (3 << 20) + 1] {
            let mut zeros = zeros::<f32>(len);
            assert_eq!((zeros.len(), zeros.capacity()), (len, len));
            assert!(zeros.iter().all(|value| *value == 0.0));
            zeros.push(1.0);
            assert_eq!(zeros.last(), Some(&1.0));
        }
    }
}
