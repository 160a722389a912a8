//! Nodes and training steps.

mod neurons;
mod operations;
mod shapes;
mod state;
mod through_time;
