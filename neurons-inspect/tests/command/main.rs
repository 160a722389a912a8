//! The command as a user runs it.

mod check;
mod files;
mod manners;
mod plot;
mod show;

use std::process::{Command, Stdio};

/// What a run of the command gave.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

/// The command, without a terminal and without settings of whoever runs the tests.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_neurons"));
    command.args(arguments).stdin(Stdio::null());
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "NEURON_NVRTC"] {
        command.env_remove(name);
    }
    command
}

fn finish(mut command: Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn run(arguments: &[&str]) -> Ran {
    finish(command(arguments))
}

/// The output of a run without errors.
fn good(arguments: &[&str]) -> String {
    let ran = run(arguments);
    assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.err);
    ran.out
}

/// What a run with an error says of it.
fn bad(arguments: &[&str]) -> String {
    let ran = run(arguments);
    assert_ne!(ran.code, Some(0), "{arguments:?}");
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    assert!(ran.out.is_empty(), "{}", ran.out);
    ran.err
}
