//! The messages in `docs/guide.md` are those of the compiler.

use std::path::Path;

/// What the compiler says of the case, as the guide shows it: a warning that the case denies, so that it can be
/// compared at all, is a warning, and the case's own `#![deny(..)]` is left out.
fn shown(stderr: &str) -> String {
    let text = stderr.trim_end();
    match text.strip_prefix("error: use of deprecated") {
        Some(rest) => {
            let end = rest.find("\n  |\nnote: the lint level").expect("the case denies the lint");
            format!("warning: use of deprecated{}", &rest[..end])
        }
        None => text.to_owned(),
    }
}

#[test]
fn messages_are_real() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let guide = std::fs::read_to_string(root.join("docs/guide.md")).unwrap();
    let mut cases = 0;
    for block in guide.split("<!-- ").skip(1) {
        let (path, rest) = block.split_once(" -->\n\n```text\n").expect("a case and its text");
        let (text, _) = rest.split_once("\n```\n").expect("the end of the text");
        let stderr = std::fs::read_to_string(root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
        assert_eq!(text, shown(&stderr), "{path}");
        cases += 1;
    }
    assert!(cases >= 5);
    // None without its case.
    assert_eq!(guide.matches("\nerror: ").count() + guide.matches("\nwarning: ").count(), cases);
}
