//! Sizes that kernels and their callers share.

/// Steps between checkpoints: the chunk that [`Template::LeanBptt`](crate::Template::LeanBptt) recomputes before it goes
/// backward through it, and that a GPU thread has in flight.
pub const STEPS: usize = 8;

/// Bits per word of [`Class::Bits`](crate::Class::Bits), and threads per warp, which fill a word together.
pub const WORD: usize = u32::BITS as usize;

/// Threads per block, in every kernel.
pub const THREADS: usize = 256;

/// Rows per partial sum in one pass of a sum over neurons.
pub const SUM_ROWS: usize = 256;

/// Parameters whose gradients one launch sums, at most.
pub const SUM_PARAMETERS: usize = 8;

/// Adjacent values per partial sum in one pass of a sum over neurons: 16 for each of the [`THREADS`] threads of a block.
pub const SUM_SEGMENT: usize = 16 * THREADS;

/// The maximum number of parameters of a surrogate.
pub const SURROGATE_PARAMETERS: usize = 4;
