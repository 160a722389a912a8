//! `neurons list`: what there is.

use std::io::Write;

use neuron_runtime::{Image, ParamKind, Reset, Spec};
use serde::Serialize;

use crate::output::{NAME, QUIET};
use crate::{Error, Neurons, units};

/// A neuron in one record. Fields are added to it, never changed.
#[derive(Debug, Serialize)]
pub struct Entry {
    name: &'static str,
    summary: String,
    inputs: &'static [&'static str],
    states: Vec<&'static str>,
    output: &'static str,
    parameters: Vec<Parameter>,
    flags: Vec<Flag>,
    resets: Vec<String>,
    kept: &'static [&'static str],
    templates: Vec<&'static str>,
    images: Vec<EmbeddedImage>,
}

#[derive(Debug, Serialize)]
struct Parameter {
    name: &'static str,
    kind: &'static str,
    default: f64,
    range: &'static str,
    doc: String,
}

#[derive(Debug, Serialize)]
struct Flag {
    name: &'static str,
    default: bool,
    doc: String,
}

#[derive(Debug, Serialize)]
struct EmbeddedImage {
    format: &'static str,
    target: String,
    bytes: usize,
}

impl Entry {
    pub fn new(spec: &'static Spec) -> Self {
        let parameters = spec.params.iter().map(|param| Parameter {
            name: param.name,
            kind: param.kind.keyword(),
            default: param.default,
            range: param.range,
            doc: units::summary(param.doc),
        });
        let flags = spec.flags.iter().map(|flag| {
            let (name, default, doc) = (flag.name, flag.default, units::summary(flag.doc));
            Flag { name, default, doc }
        });
        let image = |image: &Image| EmbeddedImage {
            format: image.format.name(),
            target: image.target.to_string(),
            bytes: image.compressed.len(),
        };
        Self {
            name: spec.name,
            summary: units::summary(spec.doc),
            inputs: spec.inputs,
            states: spec.states.iter().map(|state| state.name).collect(),
            output: spec.output,
            parameters: parameters.collect(),
            flags: flags.collect(),
            resets: spec.resets.iter().map(Reset::to_string).collect(),
            kept: spec.factors,
            templates: spec.signatures.iter().map(|signature| signature.template.name()).collect(),
            images: spec.cuda.images().iter().map(image).collect(),
        }
    }
}

/// The targets of its embedded kernels: `sm_80, sm_90, compute_80`.
pub fn targets(spec: &Spec) -> String {
    let mut targets: Vec<String> = Vec::new();
    for target in spec.cuda.images().iter().map(|image| image.target.to_string()) {
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    if targets.is_empty() { "source only".to_owned() } else { targets.join(", ") }
}

pub fn list(neurons: &Neurons, json: bool, out: &mut dyn Write) -> Result<(), Error> {
    if json {
        let entries: Vec<Entry> = neurons.iter().map(|neuron| Entry::new(neuron.spec())).collect();
        serde_json::to_writer_pretty(&mut *out, &entries)?;
        return Ok(writeln!(out)?);
    }
    for neuron in neurons.iter() {
        let spec = neuron.spec();
        let row = |out: &mut dyn Write, what: &str, items: Vec<String>| {
            if items.is_empty() {
                return Ok(());
            }
            writeln!(out, "  {QUIET}{what:11}{QUIET:#} {}", items.join(", "))
        };
        writeln!(out, "{NAME}{}{NAME:#}  {}", spec.name, first_sentence(spec.doc))?;
        row(out, "states", spec.states.iter().map(|state| state.name.to_owned()).collect())?;
        let inputs = spec.inputs.iter().map(|input| (*input).to_owned()).collect();
        row(out, "inputs", if spec.inputs.len() > 1 { inputs } else { Vec::new() })?;
        let params = spec.params.iter().map(|param| match param.kind {
            ParamKind::Scalar => format!("{} = {}", param.name, param.default),
            kind => format!("{} {} = {}", kind.keyword(), param.name, param.default),
        });
        let flags = spec.flags.iter().map(|flag| format!("{} = {}", flag.name, flag.default));
        row(out, "parameters", params.chain(flags).collect())?;
        let resets = spec.resets.iter().map(Reset::to_string).collect();
        row(out, "resets", if spec.fires() { resets } else { vec!["none: it does not fire".to_owned()] })?;
        row(out, "templates", spec.signatures.iter().map(|s| s.template.to_string()).collect())?;
        row(out, "kernels", vec![targets(spec)])?;
    }
    Ok(())
}

/// The first sentence of a doc comment.
pub fn first_sentence(doc: &str) -> String {
    let summary = units::summary(doc);
    // Not at `et al.,` or `eq. 5.6`: a sentence ends before a capital letter.
    let end = summary.match_indices(". ").find(|(place, _)| {
        let (before, after) = (&summary[..*place], &summary[place + 2..]);
        after.starts_with(char::is_uppercase) && !before.ends_with("al") && !before.ends_with("eq")
    });
    end.map_or(summary.clone(), |(place, _)| summary[..=place].to_owned())
}
