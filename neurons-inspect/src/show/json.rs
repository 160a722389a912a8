//! A neuron as JSON. Fields are added to it, never changed.

use std::collections::BTreeMap;
use std::io::Write;

use neuron_codegen::latex::{self, Row};
use neuron_runtime::{BufferSpec, Equation, Format, Spec};
use serde::Serialize;

use super::kernels::Compiled;
use crate::Error;
use crate::bytes::Bytes;
use crate::derivation::Derivation;
use crate::list::Entry;

/// Everything about a neuron but the text of its kernels.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    entry: Entry,
    declaration: &'static str,
    equations: Vec<Line>,
    derivatives: Vec<Line>,
    latex: Latex,
    signatures: Vec<SignatureEntry>,
    kernels: Vec<String>,
    compiled: &'a [Compiled],
}

#[derive(Serialize)]
struct Line {
    name: &'static str,
    expr: &'static str,
}

#[derive(Serialize)]
struct Latex {
    equations: Vec<LatexLine>,
    derivatives: Vec<LatexLine>,
}

#[derive(Serialize)]
struct LatexLine {
    left: String,
    right: String,
    note: Option<String>,
}

#[derive(Serialize)]
struct SignatureEntry {
    template: &'static str,
    inputs: Vec<Buffer>,
    outputs: Vec<Buffer>,
    bytes: BTreeMap<&'static str, Bytes>,
}

#[derive(Serialize)]
struct Buffer {
    name: &'static str,
    class: String,
    extent: String,
}

pub fn write(
    spec: &'static Spec,
    derivation: &Derivation,
    compiled: &[Compiled],
    out: &mut dyn Write,
) -> Result<(), Error> {
    let line = |equation: &Equation| Line { name: equation.name, expr: equation.expr };
    let latex_line = |Row { left, right, note }| LatexLine { left, right, note };
    let derived = &derivation.derived;
    let signatures = spec.signatures.iter().map(|signature| SignatureEntry {
        template: signature.template.name(),
        inputs: signature.inputs.iter().map(buffer).collect(),
        outputs: signature.outputs.iter().map(buffer).collect(),
        bytes: Format::ALL.into_iter().map(|format| (format.name(), Bytes::of(signature, format))).collect(),
    });
    let document = Document {
        entry: Entry::new(spec),
        declaration: spec.declaration,
        equations: spec.equations.iter().map(line).collect(),
        derivatives: spec.derivatives.iter().map(line).collect(),
        latex: Latex {
            equations: latex::equations(derived).into_iter().map(latex_line).collect(),
            derivatives: latex::derivatives(derived).into_iter().map(latex_line).collect(),
        },
        signatures: signatures.collect(),
        kernels: derivation.programs.iter().map(|program| program.variant.name()).collect(),
        compiled,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    Ok(writeln!(out)?)
}

fn buffer(buffer: &BufferSpec) -> Buffer {
    Buffer { name: buffer.name, class: buffer.class.to_string(), extent: buffer.extent.to_string() }
}
