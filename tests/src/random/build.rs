//! Compiles declarations to programs, in a workspace of its own outside this one.

mod cargo;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::ast::Declaration;

/// A declaration, and what numbers are drawn with to check it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// What is declared.
    pub declaration: Declaration,
    /// Two samples with the same seed are checked with the same numbers.
    pub seed: u64,
}

/// Where programs are made of declarations.
#[derive(Clone, Debug)]
pub struct Builder {
    /// The workspace of this project.
    pub project: PathBuf,
    /// A folder for the sources, made anew each time.
    pub folder: PathBuf,
    /// A folder for what is compiled, which is kept: dependencies are compiled once.
    pub target: PathBuf,
    /// Declarations in one program.
    pub batch: usize,
    /// Every so many seeds are compiled for half precision too.
    pub half: u64,
}

/// A program made of declarations.
#[derive(Clone, Debug)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// The indices of its declarations.
    pub indices: Vec<usize>,
}

/// What became of declarations.
#[derive(Clone, Debug, Default)]
pub struct Built {
    /// Programs.
    pub programs: Vec<Program>,
    /// Errors of the compiler, by the index of the declaration.
    pub errors: BTreeMap<usize, String>,
    /// Warnings of the compiler other than those that the language gives.
    pub warnings: BTreeMap<usize, String>,
}

impl Builder {
    /// In the folders of this project's build.
    ///
    /// # Errors
    /// The project is not there.
    pub fn new(name: &str) -> std::io::Result<Self> {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| project.join("target"), PathBuf::from);
        let own = target.join("random");
        Ok(Self { project, folder: own.join(name), target: own.join("target"), batch: 25, half: 5 })
    }

    /// Compiles all of `samples`, each in a file of its own; those that the compiler refuses are left out. Without
    /// `programs` they are only checked.
    ///
    /// # Errors
    /// Files cannot be written, or the compiler cannot be started, or fails in a way that no declaration explains.
    pub fn build(&self, samples: &[Sample], programs: bool) -> std::io::Result<Built> {
        let mut built = Built::default();
        let mut left: Vec<usize> = (0..samples.len()).collect();
        let mut batch = self.batch;
        // To check takes a tenth of the time, so that no batch is compiled in vain.
        let mut command = "check";
        while !left.is_empty() {
            let batches: Vec<&[usize]> = left.chunks(batch).collect();
            self.write(samples, &batches)?;
            let round = cargo::run(command, &self.folder, &self.target, batches.len())?;
            built.warnings.extend(round.warnings);
            if round.failed.is_empty() {
                if command == "build" {
                    let program = |(b, indices): (usize, &&[usize])| Program {
                        path: self.target.join(format!("debug/batch{b}")),
                        indices: indices.to_vec(),
                    };
                    built.programs = batches.iter().enumerate().map(program).collect();
                    return Ok(built);
                } else if !programs {
                    return Ok(built);
                }
                command = "build";
                continue;
            }
            if round.errors.is_empty() && batch > 1 {
                // The compiler itself ended: alone, the declaration that is to blame shows.
                batch = 1;
                continue;
            }
            let mut errors = round.errors;
            if errors.is_empty() {
                let said = "the compiler crashed".to_owned();
                errors.extend(round.failed.iter().map(|&failed| (batches[failed][0], said.clone())));
                batch = self.batch;
            }
            let gone: BTreeSet<usize> = errors.keys().copied().collect();
            left.retain(|index| !gone.contains(index));
            built.errors.extend(errors);
        }
        Ok(built)
    }

    fn write(&self, samples: &[Sample], batches: &[&[usize]]) -> std::io::Result<()> {
        if self.folder.exists() {
            std::fs::remove_dir_all(&self.folder)?;
        }
        std::fs::create_dir_all(&self.folder)?;
        std::fs::copy(self.project.join("Cargo.lock"), self.folder.join("Cargo.lock"))?;
        let members: Vec<String> = (0..batches.len()).map(|b| format!("\"batch{b}\"")).collect();
        std::fs::write(self.folder.join("Cargo.toml"), WORKSPACE.replace("MEMBERS", &members.join(", ")))?;
        for (b, batch) in batches.iter().enumerate() {
            let package = self.folder.join(format!("batch{b}"));
            std::fs::create_dir_all(package.join("src"))?;
            let manifest = PACKAGE.replace("NUMBER", &b.to_string());
            let manifest = manifest.replace("PROJECT", &self.project.to_string_lossy());
            std::fs::write(package.join("Cargo.toml"), manifest)?;
            self.write_sources(&package.join("src"), samples, batch)?;
        }
        Ok(())
    }

    fn write_sources(&self, folder: &Path, samples: &[Sample], batch: &[usize]) -> std::io::Result<()> {
        let (mut modules, mut entries) = (String::new(), String::new());
        for &index in batch {
            let Sample { declaration, seed } = &samples[index];
            let json = serde_json::to_string(declaration)?;
            let text = format!(
                "neurons::neuron! {{\n{declaration}\n}}\n\npub const JSON: &str = r####\"{json}\"####;\n"
            );
            std::fs::write(folder.join(format!("d{index}.rs")), text)?;
            let name = &declaration.name;
            let of = if seed.is_multiple_of(self.half) { "InAll" } else { "Of" };
            modules += &format!("mod d{index};\n");
            entries += &format!(
                "    Entry {{\n        index: {index},\n        seed: {seed},\n        \
                 declaration: d{index}::JSON,\n        neuron: &{of}::<d{index}::{name}>::NEW,\n    }},\n"
            );
        }
        let program = PROGRAM.replace("MODULES", &modules).replace("ENTRIES", &entries);
        std::fs::write(folder.join("main.rs"), program)
    }
}

const WORKSPACE: &str = r#"[workspace]
resolver = "3"
members = [MEMBERS]

[profile.dev]
debug = false
incremental = false
overflow-checks = false
debug-assertions = false
strip = true

# The checks and what kernels call are compiled once, and run often.
[profile.dev.package.libm]
opt-level = 2
[profile.dev.package.spiking-neurons-runtime]
opt-level = 2
[profile.dev.package.neurons-tests]
opt-level = 2
"#;

const PACKAGE: &str = r#"[package]
name = "batchNUMBER"
version = "0.0.0"
edition = "2024"

[dependencies]
spiking-neurons = { path = "PROJECT/neurons" }
neurons-tests = { path = "PROJECT/tests", default-features = false }
"#;

const PROGRAM: &str = r"// What the compiler thinks of the names of a declaration is for those who write it.
#![allow(deprecated, unused_imports, non_snake_case)]

use neurons_tests::random::compiled::{InAll, Of};
use neurons_tests::random::program::{self, Entry};

MODULES
fn main() -> std::process::ExitCode {
    program::main(&[
ENTRIES    ])
}
";
