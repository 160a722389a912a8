//! Errors of the GPU and its driver.

use thiserror::Error;

/// Why something failed on the GPU.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum CudaError {
    /// The driver library was not found.
    #[error("no CUDA driver: libcuda was not found; install the NVIDIA driver, or use the CPU")]
    NoDriver,

    /// There is no GPU with that index.
    #[error("no GPU with index {index}; number of GPUs: {count}")]
    NoDevice {
        /// The index.
        index: usize,
        /// The number of GPUs.
        count: usize,
    },

    /// A call of the driver failed.
    #[error("CUDA driver error while {doing}: {message}")]
    Driver {
        /// The operation, such as `copying to the GPU`.
        doing: String,
        /// The driver's message.
        message: String,
    },

    /// A neuron whose specification was written by hand, without kernels.
    #[error("{neuron} has no kernels for GPUs: its specification was written by hand")]
    NoKernels {
        /// The neuron.
        neuron: &'static str,
    },

    /// No image of the kernels is usable.
    #[error("{neuron}: no usable {format} kernels for {architecture}:\n{tried}")]
    NoImage {
        /// The neuron.
        neuron: &'static str,
        /// The format of the data.
        format: &'static str,
        /// The GPU's architecture, `sm_90`.
        architecture: String,
        /// The images that were tried, one per line, and why each failed.
        tried: String,
    },

    /// The kernels could not be compiled with a user-defined surrogate.
    #[error(
        "{neuron}: the surrogate {surrogate} is not built in, so the {format} kernels have to be compiled at run \
         time, which failed: {reason}"
    )]
    OwnSurrogate {
        /// The neuron.
        neuron: &'static str,
        /// The format of the data.
        format: &'static str,
        /// The surrogate.
        surrogate: &'static str,
        /// The reason.
        reason: String,
    },

    /// The source could not be compiled.
    #[error("NVRTC: {message}")]
    Compile {
        /// The compiler's message.
        message: String,
    },

    /// An image that is truncated, corrupt or of another kind.
    #[error("damaged image: expected a complete {kind}, found {bytes} bytes that are not one")]
    Damaged {
        /// The expected kind, such as `cubin`.
        kind: &'static str,
        /// The length of the data.
        bytes: usize,
    },

    /// An array that exceeds the address space.
    #[error("array too large: {elements} elements of {size} bytes exceed the address space")]
    ArrayTooLarge {
        /// The number of elements.
        elements: usize,
        /// Bytes per element.
        size: usize,
    },

    /// A query of the memory pool of a GPU that does not support memory pools.
    #[error("{device} does not support memory pools")]
    NoMemoryPools {
        /// The device, `cuda:0`.
        device: String,
    },

    /// A workspace that is smaller than the call needs.
    #[error("expected a workspace of {expected} bytes, found {actual}")]
    Workspace {
        /// The bytes needed.
        expected: usize,
        /// The bytes passed.
        actual: usize,
    },

    /// The device's stream is being captured as a graph.
    #[error(
        "cannot launch on {device} while its stream is being captured: the graph would outlive its arrays"
    )]
    Capturing {
        /// The device, `cuda:0`.
        device: String,
    },

    /// A grid that is too large to launch.
    #[error("grid too large: expected at most {limit} blocks, found {blocks} for {neurons} neurons")]
    TooLarge {
        /// The number of neurons.
        neurons: usize,
        /// The number of blocks that they need.
        blocks: usize,
        /// The limit.
        limit: usize,
    },
}

impl CudaError {
    /// An error of the driver while `doing` something.
    pub(crate) fn driver(doing: impl Into<String>, error: cudarc::driver::DriverError) -> Self {
        Self::Driver { doing: doing.into(), message: error.to_string() }
    }
}
