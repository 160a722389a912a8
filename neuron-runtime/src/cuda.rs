//! The GPU: kernels compiled when the neuron's crate was built, or at run time.
//!
//! [`CudaDevice`] is a GPU with its own stream; [`Array::to`](crate::Array::to) moves arrays to it, and nodes and training
//! steps run on the device of their inputs. [`PreparedCall`] takes addresses and a stream, for data of other libraries.
//!
//! Images are tried in this order: machine code for the architecture, PTX, and the source, which NVRTC compiles and
//! which is then cached on disk. If none is usable, the error gives the reason for each.
//!
//! Without CUDA, functions return [`CudaError::NoDriver`]; nothing here panics.

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
mod library;
mod loading;
mod max_pool;
mod memory;
mod module;
mod moments;
mod pool;
mod prepared;
mod raw;
mod sums;
mod whole;

pub use arguments::Arguments;
pub use array::CudaArray;
pub use bits::PreparedBits;
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
pub use max_pool::{MaxPoolCall, PreparedMaxPool, Window};
pub use memory::MemoryUse;
pub use module::{ImageKinds, ImageSource};
pub use moments::{MomentsCall, MomentsGradCall, MomentsGrads, PreparedMoments};
pub use prepared::{PreparedCall, workspace_bytes};
pub use raw::{RawArray, RawCall, RawParameter};
