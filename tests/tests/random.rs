//! Declarations at random: each is expanded, to Rust, in time, whatever things are called.
//!
//! `NEURON_RANDOM_CASES` and `NEURON_RANDOM_SEED` say how many, and from which on.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use neurons_tests::random::ast::Declaration;
use neurons_tests::random::expansion::{Examiner, Outcome};
use neurons_tests::random::generate::declaration;
use neurons_tests::random::rename::renamed;
use neurons_tests::random::settings;
use neurons_tests::random::shrink::shrink;

fn examiner() -> Examiner {
    Examiner { program: PathBuf::from(env!("CARGO_BIN_EXE_random")), limit: Duration::from_secs(60) }
}

/// Bytes of an expansion: so many for each neuron, and so many for each node of its expressions.
const BYTES: usize = 200_000;
const BYTES_A_NODE: usize = 9_000;

/// What is wrong with it, if something is.
fn fault(declaration: &Declaration, outcome: &Outcome) -> Option<(&'static str, String)> {
    match outcome {
        Outcome::Refused(messages) => Some(("refused", messages.join("; "))),
        Outcome::NotRust(error) => Some(("not Rust", error.clone())),
        Outcome::Crashed(how) => Some(("crashed", how.clone())),
        Outcome::TookTooLong => Some(("took too long", String::new())),
        Outcome::Expanded { bytes, .. } => {
            let most = BYTES + BYTES_A_NODE * declaration.nodes();
            (*bytes > most).then(|| ("too large", format!("{bytes} bytes, at most {most} expected")))
        }
    }
}

/// Expands all of `declarations`; of each kind of fault the smallest declaration that has it.
fn check(declarations: &[Declaration]) {
    let examiner = examiner();
    let outcomes = examiner.examine(&declarations.iter().collect::<Vec<_>>()).unwrap();
    let mut faults: BTreeMap<&str, Vec<&Declaration>> = BTreeMap::new();
    for (declaration, outcome) in declarations.iter().zip(&outcomes) {
        if let Some((kind, _)) = fault(declaration, outcome) {
            faults.entry(kind).or_default().push(declaration);
        }
    }
    let mut text = String::new();
    for (kind, declarations) in &faults {
        text += &format!("{} {kind}\n", declarations.len());
        let smallest = shrink(declarations[0], 8, |all| {
            let outcomes = examiner.examine(&all.iter().collect::<Vec<_>>()).unwrap();
            let is_same = |(declaration, outcome): (&Declaration, &Outcome)| {
                fault(declaration, outcome).is_some_and(|(other, _)| other == *kind)
            };
            all.iter().zip(&outcomes).map(is_same).collect()
        });
        let outcome = &examiner.examine(&[&smallest]).unwrap()[0];
        let why = fault(&smallest, outcome).map(|(_, why)| why).unwrap_or_default();
        text += &format!("for example: {why}\n{smallest}\n\n");
    }
    assert!(text.is_empty(), "of {} declarations:\n{text}", declarations.len());
}

#[test]
fn every_declaration_is_expanded() {
    let seeds = settings::seeds(400);
    check(&seeds.map(declaration).collect::<Vec<_>>());
}

#[test]
fn whatever_things_are_called() {
    let seeds = settings::seeds(400);
    check(&seeds.map(|seed| renamed(&declaration(seed), seed)).collect::<Vec<_>>());
}

/// Declarations that grow: time and size grow at most as they do.
#[test]
fn budgets() {
    let fixed = neurons_tests::random::budget::declarations();
    let examiner = examiner();
    let declarations: Vec<&Declaration> = fixed.iter().map(|(_, declaration)| declaration).collect();
    let outcomes = examiner.examine(&declarations).unwrap();
    let mut text = String::new();
    for ((name, declaration), outcome) in fixed.iter().zip(&outcomes) {
        if let Some((kind, why)) = fault(declaration, outcome) {
            text += &format!("{name}: {kind} {why}\n");
        }
    }
    assert!(text.is_empty(), "{text}");
}
