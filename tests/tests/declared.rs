//! What holds for every neuron of the `neurons` crate, whichever they are.

use std::path::Path;

use neurons::{Neuron, gradcheck};
use neurons_tests::declared::{Visit, every_neuron, names};

/// A neuron that is declared but not listed would be left out of everything else.
#[test]
fn every_declaration_is_listed() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../neurons/src");
    let mut declared = Vec::new();
    for entry in std::fs::read_dir(sources).unwrap() {
        let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for declaration in neuron_codegen::declarations::declarations(&source).unwrap() {
            let analysis = neuron_codegen::check::analyse(declaration);
            declared.push(analysis.model.unwrap().name.to_string());
        }
    }
    let mut listed = names();
    declared.sort();
    listed.sort_unstable();
    assert_eq!(declared, listed);
}

/// Finite differences of the relaxed model.
#[test]
fn gradients() {
    struct Gradients;
    impl Visit for Gradients {
        fn visit<N: Neuron>(&mut self) {
            let report = gradcheck(&N::default()).unwrap_or_else(|failure| panic!("{failure}"));
            println!("{}: {report:?}", N::SPEC.name);
            assert!(report.checked > 300 && report.largest_error < 1e-8, "{}: {report:?}", N::SPEC.name);
        }
    }
    every_neuron(&mut Gradients);
}
