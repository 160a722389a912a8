//! What a program does that was compiled of declarations: it checks each and says what it found, a line of JSON each.
//!
//! `--host-cuda` compiles their CUDA sources as C++ too. `--cuda` compares a GPU with the CPU in place of all else; such
//! a program runs on a machine that has neither Rust nor this project.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Mutex;

use neurons::Device;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::ast::Declaration;
use super::check::{Report, check, gpu};
use super::compiled::Compiled;
use crate::host_cuda::Compiler;

/// The argument with which CUDA sources are compiled as C++.
pub const HOST_CUDA: &str = "--host-cuda";

/// The argument with which a GPU is compared with the CPU.
pub const CUDA: &str = "--cuda";

/// The argument before the number of the only declaration to check.
pub const ONLY: &str = "--only";

/// Bytes of the stack of each thread.
const STACK: usize = 16 << 20;

/// A declaration in a program.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its number.
    pub index: usize,
    /// What numbers are drawn with.
    pub seed: u64,
    /// It, as JSON.
    pub declaration: &'static str,
    /// What it was compiled to.
    pub neuron: &'static dyn Compiled,
}

/// One line that a program writes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    /// The number of the declaration.
    pub index: usize,
    /// What was found of it.
    pub report: Report,
    /// Its equations, left and right sides.
    pub equations: Vec<String>,
}

/// The program.
pub fn main(entries: &[Entry]) -> ExitCode {
    // Panics are findings, and said in the report.
    std::panic::set_hook(Box::new(|_| {}));
    // Kernels that are not optimised need more than the usual 2 MiB from some 100 nodes on.
    if let Err(error) = rayon::ThreadPoolBuilder::new().stack_size(STACK).build_global() {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    let has = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    let device = if has(CUDA) {
        match Device::cuda(0) {
            Ok(device) => Some(device),
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        }
    } else {
        None
    };
    let compiler = if has(HOST_CUDA) { Compiler::find() } else { None };
    let output = Mutex::new(std::io::stdout());
    let check = |entry: &Entry| -> std::io::Result<()> {
        let declaration: Declaration = serde_json::from_str(entry.declaration)?;
        let report = match &device {
            Some(device) => gpu::check(&declaration, entry.neuron, entry.seed, device),
            None => check(&declaration, entry.neuron, entry.seed, compiler.as_ref()),
        };
        let equations = entry.neuron.spec().equations.iter().map(ToString::to_string).collect();
        let text = serde_json::to_string(&Line { index: entry.index, report, equations })?;
        let mut output = output.lock().map_err(|_| std::io::Error::other("a panic while writing"))?;
        writeln!(output, "{text}")?;
        output.flush()
    };
    let mut arguments = std::env::args().skip_while(|argument| argument != ONLY).skip(1);
    let only: Option<usize> = arguments.next().and_then(|number| number.parse().ok());
    let wanted = entries.par_iter().filter(|entry| only.is_none_or(|only| entry.index == only));
    match wanted.try_for_each(check) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
