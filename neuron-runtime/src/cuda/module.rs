//! Loaded modules and their kernels.

use std::ffi::{CString, c_void};
use std::fmt;
use std::sync::Arc;

use cudarc::driver::{CudaContext, result, sys};
use neuron_abi::Target;

use super::CudaError;
use super::context::Current;
use super::whole::{self, Kind};

/// Where loaded kernels come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageSource {
    /// Compiled for an architecture when the crate was built.
    Binary(Target),
    /// PTX, compiled by the driver when loaded.
    Ptx(Target),
    /// Compiled by NVRTC in an earlier run and cached on disk.
    Cache,
    /// Compiled by NVRTC in this run.
    Compiled,
}

impl fmt::Display for ImageSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binary(target) => write!(f, "the embedded binary for {target}"),
            Self::Ptx(target) => write!(f, "embedded PTX for {target}, compiled by the driver"),
            Self::Cache => f.write_str("the cache"),
            Self::Compiled => f.write_str("the source, compiled by NVRTC"),
        }
    }
}

/// Which images may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ImageKinds {
    /// All, best first.
    #[default]
    Any,
    /// Embedded binaries only.
    Binary,
    /// Embedded PTX only.
    Ptx,
    /// The source only, by NVRTC or its cache.
    Source,
}

impl ImageKinds {
    pub(super) fn include(self, kind: Self) -> bool {
        self == Self::Any || self == kind
    }
}

/// A neuron's kernels for one format, loaded on one device.
#[derive(Debug)]
pub(crate) struct Module {
    raw: sys::CUmodule,
    /// Keeps the context alive.
    context: Arc<CudaContext>,
    pub source: ImageSource,
}

/// A kernel, valid as long as its module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Function(pub sys::CUfunction);

/// A kernel whose launch bounds say how many threads a block has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounded {
    pub function: Function,
    /// Threads per block.
    pub threads: usize,
    /// Blocks of which a multiprocessor has registers and shared memory for at once.
    pub blocks: usize,
}

// SAFETY: handles of the driver may be used from any thread in which the context is current.
unsafe impl Send for Module {}
// SAFETY: as above.
unsafe impl Sync for Module {}
// SAFETY: as above.
unsafe impl Send for Function {}
// SAFETY: as above.
unsafe impl Sync for Function {}

impl Module {
    /// Loads `bytes`, which are PTX or a cubin, as `source` says.
    pub fn load(context: &Arc<CudaContext>, bytes: &[u8], source: ImageSource) -> Result<Self, CudaError> {
        let kind = if matches!(source, ImageSource::Ptx(_)) { Kind::Ptx } else { Kind::Cubin };
        whole::check(kind, bytes)?;
        let context = context.clone();
        let current = Current::enter(&context)?;
        // SAFETY: the image is complete, as was just checked, so the driver does not read beyond its end.
        let raw = unsafe { result::module::load_data(bytes.as_ptr().cast::<c_void>()) };
        let raw = raw.map_err(|e| CudaError::driver("loading kernels", e))?;
        drop(current);
        Ok(Self { raw, context, source })
    }

    /// The kernel called `name`.
    pub fn function(&self, name: &str) -> Result<Function, CudaError> {
        let missing =
            |message: String| CudaError::Driver { doing: format!("finding kernel `{name}`"), message };
        let c_name = CString::new(name).map_err(|error| missing(error.to_string()))?;
        let _current = Current::enter(&self.context)?;
        // SAFETY: the module stays loaded as long as `self`.
        let raw = unsafe { result::module::get_function(self.raw, c_name) };
        Ok(Function(raw.map_err(|error| missing(error.to_string()))?))
    }

    /// The kernel called `name` and how it can be launched, if the module has that kernel.
    pub fn bounded_function(&self, name: &str) -> Result<Option<Bounded>, CudaError> {
        let Ok(c_name) = CString::new(name) else { return Ok(None) };
        let failed = |error| CudaError::driver(format!("finding kernel `{name}`"), error);
        let attribute = sys::CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK;
        let _current = Current::enter(&self.context)?;
        // SAFETY: the module stays loaded as long as `self`.
        let function = match unsafe { result::module::get_function(self.raw, c_name) } {
            Err(error) if error.0 == sys::CUresult::CUDA_ERROR_NOT_FOUND => return Ok(None),
            found => found.map_err(failed)?,
        };
        // SAFETY: the function was just found.
        let (threads, blocks) = unsafe {
            let threads = result::function::get_function_attribute(function, attribute).map_err(failed)?;
            let blocks = result::occupancy::max_active_block_per_multiprocessor(function, threads, 0);
            (threads, blocks.map_err(failed)?)
        };
        let [threads, blocks] = [threads, blocks].map(|count| usize::try_from(count).unwrap_or(0));
        Ok(Some(Bounded { function: Function(function), threads, blocks }))
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        if let Ok(_current) = Current::enter(&self.context) {
            // SAFETY: nothing uses the module any more: its device has synchronised its stream, and callers that launch on
            // other streams keep the device until that work is done.
            let _ = unsafe { result::module::unload(self.raw) };
        }
    }
}
