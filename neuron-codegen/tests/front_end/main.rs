//! From source text to models and errors.
#![allow(missing_docs)]

mod budgets;
mod fragments;
mod mistakes;
mod models;
mod recovery;
mod surrogates;
mod warnings;

use neuron_codegen::check::{Analysis, analyse};
use neuron_codegen::model::Model;

/// Analyses the text between the braces of `neuron! { .. }`.
fn analysis(source: &str) -> Analysis {
    analyse(source.parse().expect("valid tokens"))
}

/// The messages for `source`, in order.
fn messages(source: &str) -> Vec<String> {
    analysis(source).report.iter().map(|diagnostic| diagnostic.text()).collect()
}

/// The model of a declaration without mistakes.
fn model(source: &str) -> Model {
    let Analysis { model, report, .. } = analysis(source);
    let texts: Vec<_> = report.iter().map(|diagnostic| diagnostic.text()).collect();
    assert!(texts.is_empty(), "{source}: {texts:#?}");
    model.expect("a model without errors")
}
