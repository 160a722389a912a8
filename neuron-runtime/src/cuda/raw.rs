//! Arrays by address, for data of other libraries.

use crate::parameter::Layout;

/// An array in the memory of a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawArray {
    /// The address of its first element.
    pub address: u64,
    /// The number of its elements.
    pub len: usize,
}

impl RawArray {
    /// An array that a call leaves out; see [`BufferSpec::absent`](crate::BufferSpec::absent).
    pub const ABSENT: Self = Self { address: 0, len: 0 };

    /// What a kernel is passed: kernels tell by the address whether there is an array.
    pub(super) fn argument(&self) -> u64 {
        if self.len == 0 { 0 } else { self.address }
    }
}

/// An array parameter in the memory of a GPU: neuron `n` has the value with index `n / inner % count`, as in
/// [`Parameter`](crate::Parameter).
///
/// Ranges are not checked, only those of parameters in the memory of the CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawParameter {
    /// The address of its values, in the format of the arithmetic.
    pub address: u64,
    /// The number of values.
    pub count: usize,
    /// The number of adjacent neurons that share a value.
    pub inner: usize,
}

impl RawParameter {
    pub(super) fn layout(&self) -> Layout {
        Layout { count: self.count, inner: self.inner }
    }
}

/// The sizes, arrays and stream of a launch of a [`PreparedCall`](super::PreparedCall).
#[derive(Clone, Copy, Debug)]
pub struct RawCall<'a> {
    /// Number of steps; 1 for the single-step templates.
    pub steps: usize,
    /// Number of neurons.
    pub neurons: usize,
    /// Inputs other than parameters, in the order of the signature. Those that the template can do without may be
    /// [`RawArray::ABSENT`].
    pub inputs: &'a [RawArray],
    /// Array parameters, in the order of the signature.
    pub parameters: &'a [RawParameter],
    /// Outputs, in the order of the signature; likewise.
    pub outputs: &'a [RawArray],
    /// [`PreparedCall::workspace_bytes`](super::PreparedCall::workspace_bytes) bytes or more, aligned to 8; `None` if that is 0.
    pub workspace: Option<RawArray>,
    /// The stream to launch on, a `cudaStream_t` as an integer, or `None` for the device's own.
    pub stream: Option<u64>,
}
