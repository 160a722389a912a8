//! What the examples share: the digits, weights, training, and paper to draw on.
#![allow(dead_code, reason = "each example uses a part of it")]

pub mod canvas;
pub mod data;
pub mod linear;
pub mod training;
