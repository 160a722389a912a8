//! The runtime of spiking neurons declared with [`neuron!`].
//!
//! A neuron is declared by its charging equation and reset modes; its kernels are generated. This crate runs
//! them: it checks calls, distributes neurons over threads and vector instructions, and provides layers and training
//! operations.
//!
//! # Numbers
//!
//! States and arithmetic are `f32`, or `f64` for `f64` data; `half::f16` and `half::bf16` are storage formats
//! of inputs, spikes and their gradients. Nothing is fused or reordered, so results are bit-identical on every
//! instruction set and for any number of threads.
//!
//! NaN and infinite inputs are accepted. NaN in `h` does not fire, since `NaN >= v_threshold` is false, and
//! stays in the state of that neuron; infinities follow the rules of IEEE 754: positive infinity fires. Other neurons
//! are not affected.

//!
//! # Threads and processes
//!
//! Calls of at least 2^15 neuron-steps run on rayon's global thread pool, in any order; results do not depend on it. The pool
//! is created by the first such call, which panics if threads cannot be started; to avoid that, build a pool first
//! (`rayon::ThreadPoolBuilder::build_global`) and handle its error.
//!
//! A child process made by `fork` without `exec` has no threads but the one that forked, so a large call would wait for
//! them forever, as would any call for a lock that another thread held. Start worker processes with `exec` (in Python's
//! `multiprocessing`, `spawn` or `forkserver`), or fork before the first call.

pub mod any;
mod array;
mod array_call;
pub mod bits;
mod by_class;
mod call;
mod check;
pub mod counts;
mod cpu;
#[cfg(feature = "cuda")]
pub mod cuda;
mod error;
pub mod evaluate;
pub mod generated;
pub mod gradcheck;
mod initial;
mod macros;
pub mod math;
mod neuron;
mod node;
mod number;
mod packed;
mod parameter;
pub mod plan;
mod range;
mod shape;
mod spec;
pub mod step;
mod sum;
mod summation;
pub mod surrogate;
mod value;

pub use array::{Array, Device};
pub use by_class::{ByClass, Kind};
pub use call::{Call, Sink, Source};
pub use cpu::buffer::HostBuffer;
pub use cpu::group::Group;
pub use cpu::isa::Isa;
pub use cpu::memory::release_memory;
pub use cpu::rows::{BitRowsMut, Rows, RowsMut};
pub use cpu::tile::{Kernel, Tile, Tiles};
pub use cpu::values::Values;
pub use error::Error;
pub use gradcheck::gradcheck;
pub use initial::{initial_grads, initial_states};
#[doc(hidden)]
pub use macros::{__expand, __expand_surrogate, __redeclare};
pub use neuron::{DeclaredNeuron, Neuron};
#[doc(inline)]
pub use neuron_abi::{
    Absent, Architecture, Class, Extent, Format, Lanes, ParamKind, Reset, Role, STEPS, Target, Template,
};
pub use node::{MultiStepNode, Node, OutOfRange, Stateful};
#[doc(hidden)]
pub use number::{BothReals, PerFormat};
pub use number::{Element, LANES, Plain, Real};
pub use packed::PackedSpikes;
pub use parameter::{Layout, Parameter};
pub use plan::{Keep, Plan, plan};
pub use range::{project_values, validate_values};
pub use spec::{
    BufferSpec, Cuda, Equation, FlagSpec, Image, ParamSpec, Print, Printed, Signature, Spec, StateSpec,
};
pub use step::{MultiStep, Step};
pub use surrogate::{Gradient, Surrogate, TileGradient};
pub use value::Value;
