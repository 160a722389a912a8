//! Declarations at random, interpreted: their kernels against each other and against an evaluator of the declaration.
//!
//! `NEURON_RANDOM_CASES` and `NEURON_RANDOM_SEED` say how many, and from which on. `NEURON_RANDOM_SHRINK` is for how many
//! seconds a declaration that fails is made smaller, for each kind of fault.

use neurons_tests::random::build::Sample;
use neurons_tests::random::generate::declaration;
use neurons_tests::random::{interpreted, settings};

/// How many candidates are checked at once where one is looked for that still fails.
const BATCH: usize = 32;

#[test]
fn interpreted() {
    let samples = settings::seeds(200).map(|seed| Sample { declaration: declaration(seed), seed });
    let samples: Vec<Sample> = samples.collect();
    let results = interpreted::run(&samples).unwrap();
    let again = |samples: &[Sample], _| interpreted::run(samples);
    let text = results.explain(&samples, settings::shrinking(), BATCH, again).unwrap();
    assert!(text.is_empty(), "of {} declarations:\n{text}", samples.len());
    // The evaluator has something to say.
    let tally = results.tally;
    assert!(tally.compared > 4 * tally.skipped, "{tally:?}");
}
