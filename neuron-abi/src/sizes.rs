//! Sizes that kernels are written for and that their callers count with.

/// Steps from one checkpoint of the lean templates to the next: those that
/// [`Template::LeanBptt`](crate::Template::LeanBptt) computes again before it goes back through them, and that a thread
/// of a GPU has in flight.
pub const STEPS: usize = 8;

/// Bits of a word of [`Class::Bits`](crate::Class::Bits); also the threads of a warp of a GPU, which fill one together.
pub const WORD: usize = u32::BITS as usize;

/// Threads of a block, of every kernel.
pub const THREADS: usize = 256;

/// Rows that one pass of a sum over neurons adds up at a time.
pub const SUM_ROWS: usize = 64;

/// Neighbours that one pass of a sum over neurons adds up at a time: a block of [`THREADS`] takes 16 each.
pub const SUM_SEGMENT: usize = 16 * THREADS;

/// Parameters that a surrogate may have.
pub const SURROGATE_PARAMETERS: usize = 4;
