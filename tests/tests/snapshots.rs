//! The generated code of some neurons, to be read and reviewed: one file a neuron and template under
//! `snapshots/<neuron>/`, and its equations with their derivatives.
//!
//! After a change of the generator: `cargo insta review`, or `INSTA_UPDATE=always cargo test --workspace`
//! and a look at the difference.

use std::path::Path;

use neuron_codegen::check::analyse;
use neuron_codegen::declarations::declarations;
use neuron_codegen::description;
use neuron_codegen::emit::{cuda, rust};
use neuron_codegen::gradient::Derived;
use neuron_codegen::kernel::programs;

/// Reads the only declaration in a file of the `neurons` crate.
fn derived(file: &str) -> Derived {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../neurons/src").join(file);
    let source = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let found = declarations(&source).expect("it compiles, so it is Rust");
    let [declaration] = found.as_slice() else {
        panic!("{file}: one declaration expected, {} found", found.len())
    };
    let analysis = analyse(declaration.clone());
    assert!(analysis.report.is_empty(), "{:?}", analysis.report);
    Derived::new(analysis.model.expect("a declaration without errors is a model"))
}

/// Compares everything generated for a neuron with its snapshots.
fn check(file: &str) {
    let mut derived = derived(file);
    let programs = programs(&mut derived);
    let module = description::module_name(&derived.model);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("../snapshots/{module}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        insta::assert_snapshot!("equations", table(&description::equations(&derived)));
        insta::assert_snapshot!("derivatives", table(&description::derivatives(&derived)));
        for program in &programs {
            insta::assert_snapshot!(program.variant.name(), rust::kernel(&derived, program));
        }
        insta::assert_snapshot!("cuda", cuda::kernels(&derived, &programs));
    });
}

fn table(rows: &[(String, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.iter().map(|(name, expr)| format!("{name:width$} = {expr}\n")).collect()
}

#[test]
fn integrate_and_fire() {
    check("integrate_and_fire.rs");
}

#[test]
fn leaky() {
    check("leaky.rs");
}

#[test]
fn exponential() {
    check("exponential.rs");
}

/// Several states.
#[test]
fn adaptive_threshold() {
    check("adaptive_threshold.rs");
}

/// A learnable parameter.
#[test]
fn parametric() {
    check("parametric.rs");
}

/// Several states and several learnable parameters.
#[test]
fn gated() {
    check("gated.rs");
}

/// No spikes.
#[test]
fn integrator() {
    check("integrator.rs");
}
