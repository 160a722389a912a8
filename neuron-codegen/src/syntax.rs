//! Tokens to a [`Declaration`]: what was written, every part with its place in the source.
//!
//! A mistake is reported and parsing goes on behind it, so that all mistakes are found at once and the
//! declaration is as complete as it can be.

pub mod expr;
pub(crate) mod fragments;
mod header;
pub mod item;
mod items;
mod mistakes;
mod pratt;
mod recovery;
mod tokens;
mod unknown;

pub use expr::{Binary, Expr, ExprKind};
pub use header::{parse, parse_as};
pub use item::{Declaration, Item, ItemKind};

/// The words that items begin with, in the order in which the documentation lists them.
pub const KEYWORDS: [&str; 13] = [
    "param",
    "array",
    "learnable",
    "flag",
    "input",
    "state",
    "let",
    "charge",
    "spike",
    "threshold",
    "output",
    "update",
    "reset",
];

/// The words that stand directly before `=`: there is only one of each.
const NAMELESS: [&str; 5] = ["charge", "spike", "threshold", "output", "primitive"];

/// What may be declared: its words, and what to say of them in messages.
#[derive(Debug)]
pub struct Grammar {
    /// The macro: `neuron`.
    pub declares: &'static str,
    /// With its article: `a neuron`.
    pub article: &'static str,
    /// The word before the name: `struct`.
    pub word: &'static str,
    /// A short body.
    pub body: &'static str,
    /// A short declaration.
    pub example: &'static str,
    /// What an empty body lacks.
    pub needs: &'static str,
    /// Words that begin an item, for the message about what does not.
    pub such_as: &'static str,
    /// The words that items begin with, in the order in which the documentation lists them.
    pub keywords: &'static [&'static str],
}

/// Of `neuron!`.
pub static NEURON: Grammar = Grammar {
    declares: "neuron",
    article: "a neuron",
    word: "struct",
    body: "charge = v + x; reset hard;",
    example: "pub struct Lif { charge = v + x; reset hard; }",
    needs: "`charge` and `reset`",
    such_as: "`param` or `charge`",
    keywords: &KEYWORDS,
};

/// Of `surrogate!`.
pub static SURROGATE: Grammar = Grammar {
    declares: "surrogate",
    article: "a surrogate",
    word: "surrogate",
    body: "primitive = sigmoid(4.0 * u);",
    example: "pub surrogate Steep { primitive = sigmoid(4.0 * u); }",
    needs: "`primitive`",
    such_as: "`param` or `primitive`",
    keywords: &["param", "let", "primitive"],
};

/// Whether Rust would not take it as a name.
pub fn is_keyword(word: &proc_macro2::Ident) -> bool {
    syn::parse_str::<syn::Ident>(&word.to_string()).is_err()
}

/// What to write in place of a keyword of Rust that was to be a name.
pub fn instead_of_keyword(word: &proc_macro2::Ident) -> String {
    // Some, such as `self`, cannot be names at all.
    match syn::parse_str::<syn::Ident>(&format!("r#{word}")) {
        Ok(raw) => format!("write `{raw}`, or use another name"),
        Err(_) => "use another name".to_owned(),
    }
}
