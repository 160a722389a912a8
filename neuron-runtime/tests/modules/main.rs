//! Modules import each other in one direction only.
//!
//! What counts is the file that an item is defined in: `crate::Error` is an import of `error.rs`, since paths through
//! re-exports are followed. That a module declares another and re-exports from it is no import of it, so a module may
//! use what the one around it defines, or that one may use what it defines, but not both. Code for tests only is left
//! out.

mod graph;
mod imports;
mod sources;

use std::collections::BTreeSet;
use std::path::Path;

use graph::cycles;
use sources::Crate;

/// Groups of modules of `name`, a crate of this repository, each of which imports every other of its group, if by way of
/// others.
fn cycles_of(name: &str) -> Vec<BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
    let sources = Crate::read(&root);
    cycles(&imports::graph(&sources))
}

/// There are no circles but among modules of one of the groups `known`, and in each of these there is one.
#[track_caller]
fn assert_cycles(name: &str, known: &[&[&str]]) {
    let found = cycles_of(name);
    let is_in =
        |group: &BTreeSet<String>, known: &[&str]| group.iter().all(|module| known.contains(&&**module));
    for group in &found {
        assert!(known.iter().any(|known| is_in(group, known)), "{name}: a circle of imports among {group:?}");
    }
    for known in known {
        assert!(found.iter().any(|group| is_in(group, known)), "{name}: no circle among {known:?} any more");
    }
}

#[test]
fn vocabulary() {
    assert_cycles("neuron-abi", &[]);
}

#[test]
fn runtime() {
    assert_cycles("neuron-runtime", &[]);
}

#[test]
fn generator() {
    let known: [&[&str]; 9] = [
        &[
            "emit::api",
            "emit::api::buffers",
            "emit::api::cuda",
            "emit::api::neuron",
            "emit::api::spec",
            "emit::cuda",
        ],
        &["function", "ir"],
        &[
            "kernel",
            "kernel::affine",
            "kernel::arrange",
            "kernel::draft",
            "kernel::hand_over",
            "kernel::name",
            "kernel::order",
            "kernel::phases",
            "kernel::plan",
            "kernel::prune",
            "kernel::validate",
        ],
        &["lowering", "lowering::domain", "lowering::lets", "lowering::params"],
        &["lowering::domain::facts", "lowering::domain::values"],
        &["lowering::language", "lowering::names", "lowering::scope"],
        &[
            "surrogate",
            "surrogate::check",
            "surrogate::description",
            "surrogate::emit",
            "surrogate::function",
            "surrogate::probe",
        ],
        &["syntax::header", "syntax::items", "syntax::recovery"],
        &["syntax::mistakes", "syntax::pratt"],
    ];
    assert_cycles("neuron-codegen", &known);
}

#[test]
fn circles_are_found() {
    let files = [
        ("", "mod a; mod b; mod c; pub use a::Thing;"),
        ("a", "use crate::b::{self, Other}; pub struct Thing(Other); fn f() { b::f() }"),
        (
            "b",
            "#[cfg(test)] mod tests { use crate::c::C; } pub struct Other; fn f() { call!($crate::Thing) }",
        ),
        ("c", "mod d; pub use d::D; use super::a::*; pub struct C;"),
        ("c::d", "use super::C; pub struct D;"),
    ];
    let found = cycles(&imports::graph(&Crate::parse(files)));
    assert_eq!(found, [BTreeSet::from(["a".to_owned(), "b".to_owned()])]);
}
