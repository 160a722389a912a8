//! Errors and warnings about a declaration: collected, not thrown, so that all of them are reported at once.

use proc_macro2::{Ident, LineColumn, Span, TokenStream};
use quote::{quote, quote_spanned};

/// A stretch of source text, from its first to its last token.
///
/// Stable Rust cannot join two spans; the compiler does it when it is given both ends.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// The first token.
    pub start: Span,
    /// The last token; the same as `start` if there is only one.
    pub end: Span,
}

impl Extent {
    /// From the beginning of `self` to the end of `last`.
    pub fn to(self, last: impl Into<Self>) -> Self {
        Self { start: self.start, end: last.into().end }
    }
}

impl From<Span> for Extent {
    fn from(span: Span) -> Self {
        Self { start: span, end: span }
    }
}

impl From<&Ident> for Extent {
    fn from(ident: &Ident) -> Self {
        ident.span().into()
    }
}

/// One error or warning: what is wrong, where, and what to write instead.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Where.
    pub extent: Extent,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do about it, one line each.
    pub hints: Vec<String>,
}

impl Diagnostic {
    /// An error without hints.
    pub fn new(extent: impl Into<Extent>, message: impl Into<String>) -> Self {
        Self { extent: extent.into(), message: message.into(), hints: Vec::new() }
    }

    /// The same error with one more hint.
    pub fn help(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Line, from 1, and column, from 0, of its first character.
    pub fn position(&self) -> LineColumn {
        self.extent.start.start()
    }

    /// The message, then the hints as lines `help: ...`.
    pub fn text(&self) -> String {
        let mut text = self.message.clone();
        for hint in &self.hints {
            text.push_str("\nhelp: ");
            text.push_str(hint);
        }
        text
    }
}

/// All errors of a declaration, or all warnings, in the order of the source once [`Report::sort`] was called.
#[derive(Clone, Debug, Default)]
pub struct Report {
    diagnostics: Vec<Diagnostic>,
}

impl Report {
    /// Adds an error.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Whether there are no errors.
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// The errors.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.diagnostics.iter()
    }

    /// Forgets all errors but the first `count` that were added.
    pub fn truncate(&mut self, count: usize) {
        self.diagnostics.truncate(count);
    }

    /// Brings the errors into the order of the source and drops repetitions.
    pub fn sort(&mut self) {
        // Stable: of two errors at one place, the one found first comes first.
        self.diagnostics.sort_by_key(Diagnostic::position);
        self.diagnostics.dedup_by(|b, a| a.position() == b.position() && a.message == b.message);
    }

    /// One `compile_error!` an error, as items at the user's spans.
    pub fn to_compile_error(&self) -> TokenStream {
        self.diagnostics
            .iter()
            .map(|diagnostic| {
                let Extent { start, end } = diagnostic.extent;
                let text = diagnostic.text();
                // The compiler underlines from the first token of the macro call to its last.
                let path = quote_spanned!(start=> ::core::compile_error!);
                let message = quote_spanned!(end=> { #text });
                quote!(#path #message)
            })
            .collect()
    }

    /// One warning of the compiler each, at the user's spans. `levels` are attributes such as `#[allow(..)]`.
    ///
    /// Stable Rust has no warnings for macros; what comes closest is the use of something deprecated, which is
    /// reported with a text of our own. The lint underlines a single token, the first one.
    pub fn to_warnings(&self, levels: &TokenStream) -> TokenStream {
        self.diagnostics
            .iter()
            .map(|diagnostic| {
                let text = diagnostic.text();
                let warning = Ident::new("warning", diagnostic.extent.start);
                quote! {
                    #levels
                    const _: () = {
                        #[deprecated(note = #text)]
                        #[allow(non_upper_case_globals)]
                        const warning: () = ();
                        #warning
                    };
                }
            })
            .collect()
    }
}

impl<'a> IntoIterator for &'a Report {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
