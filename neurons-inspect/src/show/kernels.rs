//! Kernel resource usage and PTX, from embedded images or a compiler.

use std::collections::BTreeMap;
use std::io::Write;

use neuron_abi::{Architecture, Format, Target, kernel};
use neuron_codegen::build::compiler::Compiler;
use neuron_codegen::build::search::Search;
use neuron_codegen::kernel::Program;
use neuron_runtime::Spec;
use serde::Serialize;

use super::Show;
use crate::Error;
use crate::cubin::{self, Usage};
use crate::output::{QUIET, Table, heading};

/// The targets if nothing is embedded.
const TARGETS: [Target; 2] = [Target::Cubin(architecture(80)), Target::Cubin(architecture(90))];
const PTX: Target = Target::Ptx(architecture(80));

const fn architecture(number: u32) -> Architecture {
    Architecture { number, letter: None }
}

/// The kernels of a neuron, compiled for one architecture.
#[derive(Debug, Serialize)]
pub struct Compiled {
    /// The architecture, `sm_90`.
    pub target: String,
    /// The data's format, `f32`.
    pub format: String,
    /// Usage by kernel.
    pub kernels: BTreeMap<String, Usage>,
}

/// The resource usage of kernels for each architecture; none if they are not compiled.
pub fn usage(spec: &'static Spec, format: Format, compile: bool) -> Result<Vec<Compiled>, Error> {
    let kernels = |cubin: &[u8]| {
        let named = |(symbol, usage): (String, Usage)| {
            Some((kernel::name_of(&symbol, spec.module, format)?.to_owned(), usage))
        };
        Some(cubin::usage(cubin)?.into_iter().filter_map(named).collect::<BTreeMap<_, _>>())
    };
    let compiled = |target: Target, kernels| Compiled {
        target: target.to_string(),
        format: format.to_string(),
        kernels,
    };
    if compile {
        let compiler = compiler().map_err(|reason| Error::NoCompiler { reason })?;
        let each = TARGETS.into_iter().map(|target| {
            let cubin = run(&compiler, spec, format, target)?;
            let unknown = || Error::Compile { neuron: spec.name, log: "not a cubin".to_owned() };
            Ok(compiled(target, kernels(&cubin).ok_or_else(unknown)?))
        });
        return each.collect();
    }
    let embedded = spec.cuda.images().iter().filter(|image| image.format == format);
    Ok(embedded
        .filter_map(|image| Some(compiled(image.target, kernels(&image.decompress().ok()?)?)))
        .collect())
}

/// The PTX of all kernels, and its source.
pub fn ptx(spec: &'static Spec, format: Format) -> Result<(String, String), Error> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned();
    let mut embedded =
        spec.cuda.images().iter().filter(|image| image.format == format && image.target.is_ptx());
    if let Some((image, ptx)) = embedded.find_map(|image| Some((image, image.decompress().ok()?))) {
        return Ok((text(&ptx), format!("embedded, {}", image.target)));
    }
    let compiler =
        compiler().map_err(|reason| Error::NoPtx { neuron: spec.name, format: format.name(), reason })?;
    let ptx = run(&compiler, spec, format, PTX)?;
    Ok((text(&ptx), format!("compiled now for {PTX} by {}", compiler.description())))
}

fn compiler() -> Result<Compiler, String> {
    Search::new(&|name| std::env::var_os(name)).find().map_err(|error| error.to_string())
}

fn run(compiler: &Compiler, spec: &'static Spec, format: Format, target: Target) -> Result<Vec<u8>, Error> {
    let failed = |log: String| Error::Compile { neuron: spec.name, log };
    let scratch = std::env::temp_dir().join(format!("neurons-{}-{}", std::process::id(), spec.module));
    compiler.compile(spec.cuda.source(), format, target, &scratch).map_err(failed)
}

/// The table of kernels.
pub fn write(
    programs: &[&Program],
    usage: &[Compiled],
    args: &Show,
    spec: &Spec,
    out: &mut dyn Write,
) -> Result<(), Error> {
    heading(out, &format!("Kernels, {}", args.format))?;
    let mut header = vec!["kernel".to_owned()];
    header.extend(
        usage.iter().flat_map(|compiled| [format!("{} registers", compiled.target), "local".to_owned()]),
    );
    let mut table = Table::of(header, 1);
    for program in programs {
        let name = program.variant.name();
        let cells = usage.iter().flat_map(|compiled| match compiled.kernels.get(&name) {
            Some(Usage { registers, local }) => [registers.to_string(), local.to_string()],
            None => ["?".to_owned(), "?".to_owned()],
        });
        let cells: Vec<String> = cells.collect();
        table.row([name].into_iter().chain(cells));
    }
    table.write(out, 2)?;
    let note = match (usage.is_empty(), spec.cuda.images().is_empty()) {
        (false, _) => "Local memory is in bytes per thread: values spilled from registers.",
        (true, true) => "Not compiled for GPUs at build time; --compile does it now, with NVRTC or nvcc.",
        (true, false) => "Not compiled for GPUs in this format; --compile does it now, with NVRTC or nvcc.",
    };
    writeln!(out, "  {QUIET}{note}{QUIET:#}")?;
    Ok(writeln!(
        out,
        "  {QUIET}--rust, --cuda and --ptx print them; --template and --reset select.{QUIET:#}"
    )?)
}
