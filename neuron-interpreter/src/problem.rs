//! Errors and warnings about a declaration, as the compiler shows them.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level as Title, Renderer, Snippet};
use neuron_codegen::report::{Diagnostic, Report};
use proc_macro2::{LexError, Span};

/// The severity of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The declaration is rejected.
    Error,
    /// The declaration is accepted, but probably not as meant.
    Warning,
}

impl Level {
    /// `error` or `warning`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// An error or a warning, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its severity.
    pub level: Level,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do about it.
    pub hints: Vec<String>,
    /// The line of its first character, from 1.
    pub line: usize,
    /// The column of that character, from 1.
    pub column: usize,
    /// Its place in the source.
    pub bytes: Range<usize>,
}

impl Problem {
    /// Of a diagnostic. `call` is where the macro is named, for what has no place of its own: that something is missing.
    pub fn new(diagnostic: &Diagnostic, level: Level, call: Range<usize>, source: &str) -> Self {
        let (start, end) = (diagnostic.extent.start.byte_range(), diagnostic.extent.end.byte_range());
        let bytes = if start.is_empty() { call } else { start.start..end.end.max(start.end) };
        Self::at(level, diagnostic.message.clone(), diagnostic.hints.clone(), bytes, source)
    }

    /// Of all diagnostics of a report.
    pub fn all<'a>(
        report: &'a Report,
        level: Level,
        call: &Range<usize>,
        source: &'a str,
    ) -> impl Iterator<Item = Self> + use<'a> {
        let call = call.clone();
        report.iter().map(move |diagnostic| Self::new(diagnostic, level, call.clone(), source))
    }

    /// What keeps the source from being read.
    pub fn not_rust(error: &LexError, source: &str) -> Self {
        let hints = vec!["brackets, quotes and comments have to be closed".to_owned()];
        let span: Span = error.span();
        Self::at(Level::Error, format!("this is not Rust: {error}"), hints, span.byte_range(), source)
    }

    /// At a place in the source.
    pub fn at(level: Level, message: String, hints: Vec<String>, bytes: Range<usize>, source: &str) -> Self {
        let before = source.get(..bytes.start).unwrap_or_default();
        let (line, column) =
            (before.matches('\n').count() + 1, before.chars().rev().take_while(|c| *c != '\n').count() + 1);
        Self { level, message, hints, line, column, bytes }
    }

    /// With the lines of the source and the hints; in colour for a terminal.
    pub fn render(&self, file: Option<&str>, source: &str, in_colour: bool) -> String {
        let level = match self.level {
            Level::Error => Title::ERROR,
            Level::Warning => Title::WARNING,
        };
        let place = AnnotationKind::Primary.span(self.bytes.clone());
        let snippet = Snippet::source(source).annotation(place);
        let snippet = match file {
            Some(file) => snippet.path(file),
            None => snippet,
        };
        let group = Group::with_title(level.primary_title(&self.message)).element(snippet);
        let group = group.elements(self.hints.iter().map(|hint| Title::HELP.message(hint)));
        let renderer = if in_colour { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }
}

/// Why there is no neuron: all mistakes of a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes {
    problems: Vec<Problem>,
    source: String,
}

impl Mistakes {
    /// Those in `source`.
    pub(crate) fn new(problems: Vec<Problem>, source: &str) -> Self {
        Self { problems, source: source.to_owned() }
    }

    /// Each of them, in the order of the source; at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The text that they are in.
    pub fn source(&self) -> &str {
        &self.source
    }
}

/// Each with the lines of the source that it is about, and its hints.
impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.problems.iter().enumerate() {
            let separator = if place == 0 { "" } else { "\n\n" };
            write!(f, "{separator}{}", problem.render(None, &self.source, false))?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}
