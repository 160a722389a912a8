//! What the neuron macro, build scripts and the runtime agree on.
//!
//! Code is generated when a crate is compiled and run by another one later. Everything that both sides have to
//! spell, count or hash in the same way is here, once: which kernels there are and what they are called, what
//! their arrays hold and how long they are, number formats, the sizes that kernels are written for, and the options
//! that they are compiled with.
//!
//! Users find these types in `neuron_runtime`, which re-exports them.
//!
//! The enumerations are exhaustive: the generator and the executors have to handle every variant, and the compiler
//! is what finds the places where a new one is not handled. A new variant changes what generated code says and is a
//! breaking release of all crates together.

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

pub use buffer::{Class, Extent, ParamKind, Role};
pub use format::{Format, Lanes};
pub use hash::fnv1a;
pub use reset::Reset;
pub use sizes::{STEPS, SUM_ROWS, SUM_SEGMENT, SURROGATE_PARAMETERS, THREADS, WORD};
pub use target::{Architecture, Target};
pub use template::Template;
