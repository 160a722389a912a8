//! What a run found, as people read it.

use std::fmt;

use super::compare::{Quantity, Spikes};

/// What came of a case in one format.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Everything is within tolerance.
    Pass,
    /// Something is not, or the file is malformed: which.
    Fail(String),
    /// The case asks for something that there is not: what.
    Unsupported(String),
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Name of the file, without extension.
    pub case: String,
    /// What computed: `cpu`.
    pub backend: String,
    /// In which format: `f32`, `f64`; `-` if the file could not be read.
    pub dtype: &'static str,
    /// Comparison of the spikes.
    pub spikes: Spikes,
    /// Comparison of everything else.
    pub quantities: Vec<Quantity>,
    /// What came of it.
    pub verdict: Verdict,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:36} {} {:3}  ", self.case, self.backend, self.dtype)?;
        if self.spikes.compared > 0 {
            write!(f, "{}  ", self.spikes)?;
        }
        for quantity in &self.quantities {
            write!(f, "{quantity}  ")?;
        }
        match &self.verdict {
            Verdict::Pass => f.write_str("pass"),
            Verdict::Fail(reason) => write!(f, "FAIL: {reason}"),
            Verdict::Unsupported(reason) => write!(f, "unsupported: {reason}"),
        }
    }
}

/// How many of which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Lines that passed.
    pub passed: usize,
    /// Lines that failed.
    pub failed: usize,
    /// Lines that could not be compared.
    pub unsupported: usize,
}

impl Tally {
    /// Counts one line.
    pub fn count(&mut self, row: &Row) {
        match row.verdict {
            Verdict::Pass => self.passed += 1,
            Verdict::Fail(_) => self.failed += 1,
            Verdict::Unsupported(_) => self.unsupported += 1,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} unsupported", self.passed, self.failed, self.unsupported)
    }
}
