//! Declarations at random on the command line. `random expand` is what tests start to examine declarations in a process
//! of its own.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use neurons_tests::random::build::{Builder, Sample};
use neurons_tests::random::expansion::{self, Examiner, Outcome};
use neurons_tests::random::generate::declaration;
use neurons_tests::random::interpreted;
use neurons_tests::random::rename::renamed;
use neurons_tests::random::run::{Fault, Pipeline, Results, Stage, fault};
use neurons_tests::random::settings;

const USAGE: &str = "usage:
  random print SEED                   shows a declaration
  random json SEED                    the same as JSON
  random expand FIRST COUNT           expands some
  random expand-renamed FIRST COUNT   the same under other names
  random run FIRST COUNT              compiles and checks some
  random interpret FIRST COUNT        checks some without compiling them
  random build FIRST COUNT            compiles some in all formats, to programs for a machine with a GPU
  random check FILE                   compiles and checks those of a file, a line of JSON each
  random expand                       examines those on standard input";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["expand"] => expansion::serve().map_err(Into::into),
        ["json", seed] => json(seed),
        ["check", file] => check(file),
        ["print", seed] => seed.parse().map(|seed| println!("{}", declaration(seed))).map_err(Into::into),
        ["expand", first, count] => expand(first, count, false),
        ["expand-renamed", first, count] => expand(first, count, true),
        ["run", first, count] => run(first, count),
        ["interpret", first, count] => interpret(first, count),
        ["build", first, count] => build(first, count),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Compiles some, and says where the programs are; each takes `--cuda`.
fn build(first: &str, count: &str) -> Result<(), Box<dyn Error>> {
    let built = Builder { half: 1, ..Builder::new("build")? }.build(&samples(first, count)?, true)?;
    built.errors.values().for_each(|error| println!("not compiled: {error}"));
    built.programs.iter().for_each(|program| println!("{}", program.path.display()));
    Ok(())
}

/// Expands some, and says what is wrong with how many.
fn expand(first: &str, count: &str, is_renamed: bool) -> Result<(), Box<dyn Error>> {
    let (first, count): (u64, u64) = (first.parse()?, count.parse()?);
    let examiner = Examiner { program: std::env::current_exe()?, limit: Duration::from_secs(60) };
    let seeds = first..first + count;
    let declarations: Vec<_> = seeds
        .map(|seed| if is_renamed { renamed(&declaration(seed), seed) } else { declaration(seed) })
        .collect();
    let outcomes = examiner.examine(&declarations.iter().collect::<Vec<_>>())?;
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for (declaration, outcome) in declarations.iter().zip(outcomes) {
        if let Outcome::Expanded { bytes, milliseconds } = outcome {
            println!("{} nodes, {bytes} bytes, {milliseconds} ms", declaration.nodes());
        }
        let kind = fault(outcome).map_or_else(|| "expanded".to_owned(), |fault| fault.kind);
        *kinds.entry(kind).or_default() += 1;
    }
    kinds.into_iter().for_each(|(kind, count)| println!("{count} {kind}"));
    Ok(())
}

fn json(seed: &str) -> Result<(), Box<dyn Error>> {
    println!("{}", serde_json::to_string(&declaration(seed.parse()?))?);
    Ok(())
}

/// Checks those of a file.
fn check(file: &str) -> Result<(), Box<dyn Error>> {
    let text = std::fs::read_to_string(file)?;
    let declarations = text.lines().zip(0..).map(|(line, seed)| -> Result<Sample, serde_json::Error> {
        Ok(Sample { declaration: serde_json::from_str(line)?, seed })
    });
    report("check", &declarations.collect::<Result<Vec<_>, _>>()?)
}

/// Checks those of some seeds.
fn run(first: &str, count: &str) -> Result<(), Box<dyn Error>> {
    report("run", &samples(first, count)?)
}

/// The same without compiling them.
fn interpret(first: &str, count: &str) -> Result<(), Box<dyn Error>> {
    // Panics are findings, and said in the report.
    std::panic::set_hook(Box::new(|_| {}));
    let (samples, start) = (samples(first, count)?, Instant::now());
    let results = interpreted::run(&samples)?;
    let folder = Builder::new("interpret")?.folder;
    write(&samples, &results, start, &folder)?;
    let again = |samples: &[Sample], _| interpreted::run(samples);
    println!("{}", results.explain(&samples, settings::shrinking(), BATCH, again)?);
    Ok(())
}

/// How many candidates are checked at once where one is looked for that still fails.
const BATCH: usize = 32;

fn samples(first: &str, count: &str) -> Result<Vec<Sample>, Box<dyn Error>> {
    let (first, count): (u64, u64) = (first.parse()?, count.parse()?);
    Ok((first..first + count).map(|seed| Sample { declaration: declaration(seed), seed }).collect())
}

/// Checks `samples` and says what is wrong; all of it in a file too.
fn report(name: &str, samples: &[Sample]) -> Result<(), Box<dyn Error>> {
    let examiner = Examiner { program: std::env::current_exe()?, limit: Duration::from_secs(60) };
    let pipeline = Pipeline { examiner, builder: Builder::new(name)?, host_cuda: false }.with_host_cuda();
    let start = Instant::now();
    let results = pipeline.run(samples, Stage::Run)?;
    write(samples, &results, start, &pipeline.builder.folder)?;
    println!("{}", pipeline.explain(samples, &results, settings::shrinking())?);
    Ok(())
}

/// Writes what is wrong to a file beside `folder`, and how much of it there is to the output.
fn write(samples: &[Sample], results: &Results, start: Instant, folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut lines = String::new();
    for (sample, faults) in samples.iter().zip(&results.faults) {
        for Fault { kind, detail, .. } in faults {
            let (seed, declaration) = (sample.seed, sample.declaration.to_string());
            let line = serde_json::json!({
                "seed": seed, "kind": kind, "detail": detail, "declaration": declaration,
            });
            lines += &format!("{line}\n");
        }
    }
    let first = samples.first().map_or(0, |sample| sample.seed);
    let file = folder.with_extension(format!("{first}.jsonl"));
    file.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    std::fs::write(&file, lines)?;
    let faulty = results.faults.iter().filter(|faults| !faults.is_empty()).count();
    let seconds = start.elapsed().as_secs_f64();
    println!("{faulty} of {} declarations, {seconds:.0} s; all faults: {}", samples.len(), file.display());
    println!("{:?}", results.tally);
    Ok(())
}
