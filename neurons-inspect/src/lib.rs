//! The `neurons` command: shows what was generated for a neuron, and what the neuron does.
//!
//! As a binary it serves the neurons of the `neurons` crate. A crate with neurons of its own has the same command for
//! them with one line, say in `src/bin/inspect.rs`:
//!
//! ```
//! # use neurons::neuron;
//! # neuron! { pub struct Mine { charge = v + x; reset hard; } }
//! # neuron! { pub struct Other { charge = v + x; reset soft; } }
//! neurons_inspect::main!(Mine, Other);
//! ```
//!
//! then `cargo run --bin inspect -- plot mine`. `main!(Mine, ..zoo)` serves those of the `neurons` crate too.
//!
//! What is shown is what was generated: [`Spec::declaration`](neuron_runtime::Spec::declaration) is read again by the
//! generator that the macro is.

mod bench;
mod bytes;
mod check;
mod cli;
mod cubin;
mod derivation;
mod doctor;
mod error;
pub mod gallery;
mod list;
mod neuron;
mod output;
pub mod plot;
mod serve;
mod show;
mod simulate;
mod units;

pub use cli::run;
pub use error::Error;
pub use neuron::Neurons;

/// The whole of a binary: the command for the given neurons, and with `..zoo` those of the `neurons` crate too.
#[macro_export]
macro_rules! main {
    ($($neuron:ty),+ $(,)?) => {
        fn main() -> ::std::process::ExitCode {
            $crate::run(&$crate::Neurons::default()$(.with::<$neuron>())+)
        }
    };
    ($($neuron:ty,)* ..zoo) => {
        fn main() -> ::std::process::ExitCode {
            $crate::run(&$crate::Neurons::default()$(.with::<$neuron>())*.zoo())
        }
    };
}

// The examples in the documentation that names this crate.

#[cfg(doctest)]
#[doc = include_str!("../../docs/command.md")]
mod command_page {}
