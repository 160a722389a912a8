//! Tokens to a [`Declaration`]: what was written, every part with its place in the source.
//!
//! A mistake is reported and parsing goes on behind it, so that all mistakes are found at once and the
//! declaration is as complete as it can be.

pub mod expr;
mod header;
pub mod item;
mod items;
mod mistakes;
mod pratt;
mod tokens;

pub use expr::{Binary, Expr, ExprKind};
pub use header::parse;
pub use item::{Declaration, Item, ItemKind};

/// The words that items begin with, in the order in which the documentation lists them.
pub const KEYWORDS: [&str; 12] = [
    "param",
    "array",
    "learnable",
    "flag",
    "input",
    "state",
    "let",
    "charge",
    "threshold",
    "output",
    "update",
    "reset",
];

/// Whether Rust would not take it as a name.
pub fn is_keyword(word: &proc_macro2::Ident) -> bool {
    syn::parse_str::<syn::Ident>(&word.to_string()).is_err()
}
