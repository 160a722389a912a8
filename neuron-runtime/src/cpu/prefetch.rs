//! Prefetching. Rows are far apart in memory, so the processor does not see the next block coming; asking for it halves the time of
//! arrays that are not in its caches.

use crate::number::LANES;

/// Asks for a block that is read or written soon.
#[inline(always)]
pub(crate) fn prefetch<T>(block: *const T) {
    #[cfg(target_arch = "x86_64")]
    for line in 0..(size_of::<T>() * LANES).div_ceil(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint, for which any address will do; every x86-64 processor has it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(block.cast::<i8>().wrapping_add(64 * line)) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = block;
}
