//! Nodes and training steps.

mod neurons;
mod operations;
mod parameters;
mod shapes;
mod state;
mod through_time;
