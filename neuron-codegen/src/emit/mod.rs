//! Printers: step programs and models as code. No decision about neurons, resets or gradients is made here.

pub mod api;
pub(crate) mod block;
pub mod cuda;
pub(crate) mod docs;
pub(crate) mod equations;
pub mod rust;
pub(crate) mod text;
