//! Items of declarations as tokens.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The items of a declaration, each with its semicolon.
pub fn items(body: TokenStream) -> Vec<Vec<TokenTree>> {
    let tokens: Vec<TokenTree> = body.into_iter().collect();
    tokens.split_inclusive(|token| is_punct(token, ';')).map(<[TokenTree]>::to_vec).collect()
}

/// The number of tokens of the attributes at the beginning.
pub fn after_attributes(tokens: &[TokenTree]) -> usize {
    let is_attribute = |pair: &[TokenTree]| {
        matches!(pair, [hash, TokenTree::Group(group)]
            if is_punct(hash, '#') && group.delimiter() == Delimiter::Bracket)
    };
    2 * tokens.chunks(2).take_while(|pair| is_attribute(pair)).count()
}

/// Whether a token is that identifier.
pub fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

/// Whether a token is that punctuation mark.
pub fn is_punct(token: &TokenTree, char: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == char)
}
