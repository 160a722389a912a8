//! Source text, a line at a time, indented.

use std::fmt::Write;

/// Source text that is being written.
#[derive(Debug, Default)]
pub(crate) struct Text {
    pub text: String,
    pub depth: usize,
}

impl Text {
    /// Adds a line at the current depth.
    pub fn line(&mut self, line: impl AsRef<str>) {
        let _ = writeln!(self.text, "{:1$}{2}", "", 4 * self.depth, line.as_ref());
    }

    /// Adds a line that opens a block.
    pub fn open(&mut self, line: impl AsRef<str>) {
        self.line(line);
        self.depth += 1;
    }

    /// Closes a block.
    pub fn close(&mut self) {
        self.close_with("}");
    }

    /// Closes a block with more than a brace.
    pub fn close_with(&mut self, line: &str) {
        self.depth -= 1;
        self.line(line);
    }
}
