//! Training operations: a forward pass that saves what its backward pass needs.

mod context;
mod given;
mod operation;
mod results;
mod stepping;

pub use context::Context;
pub(crate) use given::{own_value, refs};
pub use operation::{MultiStep, Operation, Step};
pub use results::{Gradients, PackedStepped, Stepped};
pub use stepping::{Sequence, Single, Stepping};
