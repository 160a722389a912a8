//! Text for terminals.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

/// Headings.
pub const HEADING: Style = Style::new().bold();
/// Names of neurons, kernels, options.
pub const NAME: Style = AnsiColor::Cyan.on_default();
/// What is in order.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What is not.
pub const BAD: Style = AnsiColor::Yellow.on_default();
/// What matters less.
pub const QUIET: Style = Style::new().dimmed();

/// A heading after an empty line.
pub fn heading(out: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{HEADING}{text}{HEADING:#}")
}

/// Text with every line indented.
pub fn indented(out: &mut dyn Write, text: &str) -> io::Result<()> {
    for line in text.lines() {
        writeln!(out, "{}", format!("  {line}").trim_end())?;
    }
    Ok(())
}

/// Columns as wide as they need to be, the first in colour; the first row is a heading.
pub struct Table {
    rows: Vec<Vec<String>>,
    /// Columns from this one on are numbers, to be aligned at the right.
    numbers: usize,
}

impl Table {
    /// With headings, of which those from `numbers` on are those of numbers.
    pub fn new<const N: usize>(headings: [&str; N], numbers: usize) -> Self {
        Self::of(headings.map(str::to_owned).to_vec(), numbers)
    }

    /// As [`Table::new`].
    pub fn of(headings: Vec<String>, numbers: usize) -> Self {
        Self { rows: vec![headings], numbers }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Writes it, indented by `indent`.
    pub fn write(&self, out: &mut dyn Write, indent: usize) -> io::Result<()> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (number, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                let cell =
                    if column >= self.numbers { format!("{cell:>width$}") } else { format!("{cell:width$}") };
                let style = match (number, column) {
                    (0, _) => QUIET,
                    (_, 0) => NAME,
                    _ => Style::new(),
                };
                // Trailing spaces are dropped.
                let last = column + 1 == row.len();
                let cell = if last { cell.trim_end() } else { &cell };
                line += &format!("{}{style}{cell}{style:#}", if column == 0 { "" } else { "  " });
            }
            writeln!(out, "{:indent$}{line}", "")?;
        }
        Ok(())
    }
}
