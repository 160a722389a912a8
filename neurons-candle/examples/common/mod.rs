//! What the examples share: the digits, weights, training.
#![allow(dead_code, reason = "each example uses a part of it")]

pub mod data;
pub mod device;
pub mod linear;
pub mod training;
