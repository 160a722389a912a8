//! The conformance runner as a command.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use neurons::Device;

use super::{Tally, run};

const HELP: &str = "\
Compares the neurons with the reference cases (*.safetensors) in DIR.

Usage: conformance [--device cpu|cuda|cuda:N] DIR

Prints a line for each case and number format: name, backend, format, whether the spikes are equal, the
largest absolute and relative difference of each output and gradient, and pass, FAIL or unsupported.
A relative difference is a multiple of the largest magnitude of its tensor. The tolerance is 1e-10 absolute
in f64, 2e-5 relative in f32; for cases that state an amplification A, 1e-10 A (1 + M) and 2e-5 A (1 + M),
where M is that magnitude. States and parameters have the names of the declaration: `v`, not `mem`.

Exit status: 0 if nothing failed, 1 if something did, 2 if there was nothing to check.
";

/// Runs the command with the arguments of the process.
pub fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    if args.iter().any(|argument| argument == "--help" || argument == "-h") {
        return match io::stdout().write_all(HELP.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => refuse(&error.to_string()),
        };
    }
    let (device, folder) = match args.as_slice() {
        [folder] => (Ok(Device::Cpu), folder),
        [option, name, folder] if option == "--device" => (device(name), folder),
        [folder, option, name] if option == "--device" => (device(name), folder),
        _ => return refuse("a folder expected, and perhaps --device"),
    };
    let device = match device {
        Ok(device) => device,
        Err(why) => return refuse(&why),
    };
    match run(Path::new(folder), &device, &mut io::stdout().lock()) {
        Ok(Tally { passed: 0, failed: 0, unsupported: 0 }) => {
            refuse(&format!("{}: no .safetensors file in this folder", folder.display()))
        }
        Ok(Tally { failed: 0, .. }) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        // The reader has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => refuse(&format!("{}: {error}", folder.display())),
    }
}

/// `cpu`, `cuda`, `cuda:1`
fn device(name: &OsStr) -> Result<Device, String> {
    let name = name.to_string_lossy();
    let index = match &*name {
        "cpu" => return Ok(Device::Cpu),
        "cuda" => Some(0),
        other => other.strip_prefix("cuda:").and_then(|index| index.parse().ok()),
    };
    let index = index.ok_or_else(|| format!("unknown device `{name}`: cpu, cuda or cuda:N expected"))?;
    Device::cuda(index).map_err(|error| error.to_string())
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("error: {why}\n\nUsage: conformance [--device cpu|cuda|cuda:N] DIR; see --help");
    ExitCode::from(2)
}
