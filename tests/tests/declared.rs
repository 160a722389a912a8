//! What holds for every neuron of the `neurons` crate, whichever they are.

use neurons::{DeclaredNeuron, gradcheck};
use neurons_tests::declared::{Visit, every_neuron, models, names};

/// A neuron that is declared but not listed would be left out of everything else.
#[test]
fn every_declaration_is_listed() {
    let mut declared: Vec<String> = models().iter().map(|derived| derived.model.name.to_string()).collect();
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
        fn visit<N: DeclaredNeuron>(&mut self) {
            let report = gradcheck(&N::default()).unwrap_or_else(|failure| panic!("{failure}"));
            println!("{}: {report:?}", N::SPEC.name);
            assert!(report.checked > 300 && report.largest_error < 1e-8, "{}: {report:?}", N::SPEC.name);
        }
    }
    every_neuron(&mut Gradients);
}
