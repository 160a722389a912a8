//! What can go wrong on the way to a GPU.

use thiserror::Error;

/// What went wrong on the way to a GPU.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum CudaError {
    /// The driver's library is not there.
    #[error("no CUDA driver: libcuda was not found; install the NVIDIA driver, or use the CPU")]
    NoDriver,

    /// There is no GPU of that number.
    #[error("no GPU {index}: this machine has {count}")]
    NoDevice {
        /// The number asked for.
        index: usize,
        /// How many there are.
        count: usize,
    },

    /// The driver refused.
    #[error("CUDA driver: {doing}: {message}")]
    Driver {
        /// What was to be done.
        doing: String,
        /// What the driver said.
        message: String,
    },

    /// A neuron whose specification was written by hand, without kernels.
    #[error("{neuron} has no kernels for GPUs: its specification was written by hand")]
    NoKernels {
        /// The neuron.
        neuron: &'static str,
    },

    /// No image of the kernels can be used.
    #[error("{neuron}: no usable {format} kernels for {architecture}:\n{tried}")]
    NoImage {
        /// The neuron.
        neuron: &'static str,
        /// The format of the data.
        format: &'static str,
        /// The GPU's architecture, `sm_90`.
        architecture: String,
        /// What was tried, a line each, and why it could not be used.
        tried: String,
    },

    /// The kernels could not be compiled with a surrogate that is not this crate's.
    #[error(
        "{neuron}: the surrogate {surrogate} is not one of those that kernels are compiled with when they are \
         built, so the {format} kernels have to be compiled now, which failed: {reason}"
    )]
    OwnSurrogate {
        /// The neuron.
        neuron: &'static str,
        /// The format of the data.
        format: &'static str,
        /// The surrogate.
        surrogate: &'static str,
        /// Why.
        reason: String,
    },

    /// The source could not be compiled.
    #[error("NVRTC: {message}")]
    Compile {
        /// What the compiler said.
        message: String,
    },

    /// An image of kernels that ends before it should, or is something else.
    #[error("{bytes} bytes that are no {kind}, or not all of it")]
    Damaged {
        /// `cubin` or `PTX`.
        kind: &'static str,
        /// How many bytes there are.
        bytes: usize,
    },

    /// An array of more bytes than can be addressed.
    #[error("an array of {elements} elements of {size} bytes is too large")]
    ArrayTooLarge {
        /// Its elements.
        elements: usize,
        /// Bytes of each.
        size: usize,
    },

    /// Memory besides the arrays that a call needs, and has less of.
    #[error("expected a workspace of {expected} bytes, found {actual}")]
    Workspace {
        /// Bytes that are needed.
        expected: usize,
        /// Bytes that were given.
        actual: usize,
    },

    /// The device's own stream is being captured as a graph.
    #[error(
        "the stream of {device} is being captured as a graph, which would outlive the arrays it works on"
    )]
    Capturing {
        /// The device, `cuda:0`.
        device: String,
    },

    /// A grid larger than a GPU can launch.
    #[error("{neurons} neurons need {blocks} blocks, at most {limit} can be launched")]
    TooLarge {
        /// Number of neurons.
        neurons: usize,
        /// Blocks that they need.
        blocks: usize,
        /// The limit.
        limit: usize,
    },
}

impl CudaError {
    /// What the driver said while `doing` something.
    pub(crate) fn driver(doing: impl Into<String>, error: cudarc::driver::DriverError) -> Self {
        Self::Driver { doing: doing.into(), message: error.to_string() }
    }
}
