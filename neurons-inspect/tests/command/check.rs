//! `check`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use crate::{bad, command, good, run};

fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// What `check -` says of a text.
fn of(text: &str) -> (Option<i32>, String, String) {
    let mut child = command(&["check", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn good_declarations_are_derived() {
    let path = workspace("neurons/src/leaky.rs");
    let text = good(&["check", path.to_str().unwrap()]);
    assert!(
        text.contains("Lif  neuron") && text.contains("grad_h_to_v              = 1 - 1 / tau"),
        "{text}"
    );
    assert!(text.ends_with("1 declaration without errors, 0 warnings\n"), "{text}");
    let quiet = good(&["check", "--quiet", path.to_str().unwrap()]);
    assert_eq!(quiet, "1 declaration without errors, 0 warnings\n");
}

#[test]
fn surrogates_too() {
    let (code, out, err) = of("surrogate! { pub surrogate Own { primitive = sigmoid(3.0 * u); } }");
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("gradient  = 3 * exp(-abs(3 * u)) / (1 + exp(-abs(3 * u)))^2"), "{out}");
    let (code, _, err) = of("surrogate! { pub surrogate Own { primitive = sigmoid(3.0 * v); } }");
    assert_eq!(code, Some(1));
    assert!(err.contains("<stdin>:1:60"), "{err}");
    let (code, out, err) =
        of("surrogate! { pub surrogate Own { param a = 2.0; primitive = sigmoid(u / a); } }");
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("warning: division by `a`, which can be 0"), "{err}");
    assert!(out.ends_with("1 declaration without errors, 1 warning\n"), "{out}");
}

#[test]
fn mistakes_are_shown_in_their_lines() {
    let (code, out, err) = of("
use neurons::neuron;

neuron! {
    /// Ümläute count as one character.
    struct Ünten { param tau = 2.0; charge = v + x / taw; reset hard; }
}");
    assert_eq!((code, out.as_str()), (Some(1), ""));
    let expected = "\
error: unknown name `taw`
 --> <stdin>:6:54
  |
6 |     struct Ünten { param tau = 2.0; charge = v + x / taw; reset hard; }
  |                                                      ^^^
  |
  = help: did you mean `tau`?
";
    assert_eq!(err.trim_end(), expected.trim_end());
}

#[test]
fn warnings_do_not_fail() {
    let (code, out, err) = of("neuron! { struct A { param tau = 2.0; charge = v + x / tau; reset hard; } }");
    assert_eq!(code, Some(0), "{err}");
    assert!(
        err.starts_with("warning: ") && out.ends_with("1 declaration without errors, 1 warning\n"),
        "{err}{out}"
    );
}

#[test]
fn what_has_no_place_is_at_the_macro() {
    let (code, _, err) = of("neuron! {}");
    assert_eq!(code, Some(1));
    assert!(err.contains("<stdin>:1:1") && err.contains("^^^^^^"), "{err}");
}

#[test]
fn files_that_cannot_be_checked() {
    assert!(bad(&["check", "/nowhere/neuron.rs"]).contains("cannot read `/nowhere/neuron.rs`"));
    let (code, _, err) = of("fn main() {}");
    assert_eq!(code, Some(1));
    assert!(err.contains("no `neuron!` or `surrogate!` in <stdin>"), "{err}");
    let (code, _, err) = of("fn main() {\n    neuron! { struct A ( }\n}");
    assert_eq!(code, Some(1));
    assert!(err.contains("this is not Rust") && err.contains("<stdin>:2:"), "{err}");
}

/// The command and the compiler say the same: of every case of a mistake, each error with its place and its hints.
#[test]
fn the_compiler_says_the_same() {
    let mut cases = 0;
    for entry in std::fs::read_dir(workspace("tests/ui")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let Ok(expected) = std::fs::read_to_string(path.with_extension("stderr")) else { continue };
        let ran = run(&["check", "--json", path.to_str().unwrap()]);
        let found: Value =
            serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{path:?}: {e} {}", ran.err));
        let problems = found["problems"].as_array().unwrap();
        assert!(!problems.is_empty(), "{path:?}");
        for problem in problems {
            let message = problem["message"].as_str().unwrap();
            assert!(expected.contains(message), "{path:?}: {message}");
            for hint in problem["hints"].as_array().unwrap() {
                let hint = hint.as_str().unwrap();
                assert!(expected.contains(hint), "{path:?}: {hint}");
            }
            let place = format!(":{}:{}\n", problem["line"], problem["column"]);
            assert!(expected.contains(&place), "{path:?}: {place}");
        }
        let errors = problems.iter().filter(|problem| problem["level"] == "error").count();
        assert_eq!(ran.code, Some(i32::from(errors > 0)), "{path:?}");
        cases += 1;
    }
    assert!(cases > 50, "{cases}");
}
