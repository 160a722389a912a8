//! `neurons check`: declarations in files, without a crate around them.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use neuron_codegen::declarations::{self, Declaration, Macro};
use neuron_codegen::gradient::Derived;
use neuron_codegen::identifiers;
use neuron_codegen::report::Report;
use neuron_codegen::{check, description, surrogate};
use neuron_interpreter::{Level, Problem};
use serde::{Serialize, Serializer};

use crate::Error;
use crate::neuron::read;
use crate::output::{GOOD, HEADING, NAME, QUIET};

/// What to check.
#[derive(Args, Debug)]
pub struct Check {
    /// Files with `neuron!` or `surrogate!` declarations, `-` for standard input
    #[arg(required = true, value_name = "FILE.rs")]
    files: Vec<PathBuf>,
    /// Print problems only, not the derived equations
    #[arg(short, long)]
    quiet: bool,
    /// Print one JSON object per file
    #[arg(long)]
    json: bool,
}

/// What is known of a file. Fields are added to it, never changed.
#[derive(Serialize)]
struct Checked {
    file: String,
    declarations: Vec<Declared>,
    #[serde(serialize_with = "problems")]
    problems: Vec<Problem>,
    #[serde(skip)]
    source: String,
}

/// Lines and columns from 1.
fn problems<S: Serializer>(problems: &[Problem], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Row<'a> {
        level: &'static str,
        message: &'a str,
        hints: &'a [String],
        line: usize,
        column: usize,
    }
    serializer.collect_seq(problems.iter().map(|problem| {
        let Problem { level, message, hints, line, column, .. } = problem;
        Row { level: level.name(), message, hints, line: *line, column: *column }
    }))
}

/// A declaration that was understood.
#[derive(Serialize)]
struct Declared {
    kind: &'static str,
    name: String,
    equations: Vec<(String, String)>,
    derivatives: Vec<(String, String)>,
    kept: Vec<String>,
}

/// Whether there are no errors.
pub fn check(args: &Check, out: &mut dyn Write, err: &mut dyn Write) -> Result<bool, Error> {
    let checked = args.files.iter().map(|file| self::file(file)).collect::<Result<Vec<_>, Error>>()?;
    if checked.iter().all(|file| file.declarations.is_empty() && file.problems.is_empty()) {
        let files: Vec<&str> = checked.iter().map(|file| file.file.as_str()).collect();
        return Err(Error::NothingDeclared { files: files.join(", ") });
    }
    for file in &checked {
        if args.json {
            serde_json::to_writer(&mut *out, file)?;
            writeln!(out)?;
            continue;
        }
        for problem in &file.problems {
            writeln!(err, "{}\n", problem.render(Some(&file.file), &file.source, true))?;
        }
        for declared in file.declarations.iter().filter(|_| !args.quiet) {
            declared.write(&file.file, out)?;
        }
    }
    let is_good = checked.iter().flat_map(|file| &file.problems).all(|problem| problem.level != Level::Error);
    if !args.json && is_good {
        let names: usize = checked.iter().map(|file| file.declarations.len()).sum();
        let warnings: usize = checked.iter().map(|file| file.problems.len()).sum();
        let what = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let (names, warnings) = (what(names, "declaration"), what(warnings, "warning"));
        writeln!(out, "{GOOD}{names} without errors, {warnings}{GOOD:#}")?;
    }
    Ok(is_good)
}

fn file(path: &Path) -> Result<Checked, Error> {
    let (file, source) = read(path)?;
    let mut checked = Checked { file, declarations: Vec::new(), problems: Vec::new(), source };
    match declarations::all(&checked.source) {
        Err(error) => checked.problems.push(Problem::not_rust(&error, &checked.source)),
        Ok(found) => found.into_iter().for_each(|declaration| checked.add(declaration)),
    }
    Ok(checked)
}

impl Checked {
    fn add(&mut self, Declaration { kind, span, contents }: Declaration) {
        match kind {
            Macro::Neuron => {
                let analysis = check::analyse(contents);
                let is_good = analysis.report.is_empty();
                self.problems(&analysis.report, Level::Error, span);
                self.problems(&analysis.warnings, Level::Warning, span);
                let model = analysis.model.filter(|_| is_good);
                self.declarations.extend(model.map(|model| Declared::neuron(&Derived::new(model))));
            }
            Macro::Surrogate => {
                let analysis = surrogate::analyse(contents);
                let is_good = analysis.report.is_empty();
                self.problems(&analysis.report, Level::Error, span);
                self.problems(&analysis.warnings, Level::Warning, span);
                let surrogate = analysis.surrogate.filter(|_| is_good);
                self.declarations.extend(surrogate.map(|surrogate| Declared::surrogate(&surrogate)));
            }
        }
    }

    fn problems(&mut self, report: &Report, level: Level, call: proc_macro2::Span) {
        self.problems.extend(Problem::all(report, level, &call.byte_range(), &self.source));
    }
}

impl Declared {
    fn neuron(derived: &Derived) -> Self {
        Self {
            kind: "neuron",
            name: identifiers::text(&derived.model.name),
            equations: description::equations(derived),
            derivatives: description::derivatives(derived),
            kept: derived.kept().map(|factor| factor.name.clone()).collect(),
        }
    }

    fn surrogate(surrogate: &surrogate::Surrogate) -> Self {
        Self {
            kind: "surrogate",
            name: identifiers::text(&surrogate.name),
            equations: vec![("primitive".to_owned(), surrogate.primitive_text())],
            derivatives: vec![("gradient".to_owned(), surrogate.gradient_text())],
            kept: Vec::new(),
        }
    }

    fn write(&self, file: &str, out: &mut dyn Write) -> Result<(), Error> {
        writeln!(out, "{NAME}{}{NAME:#}  {QUIET}{}, {file}{QUIET:#}", self.name, self.kind)?;
        let rows = || self.equations.iter().chain(&self.derivatives);
        let width = rows().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (what, rows) in [("equations", &self.equations), ("derivatives", &self.derivatives)] {
            writeln!(out, "  {HEADING}{what}{HEADING:#}")?;
            for (name, expr) in rows {
                writeln!(out, "    {name:width$} = {expr}")?;
            }
        }
        if self.kind == "neuron" {
            let kept = if self.kept.is_empty() { "nothing".to_owned() } else { self.kept.join(", ") };
            writeln!(out, "  {HEADING}kept for the backward pass{HEADING:#}\n    {kept}")?;
        }
        Ok(writeln!(out)?)
    }
}
