//! Tests across the workspace, and what they share.

pub mod cases;
pub mod compare;
pub mod conformance;
pub mod declared;
pub mod host_cuda;
