//! What every command does: help, colours, pipes.

use std::io::Read;
use std::process::Stdio;

use serde_json::Value;

use crate::{bad, command, finish, good, run};

const COMMANDS: [&str; 8] = ["list", "show", "check", "plot", "serve", "doctor", "gallery", "completions"];

#[test]
fn help_has_examples() {
    let ran = run(&[]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("Usage: neurons <COMMAND>") && ran.err.contains("Examples:"), "{}", ran.err);
    assert!(good(&["--version"]).starts_with("neurons "));
    for command in COMMANDS {
        assert!(ran.err.contains(command), "{command}");
        let help = good(&[command, "--help"]);
        assert!(help.contains("Usage:") && help.contains(&format!("neurons {command}")), "{help}");
    }
    assert!(bad(&["plott"]).contains("a similar subcommand exists: 'plot'"));
}

#[test]
fn colours_are_for_terminals() {
    assert!(!good(&["list"]).contains('\x1b'));
    let with = |name: &str| {
        let mut command = command(&["list"]);
        command.env("CLICOLOR_FORCE", "1").env(name, "1");
        finish(command).out.contains('\x1b')
    };
    assert!(with("NOTHING") && !with("NO_COLOR"));
}

#[test]
fn a_closed_pipe_is_no_mistake() {
    for arguments in [&["list"][..], &["show", "lif", "--cuda", "--complete"], &["list", "--json"]] {
        let mut child = command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut error = String::new();
        child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        assert!(child.wait().unwrap().success() && error.is_empty(), "{arguments:?}: {error}");
    }
}

#[test]
fn completions_of_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = good(&["completions", shell]);
        assert!(COMMANDS.iter().all(|command| script.contains(command)), "{shell}");
    }
}

#[test]
fn doctor_looks_at_this_machine() {
    let text = good(&["doctor"]);
    assert!(text.contains("CPU") && text.contains("Neurons run on the CPU"), "{text}");
    let json: Value = serde_json::from_str(&good(&["doctor", "--json"])).unwrap();
    assert!(json["cpu"]["threads"].as_u64() > Some(0));
    assert_eq!(json["neurons"], 17);
    // Without a cache directory it says so.
    let mut without = command(&["doctor"]);
    without.env_remove("HOME").env_remove("XDG_CACHE_HOME").env_remove("NEURON_CACHE");
    assert!(finish(without).out.contains("neither NEURON_CACHE, XDG_CACHE_HOME nor HOME is set"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("one.cubin"), [0; 1000]).unwrap();
    let mut with = command(&["doctor"]);
    with.env("NEURON_CACHE", folder.path());
    assert!(finish(with).out.contains("1 file, 0.0 MB"));
}

#[test]
fn a_gallery_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(&["gallery", "--out", folder.path().to_str().unwrap()]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let page = std::fs::read_to_string(folder.path().join("gallery.md")).unwrap();
    assert!(page.contains("No measurements.") && folder.path().join("images/lif-trace.svg").is_file());
    let measurements = folder.path().join("measurements");
    std::fs::create_dir(&measurements).unwrap();
    std::fs::write(measurements.join("gpu.jsonl"), "{\"date\":\"2026-01-01\"}\n").unwrap();
    let error = bad(&["gallery", "--out", folder.path().to_str().unwrap()]);
    assert!(error.contains("gpu.jsonl: line 1: missing field `machine`"), "{error}");
}

/// Names of all fields, at any depth.
fn fields(json: &Value, found: &mut Vec<String>) {
    match json {
        Value::Array(values) => values.iter().for_each(|value| fields(value, found)),
        Value::Object(map) => map.iter().for_each(|(name, value)| {
            found.push(name.clone());
            // Those of kernels are names of kernels.
            if name != "kernels" {
                fields(value, found);
            }
        }),
        _ => {}
    }
}

#[test]
fn every_field_is_documented() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/command.md");
    let page = std::fs::read_to_string(page).unwrap();
    let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../neurons/src/leaky.rs");
    let check = run(&["check", "--json", sources.to_str().unwrap()]).out;
    for json in
        [good(&["list", "--json"]), good(&["show", "lif", "--json"]), good(&["doctor", "--json"]), check]
    {
        let mut found = Vec::new();
        fields(&serde_json::from_str(&json).unwrap(), &mut found);
        // Formats are names of fields, too.
        found.retain(|name| !["f32", "f64", "f16", "bf16"].contains(&name.as_str()));
        for name in found {
            assert!(page.contains(&format!("`{name}`")) || page.contains(&format!("\"{name}\"")), "{name}");
        }
    }
}
