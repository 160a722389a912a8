//! Tests across the workspace, and what they share.

pub mod cases;
pub mod close;
pub mod compare;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod declared;
pub mod gpu;
pub mod host_cuda;
pub mod host_kernels;
pub mod random;
