//! The `neuron!` macro. Everything is decided in `neuron-codegen`; this crate only passes tokens on.
