//! Runs cargo, and says which declaration its messages are about.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What one run said.
#[derive(Debug, Default)]
pub struct Round {
    /// By the index of the declaration.
    pub errors: BTreeMap<usize, String>,
    /// The same.
    pub warnings: BTreeMap<usize, String>,
    /// Programs that were not made.
    pub failed: Vec<usize>,
}

/// Runs a command of cargo on a workspace of so many packages, `batch0` and so on.
pub fn run(command: &str, folder: &Path, target: &Path, batches: usize) -> std::io::Result<Round> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut child = Command::new(cargo)
        .args([command, "--offline", "--keep-going", "--message-format=json", "--quiet"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        // Nothing here needs images, which take long to compile.
        .env("NEURON_CUDA", "off")
        .env_remove("RUSTFLAGS")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (Some(output), Some(errors)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(std::io::Error::other("no pipes"));
    };
    let said = std::thread::spawn(move || std::io::read_to_string(errors).unwrap_or_default());
    let mut round = Round::default();
    let mut done = BTreeSet::new();
    for line in BufReader::new(output).lines() {
        let Ok(message) = serde_json::from_str::<Value>(&line?) else { continue };
        match message["reason"].as_str() {
            Some("compiler-artifact") => {
                let name = message["target"]["name"].as_str().and_then(|name| name.strip_prefix("batch"));
                done.extend(name.and_then(|number| number.parse::<usize>().ok()));
            }
            Some("compiler-message") => round.add(&message["message"]),
            _ => {}
        }
    }
    let status = child.wait()?;
    let said = said.join().unwrap_or_default();
    round.failed = (0..batches).filter(|b| !done.contains(b)).collect();
    // A dependency does not compile, or cargo does not understand what it is told.
    if !status.success() && round.errors.is_empty() && !said.contains("`batch") {
        return Err(std::io::Error::other(said));
    }
    Ok(round)
}

impl Round {
    fn add(&mut self, message: &Value) {
        let text = message["rendered"].as_str().unwrap_or_default().to_owned();
        let Some(index) = declaration(message) else { return };
        match message["level"].as_str() {
            Some("error") => drop(self.errors.entry(index).or_insert(text)),
            Some("warning") => drop(self.warnings.entry(index).or_insert(text)),
            _ => {}
        }
    }
}

/// The index of the declaration in whose file a message's place is.
fn declaration(message: &Value) -> Option<usize> {
    let mut open: Vec<&Value> = vec![message];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) => {
                let file = fields.get("file_name").and_then(Value::as_str);
                let name = file.and_then(|file| Path::new(file).file_stem()?.to_str()?.strip_prefix('d'));
                if let Some(index) = name.and_then(|number| number.parse().ok()) {
                    return Some(index);
                }
                open.extend(fields.values());
            }
            Value::Array(values) => open.extend(values),
            _ => {}
        }
    }
    None
}
