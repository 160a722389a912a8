//! The neurons of other simulators, declared so that they give the same numbers: outputs, states and gradients.
//!
//! There is a module for each simulator; its documentation says what the neurons have in common and which surrogate they
//! are used with there, that of a neuron which class or function it is and how it differs from its namesakes. Declarations
//! are made to be read and copied: [`neuron!`](neuron_runtime::neuron) needs nothing of this crate.
//!
//! ```
//! use neurons_dialects::snntorch::LeakySubtract;
//! use neuron_runtime::{Array, MultiStepNode};
//!
//! // The potential is 0.6, 1.14, then 0.9 * 1.14 + 0.6 - 1: a spike resets in the next step.
//! let mut layer = MultiStepNode::new(LeakySubtract { beta: 0.9, ..LeakySubtract::default() });
//! let spikes = layer.forward(&Array::full([4, 1], 0.6f32))?;
//! assert_eq!(spikes.to_vec()?, [0.0, 1.0, 0.0, 1.0]);
//! # Ok::<(), neuron_runtime::Error>(())
//! ```
//!
//! The potential is `v` in every neuron, the threshold `v_threshold` and the reset potential `v_reset`; other names are those
//! of the simulator, and [`Dialect`] translates the rest. Initial states of this crate are those of the simulator where it
//! has any.
//!
//! `docs/coming-from.md` compares the conventions. The reference cases in `tests/reference/dialects` were computed by the
//! simulators themselves.

#![allow(non_snake_case, reason = "parameters have the names that they have in the simulator")]

pub mod bindsnet;
pub mod brian2;
pub mod lava;
pub mod lava_dl;
pub mod nengo;
pub mod norse;
pub mod rockpool;
pub mod sinabs;
pub mod snntorch;
pub mod spikingjelly;
pub mod spyx;
mod table;

pub use table::{DIALECTS, Dialect};

#[cfg(doctest)]
#[doc = include_str!("../../docs/coming-from.md")]
mod coming_from {}
