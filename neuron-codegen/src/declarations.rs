//! Finds the declarations in a crate's sources, for build scripts, tests and tools.

use proc_macro2::{LexError, TokenStream, TokenTree};

/// The macro that declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Macro {
    /// `neuron!`
    Neuron,
    /// `surrogate!`
    Surrogate,
}

impl Macro {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Neuron => "neuron",
            Self::Surrogate => "surrogate",
        }
    }

    fn parse(name: &proc_macro2::Ident) -> Option<Self> {
        [Self::Neuron, Self::Surrogate].into_iter().find(|kind| name == kind.name())
    }
}

/// The contents of every `neuron! { .. }` in a source file, in order.
///
/// # Errors
/// As [`all`].
pub fn declarations(source: &str) -> Result<Vec<TokenStream>, LexError> {
    let neurons = all(source)?.into_iter().filter(|(kind, _)| *kind == Macro::Neuron);
    Ok(neurons.map(|(_, contents)| contents).collect())
}

/// The contents of every `neuron! { .. }` and `surrogate! { .. }` in a source file, in order.
///
/// A path before the name (`neurons::neuron!`) makes no difference. Declarations that another macro builds
/// are not found: they exist only once that macro has run.
///
/// # Errors
/// The text is not Rust.
pub fn all(source: &str) -> Result<Vec<(Macro, TokenStream)>, LexError> {
    let mut found = Vec::new();
    collect(source.parse()?, &mut found);
    Ok(found)
}

fn collect(tokens: TokenStream, found: &mut Vec<(Macro, TokenStream)>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (i, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        let called = match i.checked_sub(2).map(|start| &tokens[start..i]) {
            Some([TokenTree::Ident(name), TokenTree::Punct(bang)]) if bang.as_char() == '!' => {
                Macro::parse(name)
            }
            _ => None,
        };
        match called {
            Some(kind) => found.push((kind, group.stream())),
            None => collect(group.stream(), found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_declarations_wherever_they_are() {
        let source = r#"
            //! neuron! { not this: a comment }
            neuron! { pub struct A { } }
            mod inner { neurons::neuron! { pub struct B { } } surrogate! { surrogate S { } } }
            fn f() { neuron!(struct C { }); let neuron = 1; if !true { neuron; } }
        "#;
        let names: Vec<String> = declarations(source).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["pub struct A { }", "pub struct B { }", "struct C { }"]);
        let kinds: Vec<Macro> = all(source).unwrap().into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, [Macro::Neuron, Macro::Neuron, Macro::Surrogate, Macro::Neuron]);
    }
}
