//! Arrays by their addresses, for data that belongs to another library.

use crate::parameter::Layout;

/// An array in the memory of a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawArray {
    /// Address of its first element.
    pub address: u64,
    /// How many elements it has.
    pub len: usize,
}

/// A parameter that may differ between neurons, in the memory of a GPU: value number `n / inner % count` is that of
/// neuron `n`, as in [`Parameter`](crate::Parameter).
///
/// Ranges are checked where parameters come from the memory of the CPU, not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawParameter {
    /// Address of its values, in the format of the arithmetic.
    pub address: u64,
    /// How many there are.
    pub count: usize,
    /// How many neurons next to each other have the same.
    pub inner: usize,
}

impl RawParameter {
    pub(super) fn layout(&self) -> Layout {
        Layout { count: self.count, inner: self.inner }
    }
}

/// Arrays for a [`PreparedCall`](super::PreparedCall), and where to launch it.
#[derive(Clone, Copy, Debug)]
pub struct RawCall<'a> {
    /// Number of steps; 1 for the single-step templates.
    pub steps: usize,
    /// Number of neurons.
    pub neurons: usize,
    /// Arrays to read, in the order of the signature, but for parameters.
    pub inputs: &'a [RawArray],
    /// Parameters that may differ between neurons, in the order of the signature.
    pub parameters: &'a [RawParameter],
    /// Arrays to write, in the order of the signature.
    pub outputs: &'a [RawArray],
    /// [`PreparedCall::workspace_bytes`](super::PreparedCall::workspace_bytes) bytes or more, aligned to 8; `None` if that is 0.
    pub workspace: Option<RawArray>,
    /// The stream (`cudaStream_t`, as a number) to launch on, or `None` for the device's own.
    pub stream: Option<u64>,
}
