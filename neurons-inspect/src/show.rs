//! `neurons show`: what a neuron is and what was generated for it.

mod json;
mod kernels;

use std::io::Write;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use neuron_codegen::emit::{cuda, rust};
use neuron_codegen::latex;
use neuron_runtime::{Equation, Format, Reset, Spec, Surrogate};

use crate::bytes::Bytes;
use crate::derivation::Derivation;
use crate::neuron::{Declared, File, in_file};
use crate::output::{HEADING, QUIET, Table, heading, indented};
use crate::{Error, Neurons, units};

/// What to show of a neuron.
#[derive(Args, Debug)]
pub struct Show {
    /// Name of a neuron or surrogate; case, `_` and `-` are ignored. Or a file with its declaration: `lif.rs`,
    /// `neurons.rs:Lif`, `-`
    pub neuron: String,

    /// Print the kernels as CUDA C++
    #[arg(long, group = "what")]
    cuda: bool,
    /// With --cuda: the complete source as compiled, including number formats, functions and surrogates
    #[arg(long, requires = "cuda", conflicts_with_all = ["template", "reset"])]
    complete: bool,
    /// Print the kernels as Rust
    #[arg(long, group = "what")]
    rust: bool,
    /// Print the kernels as PTX, embedded or compiled now
    #[arg(long, group = "what", conflicts_with_all = ["template", "reset"])]
    ptx: bool,
    /// Print equations and derivatives as LaTeX
    #[arg(long, group = "what")]
    latex: bool,
    /// Print everything except kernels as JSON
    #[arg(long, group = "what")]
    json: bool,

    /// Kernels of one template, `bptt`, or one kernel, `hard_reset_fptt`
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    /// Kernels of one reset mode
    #[arg(long, value_parser = resets())]
    reset: Option<Reset>,
    /// Data format for --ptx and kernel resource usage
    #[arg(long, value_parser = formats(), default_value_t = Format::F32)]
    format: Format,
    /// Compile the kernels now to determine their resource usage
    #[arg(long, conflicts_with_all = ["cuda", "rust", "ptx", "latex"])]
    compile: bool,
}

/// Takes the name of a data format.
pub fn formats() -> impl TypedValueParser<Value = Format> {
    let names = PossibleValuesParser::new(Format::ALL.map(Format::name));
    names.try_map(|name| Format::parse(&name).ok_or("no data format"))
}

/// Takes the name of a reset mode.
pub fn resets() -> impl TypedValueParser<Value = Reset> {
    let help = |reset| match reset {
        Reset::Hard => "The potential is set to `v_reset`",
        Reset::Soft => "The threshold is subtracted",
        Reset::None => "The potential is kept",
        Reset::Custom => "As the declaration defines it",
    };
    let names = Reset::ALL.map(|reset| PossibleValue::new(reset.keyword()).help(help(reset)));
    let find = |name: String| Reset::ALL.into_iter().find(|reset| reset.keyword() == name);
    PossibleValuesParser::new(names).try_map(move |name| find(name).ok_or("no reset mode"))
}

pub fn show(neurons: &Neurons, args: &Show, out: &mut dyn Write) -> Result<(), Error> {
    // What only neurons have.
    let needs_neuron = args.cuda || args.rust || args.ptx || args.latex || args.json;
    let spec = match in_file(&args.neuron) {
        Some((path, declared)) => {
            let file = File::read(path)?;
            match file.find(declared)? {
                Declared::Surrogate(surrogate) if !needs_neuron => return write_surrogate(surrogate, out),
                Declared::Surrogate(_) => file.neuron(declared)?.spec(),
                Declared::Neuron(neuron) => neuron.spec(),
            }
        }
        None => match (neurons.find(&args.neuron), Surrogate::from_name(&args.neuron, &[])) {
            (Err(_), Ok(surrogate)) if !needs_neuron => return write_surrogate(surrogate, out),
            (neuron, _) => neuron?.spec(),
        },
    };
    if args.cuda && args.complete {
        return Ok(write!(out, "{}", spec.cuda.source())?);
    }
    if args.ptx {
        let (ptx, from) = kernels::ptx(spec, args.format)?;
        return Ok(write!(out, "// {from}\n{ptx}")?);
    }
    let derivation = Derivation::of(spec)?;
    if args.latex {
        return Ok(write_latex(spec, &derivation, out)?);
    }
    let programs = derivation.select(spec, args.template.as_deref(), args.reset)?;
    if args.rust || args.cuda {
        let print = if args.cuda { cuda::kernel } else { rust::kernel };
        let texts: Vec<String> = programs.iter().map(|program| print(&derivation.derived, program)).collect();
        return Ok(write!(out, "{}", texts.join("\n"))?);
    }
    let usage = kernels::usage(spec, args.format, args.compile)?;
    if args.json {
        return json::write(spec, &derivation, &usage, out);
    }
    text(spec, &derivation, out)?;
    kernels::write(&programs, &usage, args, spec, out)
}

/// All of it, to be read.
fn text(spec: &'static Spec, derivation: &Derivation, out: &mut dyn Write) -> Result<(), Error> {
    writeln!(out, "{HEADING}{}{HEADING:#}  {}", spec.name, units::summary(spec.doc))?;
    heading(out, "Declaration")?;
    indented(out, spec.declaration)?;
    heading(out, "Equations of one step")?;
    equations(out, spec.equations)?;
    heading(out, "Derivatives")?;
    equations(out, spec.derivatives)?;
    heading(out, "Saved for the backward pass")?;
    kept(out, derivation)?;
    heading(out, "Memory traffic, bytes per neuron and step")?;
    let mut table = Table::of(
        ["template"].into_iter().chain(Format::ALL.map(Format::name)).map(str::to_owned).collect(),
        1,
    );
    for signature in spec.signatures {
        let bytes = Format::ALL.map(|format| Bytes::of(signature, format).to_string());
        table.row([signature.template.to_string()].into_iter().chain(bytes));
    }
    table.write(out, 2)?;
    let long = "Terms in 1/T are for states, which are read and written once per sequence of T steps.";
    Ok(writeln!(out, "  {QUIET}{long}{QUIET:#}")?)
}

fn write_surrogate(surrogate: Surrogate, out: &mut dyn Write) -> Result<(), Error> {
    writeln!(out, "{HEADING}{}{HEADING:#}  a surrogate gradient over u = h - threshold", surrogate.name())?;
    heading(out, "Parameters")?;
    let mut table = Table::new(["", "default", "range"], 1);
    for parameter in surrogate.parameter_defs() {
        table.row([parameter.name, &parameter.default.to_string(), parameter.range].map(str::to_owned));
    }
    table.write(out, 2)?;
    heading(out, "Equations")?;
    let (primitive, gradient) = (surrogate.equation(), surrogate.gradient_equation());
    equations(
        out,
        &[Equation { name: "primitive", expr: primitive }, Equation { name: "gradient", expr: gradient }],
    )?;
    Ok(writeln!(
        out,
        "\n  {QUIET}`plot NAME --kind surrogate` plots it, without a name all of them.{QUIET:#}"
    )?)
}

/// Aligned at the equality signs.
fn equations(out: &mut dyn Write, rows: &[Equation]) -> Result<(), Error> {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    for Equation { name, expr } in rows {
        writeln!(out, "  {name:width$} = {expr}")?;
    }
    Ok(())
}

fn kept(out: &mut dyn Write, derivation: &Derivation) -> Result<(), Error> {
    let derived = &derivation.derived;
    let count = derived.kept().count();
    for factor in derived.kept() {
        writeln!(out, "  {}", factor.name)?;
    }
    let rest = match count {
        0 => "Nothing: every derivative follows from the parameters.".to_owned(),
        _ => format!(
            "{count} per neuron and step; the other derivatives follow from these and the parameters."
        ),
    };
    Ok(writeln!(out, "  {QUIET}{rest}{QUIET:#}")?)
}

fn write_latex(spec: &Spec, derivation: &Derivation, out: &mut dyn Write) -> std::io::Result<()> {
    for (what, rows) in [
        ("equations of one step", latex::equations(&derivation.derived)),
        (
            "derivatives; L is the loss, sigma' the surrogate gradient",
            latex::derivatives(&derivation.derived),
        ),
    ] {
        let rows = latex::aligned(&rows).replace("\n", "\n  ");
        writeln!(out, "% {}: {what}\n\\begin{{align*}}\n  {rows}\n\\end{{align*}}", spec.name)?;
    }
    Ok(())
}
