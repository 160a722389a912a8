//! Which names a declaration may give: all but the language's own words.

use proc_macro2::Ident;

use crate::identifiers;
use crate::ir::Func;
use crate::syntax::{KEYWORDS, is_keyword};

/// The functions that are not [`Func`]s.
pub const FUNCTIONS_OF_MORE: [&str; 3] = ["min", "max", "clamp"];

/// The names of all functions.
pub fn functions() -> Vec<&'static str> {
    Func::ALL.into_iter().map(Func::name).chain(FUNCTIONS_OF_MORE).collect()
}

/// Why `ident` cannot be the name of anything; `None` if it can.
pub fn refused(ident: &Ident) -> Option<String> {
    let name = identifiers::text(ident);
    Some(match name.as_str() {
        "v" => "it is the membrane potential, which every neuron has".to_owned(),
        "h" => "it is the charged potential, before reset".to_owned(),
        "spike" => "it is whether the neuron fires".to_owned(),
        "reset" => "it is the reset mode".to_owned(),
        name if functions().contains(&name) => "it is a function".to_owned(),
        name if KEYWORDS.contains(&name) => "items begin with it".to_owned(),
        _ if is_keyword(ident) => "it is a keyword of Rust".to_owned(),
        _ => return None,
    })
}
