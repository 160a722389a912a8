//! Spiking neurons of the field, each declared once with [`neuron!`] and compiled to kernels for all
//! templates: forward, multi-step forward, both with gradient, and the gradients.
//!
//! ```
//! use neurons::{Array, LIFNode, Lif};
//!
//! let mut layer = LIFNode::new(Lif { tau: 2.0, ..Lif::default() });
//! let spike = layer.forward(&Array::full([4, 3], 2.0f32))?;
//! assert_eq!(spike, Array::full([4, 3], 1.0));
//! let grad_x = layer.backward(&Array::full([4, 3], 1.0))?;
//! assert_eq!(grad_x.shape(), [4, 3]);
//! # Ok::<(), neurons::Error>(())
//! ```
//!
//! A neuron of your own takes a few lines with [`neuron!`]; `docs/guide.md` goes from a paper's equations to one, and
//! the language is described in `docs/language.md`.

mod adaptive_exponential;
mod adaptive_quadratic;
mod adaptive_threshold;
mod exponential;
mod gated;
mod integer;
mod integrate_and_fire;
mod integrator;
mod leaky;
mod nodes;
mod parametric;
mod quadratic;
mod redeclare;
mod refractory;
mod resonate;
mod resting;
mod scaled;
mod simple_model;
mod synaptic;
pub mod zoo;

pub use adaptive_exponential::*;
pub use adaptive_quadratic::*;
pub use adaptive_threshold::*;
pub use exponential::*;
pub use gated::*;
pub use integer::*;
pub use integrate_and_fire::*;
pub use integrator::*;
pub use leaky::*;
pub use neuron_runtime::*;
pub use nodes::*;
pub use parametric::*;
pub use quadratic::*;
pub use refractory::*;
pub use resonate::*;
pub use resting::*;
pub use scaled::*;
pub use simple_model::*;
pub use synaptic::*;

// `__declaration!`, by the build script: the declarations of this crate, for `redeclare!`.
include!(concat!(env!("OUT_DIR"), "/declarations.rs"));

// The examples in the documentation that names this crate.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/guide.md")]
mod guide {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/learning.md")]
mod learning {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/language.md")]
mod language {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/from-the-2020-api.md")]
mod from_the_2020_api {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/cuda.md")]
mod cuda_page {}
