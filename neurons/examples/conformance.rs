//! Compares the neurons with numbers from independent software:
//!
//! `cargo run --release -p neurons --example conformance -- tests/reference/vectors`
//!
//! prints a line a case and exits with 1 if any fails.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: conformance DIR\n\n\
    Runs every .safetensors case in DIR (see tests/reference/README.md) in float64 and float32.\n\
    Prints a line a case; exits with 1 if any fails, with 2 if DIR cannot be read.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder] = args.as_slice() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    if folder == "--help" || folder == "-h" {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let mut out = std::io::stdout().lock();
    match neurons_tests::conformance::run(Path::new(folder), &mut out) {
        Ok(tally) if tally.failed == 0 => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        // The reader has seen enough, as `head` does.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = out.flush();
            eprintln!("conformance: {folder}: {error}");
            ExitCode::from(2)
        }
    }
}
