//! Compares neurons with what independent software computed.
//!
//! A reference case is a `.safetensors` file with a neuron, its parameters, inputs, outputs and gradients; see
//! `tests/reference/README.md`. Its neuron is one of the `neurons` crate or, if a simulator is named, of
//! `neurons-dialects`. Each case is run in `f64` and in `f32`, over the whole sequence and step by
//! step, and gives one line of the report for each. A trace of a simulator is run step by step in `f64`.

mod case;
mod check;
mod command;
mod compare;
mod dialect;
mod file;
mod malformed;
mod names;
mod report;
mod trace;
mod vector;

use std::io::{self, Write};
use std::path::Path;

use neurons::{DeclaredNeuron, Device, Element, Error};

use crate::declared::{Visit, every_neuron};

pub use case::Case;
pub use command::main;
pub use compare::{Quantity, Spikes};
pub use file::Reference;
pub use malformed::Malformed;
pub use report::{Row, Tally, Verdict};
pub use trace::Trace;

use case::Settings;
use compare::Tolerance;

/// The formats that each case is run in.
const FORMATS: [&str; 2] = [<f64 as Element>::NAME, <f32 as Element>::NAME];

/// Checks every reference file in `folder` on `device` and writes a line for each and format to `report`, then the tally.
///
/// # Errors
/// The folder cannot be read, or the report not be written. What is wrong with a file is in its line.
pub fn run(folder: &Path, device: &Device, report: &mut impl Write) -> io::Result<Tally> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "safetensors") {
            files.push(path);
        }
    }
    files.sort();
    let mut tally = Tally::default();
    for file in files {
        for row in rows(&file, device) {
            tally.count(&row);
            writeln!(report, "{row}")?;
        }
    }
    writeln!(report, "{tally}")?;
    Ok(tally)
}

/// Checks one reference file: a row for each format, or a single one if it cannot be read.
pub fn rows(path: &Path, device: &Device) -> Vec<Row> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let row = |dtype, verdict| Row {
        case: name.clone(),
        backend: device.to_string(),
        dtype,
        spikes: Spikes::default(),
        quantities: Vec::new(),
        verdict,
    };
    let case = match Reference::read(path) {
        Err(malformed) => return vec![row("-", Verdict::Fail(malformed.to_string()))],
        Ok(Reference::Trace(trace)) => {
            let dtype = <f64 as Element>::NAME;
            return vec![match trace::check(&trace, device) {
                Ok(Some(quantities)) => {
                    let off = quantities.iter().find(|q| !Tolerance::TRACE.allows(q));
                    let verdict =
                        off.map_or(Verdict::Pass, |q| Verdict::Fail(format!("`{}` {}", q.name, q.place)));
                    Row { quantities, ..row(dtype, verdict) }
                }
                Ok(None) => {
                    row(dtype, Verdict::Unsupported(format!("no neuron for traces of `{}`", trace.model)))
                }
                Err(error) => row(dtype, Verdict::Fail(error.to_string())),
            }];
        }
        Ok(Reference::Undeclared { neuron }) => return undeclared(&neuron, row),
        Ok(Reference::Case(case)) => case,
    };
    let mut finder = Finder { case: &case, device, measured: None };
    match case.settings {
        Settings::Vector { .. } => every_neuron(&mut finder),
        Settings::Dialect { .. } => every_dialect(&mut finder),
    }
    let Some(measured) = finder.measured else { return undeclared(&case.neuron, row) };
    let finish = |(dtype, measured): (&'static str, Result<check::Measured, check::Failure>)| match measured {
        Ok(measured) => {
            let verdict = measured.verdict();
            Row { spikes: measured.spikes, quantities: measured.quantities, ..row(dtype, verdict) }
        }
        Err(check::Failure::Run(error)) if is_unsupported(&error) => {
            row(dtype, Verdict::Unsupported(error.to_string()))
        }
        Err(check::Failure::Unresolved(reason)) => row(dtype, Verdict::Unsupported(reason)),
        Err(check::Failure::NotComputed(tensor)) => {
            row(dtype, Verdict::Unsupported(format!("nothing computes `{tensor}`")))
        }
        Err(error) => row(dtype, Verdict::Fail(error.to_string())),
    };
    FORMATS.into_iter().zip(measured).map(finish).collect()
}

fn undeclared(neuron: &str, row: impl Fn(&'static str, Verdict) -> Row) -> Vec<Row> {
    let reason = format!("no neuron `{neuron}` is declared");
    FORMATS.map(|dtype| row(dtype, Verdict::Unsupported(reason.clone()))).into()
}

/// Whether a case asks for something that there is not, rather than for something wrong.
fn is_unsupported(error: &Error) -> bool {
    matches!(
        error,
        Error::UnknownParameter { .. } | Error::UnknownSurrogate { .. } | Error::ResetNotDeclared { .. }
    )
}

/// Runs a case with the neuron that it names: `lif` is `Lif`.
struct Finder<'c> {
    case: &'c Case,
    device: &'c Device,
    measured: Option<[Result<check::Measured, check::Failure>; 2]>,
}

impl Finder<'_> {
    fn measure<N: DeclaredNeuron>(&mut self) {
        self.measured = Some([
            check::check::<N, f64>(self.case, self.device),
            check::check::<N, f32>(self.case, self.device),
        ]);
    }
}

impl Visit for Finder<'_> {
    fn visit<N: DeclaredNeuron>(&mut self) {
        // What the cases call Izhikevich's neuron is SpikingJelly's form of it.
        let name = if self.case.neuron == "izhikevich" { "AdaptiveQif" } else { &self.case.neuron };
        if neurons::zoo::is_called(N::SPEC, name) {
            self.measure::<N>();
        }
    }
}

/// Runs the case with the neuron of another simulator that it names.
fn every_dialect(finder: &mut Finder<'_>) {
    macro_rules! measure {
        ($($name:literal => $module:ident::$neuron:ident),+) => {
            match finder.case.neuron.as_str() {
                $($name => finder.measure::<neurons_dialects::$module::$neuron>(),)+
                _ => {}
            }
        };
    }
    neurons_dialects::with_dialects!(measure);
}
