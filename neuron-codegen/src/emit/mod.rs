//! Printers: step programs and models as code. No decision about neurons, resets or gradients is made here.

pub mod api;
pub mod cuda;
pub mod rust;
pub(crate) mod text;
