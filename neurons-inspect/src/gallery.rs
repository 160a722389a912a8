//! `neurons gallery`: a page with every neuron's equations, pictures and cost, generated, so that it stays true.

mod measurements;
mod scaling;

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use neuron_codegen::latex;
use neuron_runtime::{Format, Reset, Spec};

use crate::bytes::Bytes;
use crate::derivation::Derivation;
use crate::plot::{self, Kind, Setup};
use crate::simulate::Subject;
use neuron_runtime::Neuron;

use crate::{Error, Neurons, units};
use measurements::Measurements;

/// Where to.
#[derive(Args, Debug)]
pub struct Gallery {
    /// Directory for gallery.md and its images/
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Directory of measurements: JSON lines of the `bench` example, those over many sizes in scaling/; by default
    /// measurements/ in the output directory
    #[arg(long, value_name = "FOLDER")]
    measurements: Option<PathBuf>,
}

/// A file of the gallery.
#[derive(Clone, Debug)]
pub struct File {
    /// Below the folder of the gallery.
    pub path: String,
    /// What is in it.
    pub text: String,
}

pub(crate) fn write(neurons: &Neurons, args: &Gallery, err: &mut dyn Write) -> Result<(), Error> {
    let measurements = args.measurements.clone().unwrap_or_else(|| args.out.join("measurements"));
    let files = files(neurons, &measurements)?;
    for File { path, text } in &files {
        let path = args.out.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        }
        std::fs::write(&path, text).map_err(Error::file("write", &path))?;
    }
    Ok(writeln!(err, "wrote {} files to {}", files.len(), args.out.display())?)
}

/// The page, first, and its pictures.
///
/// # Errors
/// [`Error::Measurement`]; what drawing may fail of.
pub fn files(neurons: &Neurons, measurements: &Path) -> Result<Vec<File>, Error> {
    let scaling = scaling::draw(&measurements.join("scaling"))?;
    let measurements = Measurements::read(measurements)?;
    let mut page = String::from(include_str!("gallery/intro.md"));
    let mut files = Vec::new();
    // What is written to a string does not fail.
    let _ = writeln!(page, "{}", measurements.introduction());
    for neuron in neurons.iter() {
        page.push_str(&section(neuron, &measurements, &mut files)?);
    }
    let surrogates = "images/surrogates.svg";
    let _ = writeln!(page, "\n## Surrogates\n\n![All surrogate gradients]({surrogates})");
    files.push(File { path: surrogates.to_owned(), text: plot::surrogates()? });
    files.extend(scaling.map(|text| File { path: "images/scaling.svg".to_owned(), text }));
    files.insert(0, File { path: "gallery.md".to_owned(), text: page });
    Ok(files)
}

fn section(neuron: &dyn Neuron, measurements: &Measurements, files: &mut Vec<File>) -> Result<String, Error> {
    let spec = neuron.spec();
    let derivation = Derivation::of(spec)?;
    let equations = latex::aligned(&latex::equations(&derivation.derived));
    let mut text = format!("\n## {}\n\n{}\n", spec.name, about(spec.doc));
    let _ = writeln!(text, "\n```math\n\\begin{{aligned}}\n{equations}\n\\end{{aligned}}\n```\n");
    let setup = Setup::new(Subject::new(neuron)?)?;
    let is_coupled = spec.states.len() == 2 && setup.field.is_coupled(1);
    let kinds = [Some((Kind::Trace, "over time")), Some((Kind::Fi, "against its input"))];
    for (kind, what) in
        kinds.into_iter().chain([is_coupled.then_some((Kind::Phase, "in its phase plane"))]).flatten()
    {
        let path = format!("images/{}-{}.svg", spec.module.trim_end_matches('_'), kind.name());
        let _ = writeln!(text, "![{} {what}]({path})", spec.name);
        files.push(File { path, text: plot::draw(&setup, kind, plot::Axes::default())? });
    }
    text.push_str(&parameters(spec));
    let resets: Vec<String> = spec.resets.iter().map(Reset::to_string).collect();
    let resets = if spec.fires() { format!("{} reset", resets.join(" or ")) } else { "no spikes".to_owned() };
    let kept = match spec.factors {
        [] => "nothing".to_owned(),
        factors => factors.iter().map(|factor| format!("`{factor}`")).collect::<Vec<_>>().join(", "),
    };
    let _ = writeln!(text, "\n{}. Saved for the backward pass: {kept}.\n", capitalised(&resets));
    text.push_str(&cost(spec, measurements));
    Ok(text)
}

/// The documentation without the equations in it, which are in LaTeX here.
fn about(doc: &str) -> String {
    let mut is_code = false;
    let kept = doc.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    });
    let text = kept.map(str::trim_end).collect::<Vec<_>>().join("\n");
    let paragraphs = text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    units::unlinked(&paragraphs.collect::<Vec<_>>().join("\n\n"))
}

fn parameters(spec: &Spec) -> String {
    let mut text = String::from("\n| parameter | default | range | |\n| --- | --- | --- | --- |\n");
    for param in spec.params {
        let range = if param.range.is_empty() { String::new() } else { format!("`{}`", param.range) };
        let doc = units::unlinked(&units::paragraph(param.doc));
        let word = param.kind.keyword();
        let word = if word == "param" { String::new() } else { format!(" ({word})") };
        let _ = writeln!(text, "| `{}`{word} | {} | {range} | {doc} |", param.name, number(param.default));
    }
    for flag in spec.flags {
        let doc = units::unlinked(&units::paragraph(flag.doc));
        let _ = writeln!(text, "| `{}` | {} | flag | {doc} |", flag.name, flag.default);
    }
    text
}

fn cost(spec: &Spec, measurements: &Measurements) -> String {
    let devices: Vec<&str> = measurements.devices().collect();
    let heads: String = devices.iter().map(|device| format!(" {device} |")).collect();
    let lines: String = devices.iter().map(|_| " --- |").collect();
    let mut text = format!("| template | bytes |{heads}\n| --- | --- |{lines}\n");
    for signature in spec.signatures {
        let name = signature.template.name();
        let bytes = Bytes::of(signature, Format::F32);
        let cells: String = measurements.cells(spec.name, name).map(|cell| format!(" {cell} |")).collect();
        let _ = writeln!(text, "| `{name}` | {bytes} |{cells}");
    }
    text
}

/// A default that is the value of a formula has more digits than anybody reads.
fn number(value: f64) -> String {
    let text = value.to_string();
    if text.len() > 8 { format!("{value:.4}") } else { text }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
