//! Nodes: neurons that keep their state from call to call.

mod backward;
mod display;
mod forward;
mod parameters;
mod stateful;

pub use stateful::{MultiStepNode, Node, Stateful};
