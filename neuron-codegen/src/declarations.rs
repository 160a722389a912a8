//! Finds the declarations in a crate's sources, for build scripts, tests and tools.

use proc_macro2::{TokenStream, TokenTree};

/// The contents of every `neuron! { .. }` in a source file, in order.
///
/// A path before the name (`neurons::neuron!`) makes no difference. Declarations that another macro builds
/// are not found: they exist only once that macro has run.
///
/// # Errors
/// The text is not Rust.
pub fn declarations(source: &str) -> Result<Vec<TokenStream>, proc_macro2::LexError> {
    let mut found = Vec::new();
    collect(source.parse()?, &mut found);
    Ok(found)
}

fn collect(tokens: TokenStream, found: &mut Vec<TokenStream>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (i, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        let called = match i.checked_sub(2).map(|start| &tokens[start..i]) {
            Some([TokenTree::Ident(name), TokenTree::Punct(bang)]) => {
                name == "neuron" && bang.as_char() == '!'
            }
            _ => false,
        };
        if called {
            found.push(group.stream());
        } else {
            collect(group.stream(), found);
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
            mod inner { neurons::neuron! { pub struct B { } } }
            fn f() { neuron!(struct C { }); let neuron = 1; if !true { neuron; } }
        "#;
        let names: Vec<String> = declarations(source).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["pub struct A { }", "pub struct B { }", "struct C { }"]);
    }
}
