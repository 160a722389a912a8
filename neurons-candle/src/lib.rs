//! Neurons declared with [`neuron!`](neuron_runtime::neuron) as differentiable operations of
//! [candle](candle_core).
//!
//! ```no_run
//! # fn demo<Lif: neuron_runtime::DeclaredNeuron>(x_seq: &candle_core::Tensor) -> Result<(), neurons_candle::Error> {
//! use neurons_candle::{Gradient, MultiStep};
//!
//! let lif = MultiStep::new(Lif::default(), Gradient::default())?;
//! let spike_seq = lif.forward(x_seq)?; // [T, ...] to [T, ...], every sequence from the initial state
//! let grads = spike_seq.mean_all()?.backward()?; // back-propagation through time
//! # Ok(())
//! # }
//! ```
//!
//! There are three ways in, from the plain to the convenient:
//!
//! - [`step`] and [`multi_step`]: functions of inputs and states, differentiable in both, and with [`step_with`] and
//!   [`multi_step_with`] in learnable parameters too;
//! - [`MultiStep`]: a layer without memory, a [`candle_core::Module`];
//! - [`Node`]: a layer that keeps its state from call to call until [`Node::reset`].
//!
//! What a neuron gives are its spikes, or its `output` if it does not fire. Neurons with several inputs go through
//! [`MultiStep::forward_all`], [`Node::step_all`] and [`Node::multi_step_all`].
//!
//! # Parameters
//! A `param` is a field of the neuron. What was declared as `array` or `learnable` begins as the neuron's own value, one
//! for all; a layer gives it values of its own by [`MultiStep::with_parameter`], and [`MultiStep::learn`] makes variables of
//! the learnable ones in a [`VarBuilder`](candle_nn::VarBuilder), to be optimised, saved and loaded with all others:
//!
//! ```no_run
//! # fn demo<Plif: neuron_runtime::DeclaredNeuron>(vb: candle_nn::VarBuilder) -> Result<(), neurons_candle::Error> {
//! use neurons_candle::{Gradient, Node};
//!
//! // One time constant for each of 64 channels of states [B, 64, H, W].
//! let plif = Node::new(Plif::default(), Gradient::default())?.learn((64, 1, 1), vb.pp("plif"))?;
//! # Ok(())
//! # }
//! ```
//!
//! # Shapes and formats
//! A step takes inputs and states of one shape, which may be any; a sequence has the time in front of it:
//! `[T, ...]`. Inputs may be strided. Shapes of parameters are broadcast to that of the states. Data is `f32`, `f64`, `f16`
//! or `bf16`; states and parameters are `f64` for `f64` data and `f32` for all other, see [`state_dtype`].
//!
//! # Memory
//! The forward pass keeps nothing but what candle keeps, the operation's inputs and output: the backward
//! pass computes the membrane potentials again.

mod check;
mod error;
mod function;
mod initial;
mod layer;
mod node;
mod op;
mod passes;
mod storage;

pub use check::state_dtype;
pub use error::Error;
pub use function::{initial_state, initial_state_with, multi_step, multi_step_with, step, step_with};
pub use layer::MultiStep;
pub use neuron_runtime::{Gradient, Surrogate};
pub use node::Node;
