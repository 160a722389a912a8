//! Declarations as nobody would write them: those of the zoo and of the UI cases, with tokens deleted, doubled,
//! exchanged, spliced in from others. Whatever the tokens, there is neither a panic nor a hang, and what comes out is
//! either Rust or an error.
//!
//! The same few cases each time; `NEURON_FUZZ_CASES=20000` tries as many.

mod corpus;
mod mutation;

use std::time::{Duration, Instant};

use neuron_codegen::declarations::Macro;
use neuron_codegen::{expand, surrogate};
use proc_macro2::TokenStream;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use corpus::Case;
use mutation::Mutation;

const CASES: u32 = 250;

/// For one declaration, unoptimised on a busy machine. Most take a hundredth of that.
const TIME: Duration = Duration::from_secs(10);

#[test]
fn any_mutation_expands_or_is_refused() {
    let cases = std::env::var("NEURON_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok());
    let config = Config { cases: cases.unwrap_or(CASES), failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let corpus = corpus::all();
    let strategy = (any::<Index>(), proptest::collection::vec(mutation::any(), 1..5));
    let outcome = runner.run(&strategy, |(index, mutations)| {
        let Case { kind, tokens } = index.get(&corpus);
        check(*kind, mutated(tokens.clone(), &mutations, &corpus))
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, (index, mutations))) => {
            let case = index.get(&corpus);
            panic!(
                "{reason}\n{}! {{ {} }}",
                case.kind.name(),
                mutated(case.tokens.clone(), &mutations, &corpus)
            );
        }
        Err(error) => panic!("{error}"),
    }
}

fn mutated(tokens: TokenStream, mutations: &[Mutation], corpus: &[Case]) -> TokenStream {
    mutations.iter().fold(tokens, |tokens, mutation| mutation.apply(tokens, corpus))
}

fn check(kind: Macro, tokens: TokenStream) -> Result<(), TestCaseError> {
    let start = Instant::now();
    let code = match kind {
        Macro::Neuron => expand::expand(tokens, None),
        Macro::Surrogate => surrogate::expand(tokens),
    };
    prop_assert!(start.elapsed() < TIME, "took {:?}", start.elapsed());
    let file =
        syn::parse2::<syn::File>(code).map_err(|error| TestCaseError::fail(format!("no Rust: {error}")))?;
    let is_error = |item: &syn::Item| matches!(item, syn::Item::Macro(item) if item.mac.path.segments.last().is_some_and(|it| it.ident == "compile_error"));
    let is_struct = |item: &syn::Item| matches!(item, syn::Item::Struct(_));
    prop_assert!(file.items.iter().any(|item| is_error(item) || is_struct(item)), "nothing came of it");
    Ok(())
}
