//! Changes to the tokens of a declaration, each at some token, counted through all groups.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use proptest::prelude::*;
use proptest::sample::Index;

use super::corpus::Case;

/// What tokens are replaced by, and what is put before them.
const POOL: [&str; 96] = [
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
    "hard",
    "soft",
    "none",
    "where",
    "if",
    "else",
    "true",
    "false",
    "spike",
    "v",
    "h",
    "x",
    "s",
    "tau",
    "v_threshold",
    "v_reset",
    "r#type",
    "type",
    "self",
    "struct",
    "pub",
    "surrogate",
    "primitive",
    "u",
    "PI",
    "param a = 1.0;",
    "let b = v;",
    "state q = 0.0;",
    "update q = x;",
    "+",
    "-",
    "*",
    "/",
    "^",
    "**",
    "<",
    "<=",
    "==",
    "!=",
    "&&",
    "||",
    "!",
    "=",
    ";",
    ":",
    ",",
    ".",
    "|",
    "&",
    "#",
    "@",
    "=>",
    "..",
    "()",
    "{}",
    "[]",
    "(v)",
    "{ x }",
    "[0]",
    "#[doc = \"d\"]",
    "#[cfg(test)]",
    "1.0",
    "0",
    "2",
    "0.5",
    "1e308",
    "1e999",
    "1f32",
    "0x10",
    "2147483648",
    "^2",
    "^-1",
    "\"text\"",
    "'c'",
    "'a",
    "exp",
    "ln",
    "sqrt(x)",
    "min",
    "clamp",
    "powi",
    "fn",
    "match",
    "_",
];

#[derive(Clone, Copy, Debug)]
pub enum Change {
    Delete,
    Duplicate,
    /// With the token behind it.
    Swap,
    Replace,
    Insert,
    /// Another kind of brackets, or none.
    Delimit,
    /// Into brackets of its own.
    Wrap,
    /// What is in the group takes its place.
    Unwrap,
    /// Replaced by a token or a group of another declaration.
    Splice,
}

#[derive(Clone, Debug)]
pub struct Mutation {
    change: Change,
    /// Of which token.
    place: Index,
    /// Of what there is to choose from.
    choice: Index,
    /// The same, where there are two choices.
    other: Index,
}

pub fn any() -> impl Strategy<Value = Mutation> {
    let change = prop_oneof![
        Just(Change::Delete),
        Just(Change::Duplicate),
        Just(Change::Swap),
        Just(Change::Replace),
        Just(Change::Insert),
        Just(Change::Delimit),
        Just(Change::Wrap),
        Just(Change::Unwrap),
        Just(Change::Splice),
    ];
    (change, proptest::prelude::any::<[Index; 3]>()).prop_map(|(change, [place, choice, other])| Mutation {
        change,
        place,
        choice,
        other,
    })
}

impl Mutation {
    pub fn apply(&self, tokens: TokenStream, corpus: &[Case]) -> TokenStream {
        match size(&tokens) {
            0 => tokens,
            size => self.within(tokens, &mut Some(self.place.index(size)), corpus),
        }
    }

    /// `left` is how many tokens there are before the place, `None` behind it.
    fn within(&self, tokens: TokenStream, left: &mut Option<usize>, corpus: &[Case]) -> TokenStream {
        let mut changed = Vec::new();
        let mut rest = tokens.into_iter();
        while let Some(token) = rest.next() {
            match left {
                Some(0) => {
                    *left = None;
                    self.change(token, &mut rest, &mut changed, corpus);
                    continue;
                }
                Some(left) => *left -= 1,
                None => {}
            }
            changed.push(match token {
                TokenTree::Group(group) => {
                    Group::new(group.delimiter(), self.within(group.stream(), left, corpus)).into()
                }
                token => token,
            });
        }
        changed.into_iter().collect()
    }

    fn change(
        &self,
        token: TokenTree,
        rest: &mut impl Iterator<Item = TokenTree>,
        changed: &mut Vec<TokenTree>,
        corpus: &[Case],
    ) {
        let pooled = || self.choice.get(&POOL).parse::<TokenStream>().expect("tokens");
        match (self.change, token) {
            (Change::Delete, _) => {}
            (Change::Duplicate, token) => changed.extend([token.clone(), token]),
            (Change::Swap, token) => {
                changed.extend(rest.next());
                changed.push(token);
            }
            (Change::Replace, _) => changed.extend(pooled()),
            (Change::Insert, token) => {
                changed.extend(pooled());
                changed.push(token);
            }
            (Change::Delimit, TokenTree::Group(group)) => {
                changed.push(Group::new(self.delimiter(), group.stream()).into());
            }
            (Change::Unwrap, TokenTree::Group(group)) => changed.extend(group.stream()),
            (Change::Delimit | Change::Unwrap | Change::Wrap, token) => {
                changed.push(Group::new(self.delimiter(), token.into()).into());
            }
            (Change::Splice, _) => {
                let all = flat(self.choice.get(corpus).tokens.clone());
                changed.push(self.other.get(&all).clone());
            }
        }
    }

    fn delimiter(&self) -> Delimiter {
        *self.choice.get(&[Delimiter::None, Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket])
    }
}

/// All tokens, those in groups too.
fn flat(tokens: TokenStream) -> Vec<TokenTree> {
    let mut all = Vec::new();
    for token in tokens {
        let inside = match &token {
            TokenTree::Group(group) => flat(group.stream()),
            _ => Vec::new(),
        };
        all.push(token);
        all.extend(inside);
    }
    all
}

fn size(tokens: &TokenStream) -> usize {
    flat(tokens.clone()).len()
}
