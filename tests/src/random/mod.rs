//! Declarations at random, and what must hold for each.
//!
//! [`generate`] draws a declaration by number; [`ast`] is what it is made of, well-typed by construction. It is
//! [printed](mod@print), under [other names](rename) too, [expanded](expansion) in a process of its own, since a generator may
//! crash or hang, [compiled](build) with others to a program, and [checked](check) there: templates against each other bit
//! for bit, values and gradients against an [evaluator](evaluate) that knows the declaration only, CUDA sources as C++.
//! [`run`] does all of this; [`shrink`] finds the smallest declaration that still has a fault. Without a compiler, in a
//! hundredth of the time, declarations are [interpreted] and checked in the same way.
//!
//! The evaluator's numbers know how far rounding may have moved them, and how they [change](number) with one input. What
//! rounding may decide is not compared: a spike at the threshold itself, a kink, what is no longer finite.
//!
//! ```sh
//! NEURON_RANDOM_CASES=10000 NEURON_RANDOM_SEED=1 cargo test -p neurons-tests --test random --test random_compiled
//! cargo run -p neurons-tests --no-default-features --bin random -- print 399
//! ```

pub mod ast;
pub mod budget;
pub mod build;
pub mod check;
pub mod compiled;
pub mod evaluate;
pub mod expansion;
pub mod generate;
pub mod interpreted;
pub mod number;
pub mod print;
pub mod program;
pub mod rename;
pub mod run;
pub mod settings;
pub mod shrink;
pub mod usage;
