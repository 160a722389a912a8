//! Nodes: neurons that keep their state from call to call.

mod backward;
mod display;
mod forward;
mod parameters;
mod saved;
mod stateful;
mod states;

pub use parameters::OutOfRange;
pub use stateful::{MultiStepNode, Node, Stateful};
