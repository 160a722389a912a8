//! The GPU: kernels that were compiled when the neuron's crate was built, or are compiled now.
//!
//! [`CudaDevice`] is a GPU with a stream of its own; arrays move to it with [`Array::to`](crate::Array::to), and
//! nodes and training steps run where their inputs are. [`PreparedCall`] takes addresses and a stream, for
//! data that belongs to another library.
//!
//! Images are tried in this order: a binary compiled for this very architecture, PTX, and the source, which
//! is compiled by NVRTC and kept on disk. If none of them can be used, the error says why for each.
//!
//! A machine without CUDA gets [`CudaError::NoDriver`]; nothing here panics.

mod arguments;
mod array;
mod bits;
mod cache;
mod compile;
mod context;
mod device;
mod error;
mod evaluate;
mod image;
mod kernel;
mod loading;
mod memory;
mod module;
mod prepared;
mod raw;
mod sums;
mod whole;

pub use arguments::Arguments;
pub use array::CudaArray;
pub(crate) use bits::{pack, unpack};
pub use cache::cache_directory;
pub use compile::nvrtc_version;
pub use device::CudaDevice;
pub use error::CudaError;
pub use evaluate::run;
pub(crate) use evaluate::{Input, evaluate};
pub use image::{image_for, source_with};
pub use kernel::BLOCK;
pub use loading::{load, load_from};
pub use memory::MemoryUse;
pub use module::{ImageKinds, ImageSource};
pub use prepared::{PreparedCall, workspace_bytes};
pub use raw::{RawArray, RawCall, RawParameter};
