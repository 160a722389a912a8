//! Nodes and training steps.

mod chosen;
mod neurons;
mod operations;
mod parameters;
mod shapes;
mod state;
mod through_time;
