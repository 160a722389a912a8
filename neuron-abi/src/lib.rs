//! Definitions shared by the neuron macro, build scripts and the runtime.
//!
//! Code is generated when a crate is compiled, and runs on another crate later. Everything that both sides must spell,
//! count or hash in the same way is defined here, once: kernels and their names, roles and extents of their arrays, data
//! formats, compilation targets, sizes that kernels are written for, and compiler options.
//!
//! Users find these types in `neuron_runtime`, which re-exports them.
//!
//! The enumerations are exhaustive: the generator and the executors must handle every variant, and the compiler finds the
//! places where a new one is not handled. A new variant changes generated code, and is a breaking change of all crates.

#![forbid(unsafe_code)]

mod buffer;
pub mod compiler;
mod format;
mod hash;
pub mod kernel;
mod reset;
mod sizes;
mod target;
mod template;

pub use buffer::{Absent, Class, Extent, ParamKind, Role};
pub use format::{Format, Lanes};
pub use hash::fnv1a;
pub use reset::Reset;
pub use sizes::{STEPS, SUM_PARAMETERS, SUM_ROWS, SUM_SEGMENT, SURROGATE_PARAMETERS, THREADS, WORD};
pub use target::{Architecture, Target};
pub use template::Template;
