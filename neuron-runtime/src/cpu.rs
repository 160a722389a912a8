//! The CPU: kernels over tiles of neurons, on several threads, compiled for several instruction sets.

pub(crate) mod buffer;
pub(crate) mod copier;
pub(crate) mod execute;
pub mod group;
pub(crate) mod isa;
pub(crate) mod memory;
pub(crate) mod prefetch;
pub(crate) mod rows;
pub(crate) mod stage;
pub(crate) mod sums;
pub(crate) mod tile;
pub(crate) mod values;
pub(crate) mod work;
