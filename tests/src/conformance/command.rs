//! The conformance runner as a command.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use super::{Tally, run};

const HELP: &str = "\
Compares the neurons with the reference cases (*.safetensors) in DIR.

Usage: conformance DIR

Prints a line for each case and number format: name, backend, format, whether the spikes are equal, the
largest absolute and relative difference of each output and gradient, and pass, FAIL or unsupported.
A relative difference is a multiple of the largest magnitude of its tensor. The tolerance is 1e-10 absolute
in f64, 2e-5 relative in f32.

Exit status: 0 if nothing failed, 1 if something did, 2 if there was nothing to check.
";

/// Runs the command with the arguments of the process.
pub fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let [argument] = args.as_slice() else { return refuse("exactly one argument expected, a folder") };
    if argument == "--help" || argument == "-h" {
        return match io::stdout().write_all(HELP.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => refuse(&error.to_string()),
        };
    }
    match run(Path::new(argument), &mut io::stdout().lock()) {
        Ok(Tally { passed: 0, failed: 0, unsupported: 0 }) => {
            refuse(&format!("{}: no .safetensors file in this folder", argument.display()))
        }
        Ok(Tally { failed: 0, .. }) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        // The reader has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => refuse(&format!("{}: {error}", argument.display())),
    }
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("error: {why}\n\nUsage: conformance DIR; see --help");
    ExitCode::from(2)
}
