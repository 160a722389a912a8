//! From the declaration of a spiking neuron to its kernels.
//!
//! The data path runs one way, a module a stage:
//!
//! ```text
//! syntax -> check -> model over ir -> gradient (derive, simplify) -> kernel -> emit
//! ```
//!
//! [`syntax`] reads tokens and keeps every span; [`check`] resolves names, sorts and ranges, in a way that neurons
//! share with [`surrogate`]s, and reports every mistake at once; the result is a [`model::Model`], which cannot be wrong. [`gradient`] differentiates it
//! symbolically, [`kernel`] arranges it into step programs, and [`emit`] prints these.
//!
//! This is a plain library, used by the `neuron!` macro, by build scripts and by tests alike.

mod affine;
pub mod build;
pub mod check;
mod conditional;
pub mod declarations;
pub mod derive;
pub mod description;
pub mod emit;
pub mod evaluate;
pub mod expand;
mod function;
pub mod gradient;
pub mod identifiers;
pub mod interface;
pub mod ir;
pub mod kernel;
pub mod latex;
mod lowering;
pub mod model;
pub mod print;
pub mod redeclare;
pub mod report;
pub mod schedule;
mod simplify;
pub mod source;
pub mod suggest;
pub mod surrogate;
pub mod syntax;
pub mod variant;
mod walk;
