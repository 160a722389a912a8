//! A position in the tokens of a declaration. Cheap to copy, so looking ahead is parsing a copy.

use proc_macro2::{Delimiter, Ident, Literal, Spacing, Span, TokenTree};
use syn::buffer::Cursor;

use crate::report::Extent;

/// Operators of two characters, including those of Rust and other languages that are not part of this
/// one: to say so, they have to be recognised.
const LONG: [&str; 18] = [
    "&&", "||", "<=", ">=", "==", "!=", "+=", "-=", "*=", "/=", "^=", "**", "->", "=>", "..", "::", "<<",
    ">>",
];

/// The tokens from some position to the end of their group.
#[derive(Clone, Copy)]
pub struct Tokens<'a> {
    cursor: Cursor<'a>,
    /// What closes the group, to point at when something is missing at its end.
    close: Span,
    /// The token before the position, to point at when something is missing after it.
    previous: Span,
}

impl<'a> Tokens<'a> {
    /// All tokens of `cursor`, in a group between `open` and `close`.
    pub fn new(cursor: Cursor<'a>, open: Span, close: Span) -> Self {
        Self { cursor, close, previous: open }
    }

    /// Whether the group ends here.
    pub fn is_empty(&self) -> bool {
        self.cursor.eof()
    }

    /// Where the next token is, or what closes the group.
    pub fn extent(&self) -> Extent {
        if let Some((_, extent, _)) = self.operator() {
            return extent;
        }
        match self.cursor.token_tree() {
            Some((TokenTree::Group(group), _)) => group.span_open().into(),
            Some((token, _)) => token.span().into(),
            None => self.close.into(),
        }
    }

    /// The token before this position.
    pub fn previous(&self) -> Span {
        self.previous
    }

    /// The next token, for a message: `` `x` `` or `the end`.
    pub fn describe(&self) -> String {
        if let Some((operator, ..)) = self.operator() {
            return format!("`{operator}`");
        }
        match self.cursor.token_tree() {
            Some((TokenTree::Group(group), _)) => match group.delimiter() {
                Delimiter::Parenthesis => "`(`".into(),
                Delimiter::Brace => "`{`".into(),
                Delimiter::Bracket => "`[`".into(),
                Delimiter::None => format!("`{}`", group.stream()),
            },
            Some((token, _)) => format!("`{token}`"),
            None => "the end".into(),
        }
    }

    /// The next token, any, and the position behind it.
    pub fn skip(&mut self) -> Option<TokenTree> {
        let (token, rest) = self.cursor.token_tree()?;
        self.previous = match &token {
            TokenTree::Group(group) => group.span_close(),
            token => token.span(),
        };
        self.cursor = rest;
        Some(token)
    }

    /// The next identifier or keyword, if it is one; the position does not change.
    pub fn peek_ident(&self) -> Option<Ident> {
        visible(self.cursor)?.ident().map(|(ident, _)| ident)
    }

    /// Whether the next token is this identifier or keyword.
    pub fn at(&self, word: &str) -> bool {
        self.peek_ident().is_some_and(|ident| ident == word)
    }

    /// Takes an identifier or keyword.
    pub fn ident(&mut self) -> Option<Ident> {
        let (ident, rest) = visible(self.cursor)?.ident()?;
        self.previous = ident.span();
        self.cursor = rest;
        Some(ident)
    }

    /// Takes a literal.
    pub fn literal(&mut self) -> Option<Literal> {
        let (literal, rest) = visible(self.cursor)?.literal()?;
        self.previous = literal.span();
        self.cursor = rest;
        Some(literal)
    }

    /// Takes a group, and gives its content and its delimiters.
    pub fn group(&mut self, delimiter: Delimiter) -> Option<(Self, Extent)> {
        let (inside, found, span, rest) = self.cursor.any_group()?;
        if found != delimiter {
            return None;
        }
        let extent = Extent { start: span.open(), end: span.close() };
        self.previous = span.close();
        self.cursor = rest;
        Some((Self::new(inside, span.open(), span.close()), extent))
    }

    /// Whether the next token opens such a group.
    pub fn at_group(&self, delimiter: Delimiter) -> bool {
        self.cursor.any_group().is_some_and(|(_, found, ..)| found == delimiter)
    }

    /// Whether the next operator is `operator`.
    pub fn at_operator(&self, operator: &str) -> bool {
        self.operator().is_some_and(|(found, ..)| found == operator)
    }

    /// The next operator, if it is one; the position does not change.
    pub fn peek_operator(&self) -> Option<String> {
        self.operator().map(|(operator, ..)| operator)
    }

    /// Takes `operator`.
    pub fn eat(&mut self, operator: &str) -> Option<Extent> {
        let (found, extent, rest) = self.operator()?;
        (found == operator).then(|| {
            self.previous = extent.end;
            self.cursor = rest;
            extent
        })
    }

    /// The longest operator that begins here.
    fn operator(&self) -> Option<(String, Extent, Cursor<'a>)> {
        let (first, rest) = visible(self.cursor)?.punct()?;
        if first.spacing() == Spacing::Joint
            && let Some((second, rest)) = visible(rest).and_then(Cursor::punct)
        {
            let long: String = [first.as_char(), second.as_char()].iter().collect();
            if LONG.contains(&long.as_str()) {
                return Some((long, Extent { start: first.span(), end: second.span() }, rest));
            }
        }
        Some((first.as_char().into(), first.span().into(), rest))
    }
}

/// `cursor`, unless it is at an invisible group: such a group holds together, but a cursor by itself looks into it.
fn visible(cursor: Cursor<'_>) -> Option<Cursor<'_>> {
    let is_invisible = cursor.any_group().is_some_and(|(_, delimiter, ..)| delimiter == Delimiter::None);
    (!is_invisible).then_some(cursor)
}
