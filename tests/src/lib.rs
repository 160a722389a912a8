//! Tests across the workspace, and what they share.

pub mod conformance;
pub mod declared;
