//! Errors and warnings as the compiler shows them.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use neuron_codegen::report::Diagnostic;
use proc_macro2::Span;
use serde::Serialize;

/// An error or a warning, and where.
#[derive(Serialize)]
pub struct Problem {
    level: &'static str,
    message: String,
    hints: Vec<String>,
    /// From 1, as are columns.
    line: usize,
    column: usize,
    #[serde(skip)]
    bytes: Range<usize>,
}

const ERROR: &str = "error";
const WARNING: &str = "warning";

impl Problem {
    /// `call` is where the macro is named, for what has no place of its own: that something is missing.
    pub fn new(diagnostic: &Diagnostic, is_error: bool, call: Span, source: &str) -> Self {
        let (start, end) = (diagnostic.extent.start.byte_range(), diagnostic.extent.end.byte_range());
        let bytes = if start.is_empty() { call.byte_range() } else { start.start..end.end.max(start.end) };
        let level = if is_error { ERROR } else { WARNING };
        Self::at(level, diagnostic.message.clone(), diagnostic.hints.clone(), bytes, source)
    }

    /// What keeps the file from being read.
    pub fn not_rust(span: Span, message: &str, source: &str) -> Self {
        let hints = vec!["brackets, quotes and comments have to be closed".to_owned()];
        Self::at(ERROR, format!("this is not Rust: {message}"), hints, span.byte_range(), source)
    }

    fn at(
        level: &'static str,
        message: String,
        hints: Vec<String>,
        bytes: Range<usize>,
        source: &str,
    ) -> Self {
        let before = source.get(..bytes.start).unwrap_or_default();
        let (line, column) =
            (before.matches('\n').count() + 1, before.chars().rev().take_while(|c| *c != '\n').count() + 1);
        Self { level, message, hints, line, column, bytes }
    }

    /// Whether it keeps the neuron from being compiled.
    pub fn is_error(&self) -> bool {
        self.level == ERROR
    }

    /// With the lines of the source, in colour: whoever writes it removes that where it does not belong.
    pub fn render(&self, file: &str, source: &str) -> String {
        let level = if self.is_error() { Level::ERROR } else { Level::WARNING };
        let place = AnnotationKind::Primary.span(self.bytes.clone());
        let snippet = Snippet::source(source).path(file).annotation(place);
        let group = Group::with_title(level.primary_title(&self.message)).element(snippet);
        let group = group.elements(self.hints.iter().map(|hint| Level::HELP.message(hint)));
        Renderer::styled().render(&[group])
    }
}
