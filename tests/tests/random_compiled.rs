//! Declarations at random, compiled: their kernels against each other, against an evaluator of the declaration, and
//! against their CUDA sources as C++; and the same under other names.
//!
//! `NEURON_RANDOM_CASES` and `NEURON_RANDOM_SEED` say how many, and from which on. `NEURON_RANDOM_SHRINK` is for how many
//! seconds a declaration that fails is made smaller, for each kind of fault.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use neurons_tests::random::build::{Builder, Sample};
use neurons_tests::random::expansion::Examiner;
use neurons_tests::random::generate::declaration;
use neurons_tests::random::rename::{renamed, with_names_of};
use neurons_tests::random::run::{Pipeline, Stage};
use neurons_tests::random::settings;

/// How many are compiled under other names too.
const TWINS: u64 = 5;

#[test]
fn compiled() {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_random"));
    let examiner = Examiner { program, limit: Duration::from_secs(60) };
    let builder = Builder::new("test").unwrap();
    let pipeline = Pipeline { examiner, builder, host_cuda: false }.with_host_cuda();
    let seeds = settings::seeds(50);
    let originals = seeds.clone().map(|seed| Sample { declaration: declaration(seed), seed });
    let twins = seeds.filter(|seed| seed.is_multiple_of(TWINS));
    let twins = twins.map(|seed| Sample { declaration: renamed(&declaration(seed), seed), seed });
    let samples: Vec<Sample> = originals.chain(twins).collect();

    let results = pipeline.run(&samples, Stage::Run).unwrap();
    let tally = results.tally;
    println!("{tally:?}");
    let text = pipeline.explain(&samples, &results, settings::shrinking()).unwrap();
    assert!(text.is_empty(), "of {} declarations:\n{text}", samples.len());

    // Whatever things are called.
    let mut first: HashMap<u64, usize> = HashMap::new();
    for (index, sample) in samples.iter().enumerate() {
        let Some(&original) = first.get(&sample.seed) else {
            first.insert(sample.seed, index);
            continue;
        };
        let [Some(expected), Some(actual)] = [&results.lines[original], &results.lines[index]] else {
            panic!("nothing is wrong with either, and nothing was said of one: {}", sample.declaration);
        };
        assert_eq!(actual.report.bits, expected.report.bits, "{}", sample.declaration);
        let names = with_names_of(&samples[original].declaration, &sample.declaration);
        // Left-hand sides are derived names, which mangling may change: `step` is reserved in kernels, so its next
        // value need not be called after it. Likewise named parts of long equations, which are skipped.
        let right = |equation: &String| equation.split_once(" = ").map(|(_, right)| right.to_owned());
        assert_eq!(actual.equations.len(), expected.equations.len(), "{}", sample.declaration);
        // The charge, the spike, the output, what `v` and the other states become.
        let declared = &samples[original].declaration;
        let leaving = usize::from(declared.fires()) + usize::from(declared.output.is_some());
        if expected.equations.len() == 1 + leaving + declared.resets() + declared.states.len() {
            let translated = actual.equations.iter().map(|equation| names.translate(equation));
            let equations: Vec<_> = translated.map(|equation| right(&equation)).collect();
            let expected: Vec<_> = expected.equations.iter().map(right).collect();
            assert_eq!(equations, expected, "{}", sample.declaration);
        }
    }
    // The evaluator has something to say.
    assert!(tally.compared > 4 * tally.skipped, "{tally:?}");
}
