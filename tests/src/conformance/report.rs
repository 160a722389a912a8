//! What came out of a case, as text.

use std::fmt;

/// One case in one format on one backend.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The file, without extension.
    pub name: String,
    /// Where it ran.
    pub backend: &'static str,
    /// The format of the data.
    pub dtype: &'static str,
    /// What came out.
    pub verdict: Verdict,
}

/// What came out.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Everything is as expected.
    Passed(Vec<Compared>),
    /// Something is not.
    Failed {
        /// What.
        reason: String,
        /// All that was compared.
        results: Vec<Compared>,
    },
    /// It asks for something that is not there.
    Unsupported(String),
}

/// One output or gradient, over all ways to compute it.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The name of the tensor.
    pub name: String,
    /// The largest absolute difference.
    pub absolute: f64,
    /// That, relative to the largest magnitude expected.
    pub relative: f64,
}

/// How many cases came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Everything as expected.
    pub passed: usize,
    /// Something not.
    pub failed: usize,
    /// Not run.
    pub unsupported: usize,
}

impl Tally {
    /// Counts one more.
    pub fn count(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Passed(_) => self.passed += 1,
            Verdict::Failed { .. } => self.failed += 1,
            Verdict::Unsupported(_) => self.unsupported += 1,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} unsupported", self.passed, self.failed, self.unsupported)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:34} {} {:3}  ", self.name, self.backend, self.dtype)?;
        let results = match &self.verdict {
            Verdict::Passed(results) => {
                f.write_str("pass")?;
                results
            }
            Verdict::Failed { reason, results } => {
                write!(f, "FAIL: {reason}")?;
                results
            }
            Verdict::Unsupported(reason) => return write!(f, "unsupported: {reason}"),
        };
        for result in results {
            if result.name == "spike_seq" {
                let equal = if result.absolute == 0.0 { "equal" } else { "NOT equal" };
                write!(f, "  spikes {equal}")?;
            } else {
                write!(f, "  {} abs {:.1e} rel {:.1e}", result.name, result.absolute, result.relative)?;
            }
        }
        Ok(())
    }
}
