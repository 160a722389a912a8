//! Training operations: a forward pass that saves what its backward pass needs.

mod context;
mod given;
mod operation;
mod recorded;
mod results;
mod stepping;

pub use context::Context;
pub(crate) use given::{own_value, refs};
pub use operation::{MultiStep, Operation, Step};
pub use recorded::RecordedContext;
pub(crate) use recorded::not_recorded;
pub use results::{Gradients, PackedStepped, Records, Stepped};
pub use stepping::{Sequence, Single, Stepping};
