//! The declarations that mutations start from.

use std::path::Path;

use neuron_codegen::declarations::{self, Macro};
use proc_macro2::TokenStream;

/// A declaration and the macro that it is given to.
pub struct Case {
    pub kind: Macro,
    pub tokens: TokenStream,
}

/// Those of the zoo, of the runtime's surrogates and of the UI cases, in the order of their files' names.
pub fn all() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut cases = Vec::new();
    for folder in ["neurons/src", "neuron-runtime/src/surrogate", "tests/ui"] {
        let entries = std::fs::read_dir(root.join(folder)).expect("a folder of sources");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.sort();
        for path in paths.into_iter().filter(|path| path.extension().is_some_and(|it| it == "rs")) {
            let source = std::fs::read_to_string(path).expect("a source");
            let found = declarations::all(&source).expect("Rust").into_iter();
            cases.extend(found.map(|found| Case { kind: found.kind, tokens: found.contents }));
        }
    }
    let count = |kind| cases.iter().filter(|case| case.kind == kind).count();
    assert!(count(Macro::Neuron) > 100 && count(Macro::Surrogate) > 25);
    cases
}
