//! Tensors on a GPU: the same bits as on the CPU; parts of tensors, other formats, batch normalisation, long chains, and what is refused. For
//! machines with a GPU.

#[path = "cuda/batch_norm.rs"]
mod batch_norm;
mod common;
#[path = "cuda/graph.rs"]
mod graph;
#[path = "cuda/learning.rs"]
mod learning;
#[path = "cuda/same.rs"]
mod same;
#[path = "cuda/two.rs"]
mod two;

use candle_core::Device;

/// The first GPU.
fn gpu() -> Device {
    Device::new_cuda(0).expect("a GPU with a driver for the CUDA version that candle was built with")
}
