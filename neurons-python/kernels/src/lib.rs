//! All neurons with their kernels for all formats. Compiling these takes minutes, and nothing of it depends on Python: as a
//! crate of its own it is compiled once, not with every change of `_core`.

use neurons::{Neuron, zoo};

/// [`zoo::by_name`]
#[inline(never)]
pub fn by_name(name: &str) -> Option<Box<dyn Neuron>> {
    zoo::by_name(name)
}
