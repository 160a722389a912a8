//! Compares neurons with numbers from independent software.
//!
//! A case is a `.safetensors` file in the form that `tests/reference/README.md` describes. Every case is
//! run in float64 and float32, in each of the ways that the templates offer: multi-step and step by step,
//! with and without gradient; every output and gradient is compared.

mod case;
mod compare;
mod report;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use case::{Case, CaseError};
pub use report::{Row, Tally, Verdict};

use compare::compare;
use neurons::{Eif, If, Lif, Neuron, Qif};

/// Runs every case in `folder`, writes a line for each case and format to `out`, then the tally.
///
/// # Errors
/// The folder cannot be read, or `out` not be written to. What is wrong with a case is in its line.
pub fn run(folder: &Path, out: &mut impl Write) -> io::Result<Tally> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "safetensors"));
    files.sort();
    let mut tally = Tally::default();
    for file in files {
        for row in rows(&file) {
            writeln!(out, "{row}")?;
            tally.count(&row.verdict);
        }
    }
    writeln!(out, "{tally}")?;
    Ok(tally)
}

/// The results of one file: float64 and float32.
pub fn rows(file: &Path) -> Vec<Row> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let row = |dtype: &'static str, verdict| Row { name: name.clone(), backend: "cpu", dtype, verdict };
    let case = match Case::read(file) {
        Ok(case) => case,
        Err(CaseError::Unsupported(reason)) => return vec![row("-", Verdict::Unsupported(reason))],
        Err(CaseError::Malformed(reason)) => {
            return vec![row("-", Verdict::Failed { reason, results: vec![] })];
        }
    };
    vec![row("f64", dispatch::<f64>(&case)), row("f32", dispatch::<f32>(&case))]
}

/// Runs a case with the neuron that it is about.
fn dispatch<E: compare::Tolerance>(case: &Case) -> Verdict {
    match case.neuron.as_str() {
        "if" => check::<If, E>(case),
        "lif" => check::<Lif, E>(case),
        "qif" => check::<Qif, E>(case),
        "eif" => check::<Eif, E>(case),
        other => Verdict::Unsupported(format!("no neuron `{other}` is declared")),
    }
}

fn check<N: Neuron, E: compare::Tolerance>(case: &Case) -> Verdict {
    match case.configure::<N>() {
        Ok((neuron, gradient)) => compare::<N, E>(case, &neuron, gradient),
        Err(CaseError::Unsupported(reason)) => Verdict::Unsupported(reason),
        Err(CaseError::Malformed(reason)) => Verdict::Failed { reason, results: vec![] },
    }
}
