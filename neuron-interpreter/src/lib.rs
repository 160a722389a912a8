//! Spiking neurons declared at run time.
//!
//! [`Declaration::parse`] takes the text that the `neuron!` macro takes, and gives a neuron that can be used like those of
//! the macro: the front end, the checks, and the step programs of the kernels are the same, and so are results, bit for
//! bit. Where the macro prints step programs as Rust, they are compiled here to instructions on tiles of lanes
//! (`code`), which are executed one after the other, each on all lanes (`execute`).
//!
//! ```
//! use neuron_interpreter::Declaration;
//! use neuron_runtime::{Array, MultiStepNode, Neuron, Value};
//!
//! let declaration = Declaration::parse("
//!     struct Leaky {
//!         param tau = 2.0 where tau > 1.0;
//!         charge = v + (x - v) / tau;
//!         reset hard | soft;
//!     }
//! ")?;
//! let mut neuron = declaration.neuron();
//! neuron.set("tau", Value::Real(4.0))?;
//! let mut node = MultiStepNode::<_, f32>::new(neuron);
//! let spikes = node.forward(&Array::full([3, 2], 8.0))?;
//! assert_eq!(spikes.to_vec()?, [1.0; 6]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! All mistakes in a declaration are reported at once:
//!
//! ```
//! # use neuron_interpreter::Declaration;
//! let mistakes = Declaration::parse("struct Leaky { charge = v + (x - v) / taw; reset hard; }").unwrap_err();
//! let [mistake] = mistakes.problems() else { panic!("{mistakes}") };
//! assert_eq!((mistake.line, mistake.column), (1, 39));
//! assert!(mistake.message.contains("`taw`"));
//! ```

mod code;
mod compile;
mod cuda;
mod declaration;
mod execute;
mod formula;
mod function;
mod neuron;
mod problem;
mod registers;
mod source;
mod spec;
mod surrogate;
mod thread;
mod uniform;

pub use declaration::Declaration;
pub use neuron::Interpreted;
pub use problem::{Level, Mistakes, Problem};
pub use source::Declarations;
pub use surrogate::SurrogateDeclaration;
pub use thread::with_stack;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
