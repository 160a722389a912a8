//! What `macro_rules!` makes of its fragments: `$e:expr`, `$l:literal` and others arrive in groups without delimiters.
//!
//! Such a group keeps the operators of an expression together, `2.0 * $e`, as parentheses would. Around anything else
//! it means nothing, and must not make a difference.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// `tokens` without groups that mean nothing: whatever invisible group is left holds an expression of several tokens.
///
/// What has none in it stays as it is, with all of its places.
pub fn plain(tokens: TokenStream) -> TokenStream {
    rewritten(&tokens, None).unwrap_or(tokens)
}

/// As [`plain`], with the groups that are left in parentheses: something that can be written down.
pub fn written(tokens: TokenStream) -> TokenStream {
    rewritten(&tokens, Some(Delimiter::Parenthesis)).unwrap_or(tokens)
}

/// `tokens` without meaningless groups, the others with these `delimiters`. `None` if all stays as it is.
fn rewritten(tokens: &TokenStream, delimiters: Option<Delimiter>) -> Option<TokenStream> {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let is_alone = trees.len() == 1;
    let mut changed = false;
    let mut plain = Vec::with_capacity(trees.len());
    for tree in trees {
        let TokenTree::Group(group) = &tree else {
            plain.push(tree);
            continue;
        };
        let content = rewritten(&group.stream(), delimiters);
        let is_invisible = group.delimiter() == Delimiter::None;
        if content.is_none() && !is_invisible {
            plain.push(tree);
            continue;
        }
        let content = content.unwrap_or_else(|| group.stream());
        if is_invisible && (is_alone || !is_expression(&content)) {
            plain.extend(content);
            changed = true;
        } else {
            let delimiter = match delimiters {
                Some(delimiter) if is_invisible => delimiter,
                _ => group.delimiter(),
            };
            let mut rebuilt = Group::new(delimiter, content);
            rebuilt.set_span(group.span());
            plain.push(rebuilt.into());
            changed = true;
        }
    }
    changed.then(|| plain.into_iter().collect())
}

/// Whether `content` is an expression of several tokens, rather than a single token, a visibility, an item, or a list
/// of reset modes.
fn is_expression(content: &TokenStream) -> bool {
    let mut trees = content.clone().into_iter();
    let (Some(first), Some(second)) = (trees.next(), trees.next()) else { return false };
    let is_word = |word: &str| matches!(&first, TokenTree::Ident(ident) if ident == word);
    let is_list = matches!((&first, &second, trees.next()),
        (TokenTree::Ident(_), TokenTree::Punct(bar), Some(TokenTree::Ident(_))) if bar.as_char() == '|');
    !is_word("pub") && !is_word("let") && !is_list
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `text`, in which `<` and `>` stand for the ends of invisible groups.
    fn parse(text: &str) -> TokenStream {
        let tokens: TokenStream = text.replace('<', "[").replace('>', "]").parse().expect("tokens");
        invisible(tokens)
    }

    fn invisible(tokens: TokenStream) -> TokenStream {
        let each = tokens.into_iter().map(|tree| match tree {
            TokenTree::Group(group) => {
                let delimiter = match group.delimiter() {
                    Delimiter::Bracket => Delimiter::None,
                    other => other,
                };
                TokenTree::Group(Group::new(delimiter, invisible(group.stream())))
            }
            tree => tree,
        });
        each.collect()
    }

    #[test]
    fn only_expressions_are_kept_together() {
        for (fragments, expected) in [
            ("v ^ <2>", "v ^ 2"),
            ("<<<tanh>>> (<x>)", "tanh (x)"),
            ("<> struct A", "struct A"),
            ("<pub (crate)> struct A", "pub (crate) struct A"),
            ("<let a = <v + x>> ; reset <hard | soft> ;", "let a = (v + x) ; reset hard | soft ;"),
            ("(<a + b>)", "(a + b)"),
            ("2.0 * <a + <b>>", "2.0 * (a + b)"),
            ("v ^ <- <2>>", "v ^ (- 2)"),
            ("{ <-1.0> } <if a { b } else { c }>", "{ - 1.0 } (if a { b } else { c })"),
        ] {
            let written = written(parse(fragments)).to_string();
            let expected: TokenStream = expected.parse().expect("tokens");
            assert_eq!(written, expected.to_string(), "{fragments}");
            let left = plain(parse(fragments)).to_string();
            assert_eq!(left.replace([' ', '(', ')'], ""), written.replace([' ', '(', ')'], ""));
        }
    }
}
