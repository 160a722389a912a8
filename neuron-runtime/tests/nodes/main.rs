//! Nodes and training steps.

mod chosen;
mod neurons;
mod operations;
mod parameters;
mod recorded;
mod shapes;
mod state;
mod states;
mod through_time;
