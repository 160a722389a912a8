//! Declarations as text: from their tokens, for people to look at and for tools to read again; and whether a text can be
//! read.

use proc_macro2::{Delimiter, LineColumn, Span, TokenStream, TokenTree};

use crate::syntax::fragments;

/// What was written, laid out as in the source: lines, indentation and doc comments are kept, other comments are not
/// among the tokens. Tokens that another macro made have no places of their own and are written one after another,
/// fragments that it was given in parentheses where these are needed.
///
/// To parse the text gives the same tokens again.
pub fn text(tokens: &TokenStream) -> String {
    let tokens = fragments::written(tokens.clone());
    let mut layout = Layout::default();
    match layout.tokens(&tokens) {
        Some(()) => layout.text,
        None => tokens.to_string(),
    }
}

/// How many brackets may be open at once in a text that is read: for each, what reads it calls itself.
pub const MAX_OPEN: usize = 256;

/// The mistake of a text in which more are.
pub const TOO_DEEP: &str = "brackets are nested more than 256 deep";

/// Where more brackets are open than may be, as an offset in bytes. Brackets in strings and comments count, too.
pub fn too_deep(text: &str) -> Option<usize> {
    let mut open = 0usize;
    text.bytes().position(|byte| {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > MAX_OPEN
    })
}

/// A text that grows token by token, each at its place.
#[derive(Default)]
struct Layout {
    text: String,
    /// Where the last token ended.
    end: Option<LineColumn>,
    /// The column that lines are indented from.
    margin: usize,
    /// Whether the next token belongs to the last one: the second half of `>=`.
    joint: bool,
}

impl Layout {
    /// `None` if the places of the tokens are not in order.
    fn tokens(&mut self, tokens: &TokenStream) -> Option<()> {
        let mut tokens = tokens.clone().into_iter();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::None => return None,
                    };
                    self.token(open, group.span_open())?;
                    self.tokens(&group.stream())?;
                    self.token(close, group.span_close())?;
                }
                TokenTree::Punct(punct) => match comment(&punct) {
                    // The comment is two tokens, the second one is `[doc = ".."]`.
                    Some(comment) => {
                        self.token(&comment, punct.span())?;
                        tokens.next();
                    }
                    None => {
                        self.token(&punct.to_string(), punct.span())?;
                        self.joint = punct.spacing() == proc_macro2::Spacing::Joint;
                    }
                },
                token => self.token(&token.to_string(), token.span())?,
            }
        }
        Some(())
    }

    fn token(&mut self, text: &str, span: Span) -> Option<()> {
        let (start, end) = (span.start(), span.end());
        match self.end {
            // Without places, all of them are the same.
            _ if start == end => return None,
            None => self.margin = start.column,
            Some(_) if std::mem::take(&mut self.joint) => {}
            Some(last) if start < last => return None,
            Some(last) if start.line == last.line => {
                self.text.extend(std::iter::repeat_n(' ', start.column - last.column));
            }
            Some(last) => {
                self.text.extend(std::iter::repeat_n('\n', (start.line - last.line).min(2)));
                self.text.extend(std::iter::repeat_n(' ', start.column.saturating_sub(self.margin)));
            }
        }
        self.text.push_str(text);
        self.end = Some(end);
        Some(())
    }
}

/// The doc comment that begins with this token, as it was written.
fn comment(punct: &proc_macro2::Punct) -> Option<String> {
    let text = (punct.as_char() == '#').then(|| punct.span().source_text())??;
    // A line's comment ends where the line does.
    (text.starts_with("//") || text.starts_with("/*")).then(|| text.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use proc_macro2::Group;

    use super::*;

    #[test]
    fn keeps_the_layout() {
        let source = "\
/// Leaky.
///
/// By hand.
pub struct A {
    /// Time constant.
    param tau = 2.0 where tau >= 1.0;


    let z = if v > 0.0 {
        (v + x) / tau
    } else { -x };
    charge = z^2; reset hard | soft;
}";
        let indented = source.replace('\n', "\n    ");
        let tokens: TokenStream = format!("fn f() {{\n    {indented}\n}}").parse().unwrap();
        let Some(TokenTree::Group(body)) = tokens.into_iter().last() else { panic!("a body") };
        assert_eq!(text(&body.stream()), source.replace("\n\n\n", "\n\n"));
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| format!("a + {}x{}", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(too_deep(&nested(MAX_OPEN)), None);
        assert_eq!(too_deep(&nested(MAX_OPEN + 1)), Some(4 + MAX_OPEN));
        assert_eq!(too_deep(&")(".repeat(2 * MAX_OPEN)), None);
    }

    #[test]
    fn other_comments_are_not_there() {
        let tokens: TokenStream = "struct A { // one\n  charge = /* two */ x; reset hard; }".parse().unwrap();
        assert_eq!(text(&tokens), "struct A {\n  charge =           x; reset hard; }");
    }

    #[test]
    fn tokens_without_places() {
        let sum: TokenStream = "x + v".parse().unwrap();
        let sum = TokenTree::Group(Group::new(Delimiter::None, sum));
        let tokens = quote::quote! { struct A { charge = 2.0 * #sum; reset hard; } };
        assert_eq!(text(&tokens), "struct A { charge = 2.0 * (x + v) ; reset hard ; }");
    }
}
