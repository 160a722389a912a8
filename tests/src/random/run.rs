//! Declarations from end to end: expanded, compiled, checked.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Deserializer;

use super::build::{Builder, Sample};
use super::check::{Finding, Kind, Tally};
use super::expansion::{Examiner, Outcome};
use super::program::{HOST_CUDA, Line, ONLY};
use super::shrink::shrink;
use crate::host_cuda::Compiler;

/// What is wrong with a declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// A kind, by which faults are grouped.
    pub kind: String,
    /// How far a declaration has to be taken to find it.
    pub stage: Stage,
    /// What was said.
    pub detail: String,
}

/// How far declarations are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Expanded.
    Expanded,
    /// Checked by the compiler.
    Checked,
    /// Compiled and run.
    Run,
}

/// What was found of each declaration.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// Of each in order.
    pub faults: Vec<Vec<Fault>>,
    /// What the program said of it, if it got so far.
    pub lines: Vec<Option<Line>>,
    /// How much was compared with the evaluator.
    pub tally: Tally,
}

impl Results {
    /// Of so many declarations of which nothing is known.
    pub fn of(count: usize) -> Self {
        Self { faults: vec![Vec::new(); count], lines: vec![None; count], tally: Tally::default() }
    }

    /// Adds what a check said of the declaration with that index.
    pub fn add(&mut self, index: usize, line: Line) {
        self.tally.compared += line.report.tally.compared;
        self.tally.skipped += line.report.tally.skipped;
        self.faults[index].extend(line.report.findings.iter().cloned().map(Fault::from));
        self.lines[index] = Some(line);
    }

    /// Says what is wrong: how many have each kind of fault, and the smallest declaration that was found for it within
    /// `limit` for each. Empty if nothing is.
    ///
    /// # Errors
    /// Those of `run`, which checks at most `batch` declarations at once.
    pub fn explain(
        &self,
        samples: &[Sample],
        limit: Duration,
        batch: usize,
        run: impl Fn(&[Sample], Stage) -> std::io::Result<Results>,
    ) -> std::io::Result<String> {
        let mut kinds: BTreeMap<&str, Vec<(usize, &Fault)>> = BTreeMap::new();
        for (index, faults) in self.faults.iter().enumerate() {
            faults.iter().for_each(|fault| kinds.entry(&fault.kind).or_default().push((index, fault)));
        }
        let mut text = String::new();
        for (kind, found) in kinds {
            let smallest = found.iter().min_by_key(|(index, _)| samples[*index].declaration.nodes());
            let &(index, fault) = smallest.expect("a kind has a fault");
            let seed = samples[index].seed;
            let end = Instant::now() + limit;
            let mut failure = Ok(());
            let mut detail = fault.detail.clone();
            let smallest = shrink(&samples[index].declaration, batch, |candidates| {
                let nothing = vec![false; candidates.len()];
                if Instant::now() > end || failure.is_err() {
                    return nothing;
                }
                let sample = |declaration: &_| Sample { declaration: Clone::clone(declaration), seed };
                let samples: Vec<Sample> = candidates.iter().map(sample).collect();
                match run(&samples, fault.stage) {
                    Ok(results) => {
                        let of_kind = |faults: &Vec<Fault>| faults.iter().find(|it| it.kind == kind).cloned();
                        let found: Vec<_> = results.faults.iter().map(of_kind).collect();
                        if let Some(fault) = found.iter().flatten().next() {
                            detail.clone_from(&fault.detail);
                        }
                        found.iter().map(Option::is_some).collect()
                    }
                    Err(error) => {
                        failure = Err(error);
                        nothing
                    }
                }
            });
            failure?;
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "{kind}: {} declarations, seed {seed} shrunk:\n{detail}\n{smallest}\n",
                found.len()
            );
        }
        Ok(text)
    }
}

/// Runs everything on declarations.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// Expands them.
    pub examiner: Examiner,
    /// Compiles them.
    pub builder: Builder,
    /// Whether their CUDA sources are compiled as C++ too, if there is a compiler.
    pub host_cuda: bool,
}

impl Pipeline {
    /// What is wrong with each of `samples`.
    ///
    /// # Errors
    /// Something cannot be started or written.
    pub fn run(&self, samples: &[Sample], stage: Stage) -> std::io::Result<Results> {
        let mut results = Results::of(samples.len());
        let declarations: Vec<_> = samples.iter().map(|sample| &sample.declaration).collect();
        let mut good = Vec::new();
        for (index, outcome) in self.examiner.examine(&declarations)?.into_iter().enumerate() {
            match fault(outcome) {
                Some(fault) => results.faults[index].push(fault),
                None => good.push(index),
            }
        }
        if stage == Stage::Expanded {
            return Ok(results);
        }
        let expanded: Vec<Sample> = good.iter().map(|&index| samples[index].clone()).collect();
        let built = self.builder.build(&expanded, stage == Stage::Run)?;
        for (index, error) in built.errors {
            let code =
                error.split(['[', ']']).nth(1).filter(|code| code.starts_with('E')).unwrap_or("no code");
            let kind = format!("not compiled ({code})");
            results.faults[good[index]].push(Fault { kind, stage: Stage::Checked, detail: error });
        }
        for (index, warning) in built.warnings {
            let fault = Fault { kind: "rustc warns".to_owned(), stage: Stage::Checked, detail: warning };
            results.faults[good[index]].push(fault);
        }
        for program in &built.programs {
            let (lines, _) = self.ask(&program.path, None)?;
            let said: BTreeSet<usize> = lines.iter().map(|line| line.index).collect();
            lines.into_iter().for_each(|line| results.add(good[line.index], line));
            // If it crashed, the declaration that is to blame shows alone.
            for &index in program.indices.iter().filter(|index| !said.contains(index)) {
                let (lines, how) = self.ask(&program.path, Some(index))?;
                if lines.is_empty() {
                    let fault = Fault { kind: "program crashes".to_owned(), stage: Stage::Run, detail: how };
                    results.faults[good[index]].push(fault);
                }
                lines.into_iter().for_each(|line| results.add(good[line.index], line));
            }
        }
        Ok(results)
    }

    /// What a program says, of all its declarations or of one, and how it ended.
    fn ask(&self, program: &Path, only: Option<usize>) -> std::io::Result<(Vec<Line>, String)> {
        let mut command = Command::new(program);
        command.args(self.host_cuda.then_some(HOST_CUDA));
        if let Some(index) = only {
            command.args([ONLY, &index.to_string()]);
        }
        let output = command.stdin(Stdio::null()).output()?;
        // The last line may be incomplete.
        let lines = Deserializer::from_slice(&output.stdout).into_iter::<Line>().map_while(Result::ok);
        let said = String::from_utf8_lossy(&output.stderr);
        Ok((lines.collect(), format!("{}: {said}", output.status)))
    }

    /// As [`Results::explain`], by this pipeline.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn explain(&self, samples: &[Sample], results: &Results, limit: Duration) -> std::io::Result<String> {
        results.explain(samples, limit, self.builder.batch, |samples, stage| self.run(samples, stage))
    }

    /// With the CUDA sources as C++, if there is a compiler for it.
    #[must_use]
    pub fn with_host_cuda(self) -> Self {
        Self { host_cuda: Compiler::find().is_some(), ..self }
    }
}

impl From<Finding> for Fault {
    fn from(finding: Finding) -> Self {
        let kind = match finding.kind {
            Kind::Call => "a call fails",
            Kind::Forward => "forward pass wrong",
            Kind::Initial => "initial state wrong",
            Kind::Templates => "templates differ",
            Kind::Pairs => "recompute pair differs",
            Kind::LeftOut => "arrays left out make a difference",
            Kind::Independence => "depends on threads or instructions",
            Kind::Gradient => "gradient wrong",
            Kind::LeanGradient => "recompute gradient wrong",
            Kind::Relaxed => "relaxed forward pass wrong",
            Kind::RelaxedGradient => "relaxed gradient wrong",
            Kind::Gradcheck => "gradcheck fails",
            Kind::Oracle => "evaluator contradicts itself",
            Kind::HostCuda => "CUDA as C++ differs",
            Kind::Cuda => "GPU differs",
        };
        Self { kind: kind.to_owned(), stage: Stage::Run, detail: finding.detail }
    }
}

/// What is wrong with an expansion.
pub fn fault(outcome: Outcome) -> Option<Fault> {
    let (kind, detail) = match outcome {
        Outcome::Expanded { .. } => return None,
        Outcome::Refused(messages) => ("refused", messages.join("; ")),
        Outcome::NotRust(error) => ("not Rust", error),
        Outcome::Crashed(how) => ("generator crashes", how),
        Outcome::TookTooLong => ("generator takes too long", String::new()),
    };
    Some(Fault { kind: kind.to_owned(), stage: Stage::Expanded, detail })
}
