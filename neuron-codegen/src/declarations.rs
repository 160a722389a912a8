//! Finds the declarations in a crate's sources, for build scripts, tests and tools.

use proc_macro2::{LexError, Span, TokenStream, TokenTree};

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

/// A declaration in a source file.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// The macro that it is given to.
    pub kind: Macro,
    /// Where that is named.
    pub span: Span,
    /// What is between the braces.
    pub contents: TokenStream,
}

/// The contents of every `neuron! { .. }` in a source file, in order.
///
/// # Errors
/// As [`all`].
pub fn declarations(source: &str) -> Result<Vec<TokenStream>, LexError> {
    let neurons = all(source)?.into_iter().filter(|found| found.kind == Macro::Neuron);
    Ok(neurons.map(|found| found.contents).collect())
}

/// Every `neuron! { .. }` and `surrogate! { .. }` in a source file, in order.
///
/// A path before the name (`neurons::neuron!`) makes no difference. Declarations that another macro builds
/// are not found: they exist only once that macro has run.
///
/// # Errors
/// The text is not Rust.
pub fn all(source: &str) -> Result<Vec<Declaration>, LexError> {
    let mut found = Vec::new();
    collect(source.parse()?, &mut found);
    Ok(found)
}

fn collect(tokens: TokenStream, found: &mut Vec<Declaration>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (i, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        let called = match i.checked_sub(2).map(|start| &tokens[start..i]) {
            Some([TokenTree::Ident(name), TokenTree::Punct(bang)]) if bang.as_char() == '!' => {
                Macro::parse(name).map(|kind| (kind, name.span()))
            }
            _ => None,
        };
        match called {
            Some((kind, span)) => found.push(Declaration { kind, span, contents: group.stream() }),
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
        let kinds: Vec<Macro> = all(source).unwrap().into_iter().map(|found| found.kind).collect();
        assert_eq!(kinds, [Macro::Neuron, Macro::Neuron, Macro::Surrogate, Macro::Neuron]);
    }
}
