//! Identifiers for generated code: valid in Rust and in CUDA C++ alike, and different from one another.
//!
//! A declaration may use every identifier of Rust. Generated code keeps it where it can, since people read that
//! code, and changes it where it has to: `τ` becomes `tau`, and `double`, which C++ keeps for itself, `double_`. One
//! namespace serves both languages, so that the mathematics of a kernel is the same text in both.

mod reserved;

use std::collections::{HashMap, HashSet};

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;

/// Identifiers given out so far.
#[derive(Clone, Debug, Default)]
pub struct Namespace {
    taken: HashSet<String>,
    /// The next number to try with each stem.
    numbers: HashMap<String, usize>,
}

impl Namespace {
    /// `wanted`, or what comes closest to it and is neither reserved nor taken. It is taken from here on.
    pub fn claim(&mut self, wanted: &str) -> String {
        let stem = ascii(wanted);
        let mut candidates = [stem.clone(), format!("{}_", stem.trim_end_matches('_'))]
            .into_iter()
            .chain((2..).map(|number| format!("{}_{number}", stem.trim_end_matches('_'))));
        let is_free = |name: &String| !reserved::is_reserved(name) && !self.taken.contains(name);
        let name = candidates.find(is_free).expect("there are more numbers than names");
        self.taken.insert(name.clone());
        name
    }

    /// `{stem}_1`, or the first of these that is free.
    pub fn number(&mut self, stem: &str) -> String {
        let first = self.numbers.get(stem).copied().unwrap_or(1);
        let mut names = (first..).map(|number| (number, format!("{stem}_{number}")));
        let found = names.find(|(_, name)| self.is_free(name));
        let (number, name) = found.expect("there are more numbers than names");
        self.numbers.insert(stem.to_owned(), number + 1);
        self.taken.insert(name.clone());
        name
    }

    /// Whether something has that name.
    pub fn has(&self, name: &str) -> bool {
        self.taken.contains(name)
    }

    /// Whether `name` can be had as it is.
    pub fn is_free(&self, name: &str) -> bool {
        ascii(name) == name && !reserved::is_reserved(name) && !self.taken.contains(name)
    }
}

/// What an identifier is called: without `r#`.
pub fn text(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// `ident` as the name of an item or a field in the user's crate, whose edition is not known: what is a keyword in
/// some edition is written raw.
pub fn item(ident: &Ident) -> Ident {
    let text = text(ident);
    // Those that cannot be written raw are refused where they are declared.
    let is_raw = reserved::is_keyword(&text) && !matches!(text.as_str(), "self" | "Self" | "super" | "crate");
    if is_raw { Ident::new_raw(&text, ident.span()) } else { ident.clone() }
}

/// [`item`] where generated code uses it: what goes wrong there is not at the user's place.
pub fn unspanned(ident: &Ident) -> Ident {
    let mut item = item(ident);
    item.set_span(Span::call_site());
    item
}

/// `name` as that of a module, and as the beginning of kernels' names.
pub fn module(name: &str) -> String {
    let mut module = ascii(name);
    if reserved::is_keyword(&module) {
        module.push('_');
    }
    module
}

/// `name` in letters, digits and single underscores, beginning with a letter: identifiers with two underscores in a row
/// belong to the C++ compiler, as do many that begin with one.
fn ascii(name: &str) -> String {
    let mut spelled = String::new();
    for c in name.chars() {
        match c {
            '_' if spelled.ends_with('_') => {}
            '_' => spelled.push('_'),
            c if c.is_ascii_alphanumeric() => spelled.push(c),
            c => match reserved::greek(c) {
                Some(letter) => spelled.push_str(letter),
                None => spelled.push_str(&format!("u{:x}", u32::from(c))),
            },
        }
    }
    let bare = spelled.trim_start_matches('_');
    match bare.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => bare.to_owned(),
        _ => format!("n{bare}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_where_they_can() {
        let mut names = Namespace::default();
        for (wanted, expected) in [
            ("tau", "tau"),
            ("τ", "tau_"),
            ("tau", "tau_2"),
            ("τ_m", "tau_m"),
            ("double", "double_"),
            ("gen", "gen_"),
            ("lane", "lane_"),
            ("x_lanes", "x_lanes"),
            ("_", "n"),
            ("__", "n_"),
            ("__CUDA_ARCH__", "CUDA_ARCH_"),
            ("_1", "n1"),
            ("膜", "u819c"),
            ("W", "W"),
        ] {
            assert_eq!(names.claim(wanted), expected, "{wanted}");
        }
        assert_eq!(names.number("term"), "term_1");
        assert_eq!(names.number("term"), "term_2");
    }

    #[test]
    fn keywords_of_any_edition_are_raw() {
        let item = |text: &str| item(&syn::parse_str::<Ident>(text).unwrap()).to_string();
        assert_eq!(item("tau"), "tau");
        assert_eq!(item("gen"), "r#gen");
        assert_eq!(item("r#type"), "r#type");
    }
}
