//! What the tests across the workspace share: the conformance runner.

pub mod conformance;
