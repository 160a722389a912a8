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
//! There are three interfaces, from the most basic to the most convenient:
//!
//! - [`step`] and [`multi_step`]: functions of inputs and states, differentiable with respect to both; [`step_with`] and
//!   [`multi_step_with`] also with respect to learnable parameters;
//! - [`MultiStep`]: a layer without memory, a [`candle_core::Module`];
//! - [`Node`]: a layer that keeps its state from call to call until [`Node::reset`].
//!
//! The output of a neuron is its spikes, or its `output` if it does not fire. For neurons with several inputs there are
//! [`MultiStep::forward_all`], [`Node::step_all`] and [`Node::multi_step_all`].
//!
//! # Parameters
//! A `param` is a field of the neuron. An `array` or `learnable` starts with the neuron's value, the same for all neurons.
//! [`MultiStep::with_parameter`] sets other values, and [`MultiStep::learn`] makes the learnable ones variables of a
//! [`VarBuilder`](candle_nn::VarBuilder), to be optimised, saved and loaded with all others:
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
//! An optimiser may move a parameter out of its declared range. The next call then refuses it, or moves it back:
//! [`MultiStep::with_out_of_range`].
//!
//! # Batch normalisation
//! [`BatchNorm`] is a normalisation before a layer that the neurons compute themselves: the normalised input is never stored.
//!
//! # States
//! [`Node::states`] are tensors: part of the graph, to be saved and restored ([`Node::set_states`]), and learned if they come
//! from variables. [`Node::multi_step_recorded`] returns them after every step, for losses on the membrane.
//!
//! # Shapes and formats
//! A step takes inputs and states of one shape, which is arbitrary; a sequence adds time as the first dimension,
//! `[T, ...]`. Inputs may be strided. Shapes of parameters are broadcast to that of the states. Data is `f32`, `f64`, `f16`
//! or `bf16`; states and parameters are `f64` for `f64` data and `f32` otherwise, see [`state_dtype`].
//!
//! # Memory
//! The backward pass recomputes the membrane potentials: from the inputs and output, which candle keeps, and from the states before
//! every eighth step of a sequence. In training, a [`Node`] thus keeps these of all calls since [`Node::detach`] or
//! [`Node::reset`], in candle's graph; in evaluation mode ([`Node::eval`]) it keeps none.
//!
//! # GPUs
//! With the feature `cuda`, tensors may be on a GPU. Neurons run there, on candle's stream and in its memory, without copies. The
//! feature `offload`, enabled by default, is for tensors on the CPU: [`MultiStep::on`].

mod batch_norm;
mod call;
mod check;
mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
mod error;
mod function;
mod history;
mod initial;
mod launch;
mod layer;
mod left;
mod moments;
mod node;
mod norm;
mod op;
mod own;
mod passes;
mod range;
mod states;

pub use batch_norm::BatchNorm;
pub use check::state_dtype;
pub use error::Error;
pub use function::{initial_state, initial_state_with, multi_step, multi_step_with, step, step_with};
pub use layer::MultiStep;
pub use neuron_runtime::{Gradient, OutOfRange, Surrogate};
pub use node::Node;

#[cfg(doctest)]
#[doc = include_str!("../../docs/candle.md")]
mod candle_page {}
