//! Which names a declaration may give: all but the language's own words.

use proc_macro2::Ident;

use super::Language;
use crate::syntax::{KEYWORDS, is_keyword};
use crate::{function, identifiers};

/// Names that neither neurons nor surrogates can give to anything, so that they mean the same in both.
const REFUSED: [(&str, &str); 4] = [
    ("v", "it is the membrane potential, which every neuron has"),
    ("h", "it is the charged potential, before reset"),
    ("spike", "it is whether the neuron fires"),
    ("reset", "it is the reset mode"),
];

/// Why `ident` cannot be the name of anything; `None` if it can.
pub fn refused(language: &Language, ident: &Ident) -> Option<&'static str> {
    let name = identifiers::text(ident);
    let name = name.as_str();
    let mut reasons = REFUSED.iter().chain(language.refused);
    if let Some((_, reason)) = reasons.find(|(refused, _)| *refused == name) {
        Some(reason)
    } else if function::names().contains(&name) || function::OF_STEPS.contains(&name) {
        Some("it is a function")
    } else if KEYWORDS.contains(&name) || language.has(name) {
        Some("items begin with it")
    } else if is_keyword(ident) {
        Some("it is a keyword of Rust")
    } else {
        None
    }
}
