//! Neurons that files declare.

use std::fs;

use neurons::{DeclaredNeuron, zoo};
use tempfile::TempDir;

use crate::{bad, good};

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
    folder
}

/// What is shown and drawn of a neuron from its text is what is of the compiled one.
#[test]
fn every_neuron_from_its_text() {
    for spec in zoo::SPECS {
        let folder = folder(&[("neuron.rs", &format!("neuron! {{\n{}\n}}", spec.declaration))]);
        let file = folder.path().join("neuron.rs");
        let file = file.to_str().unwrap();
        for options in [&["--cuda", "--complete"][..], &["--rust"], &["--latex"]] {
            let of = |name| good(&[&["show", name], options].concat());
            assert!(of(file) == of(spec.name), "{} {options:?}", spec.name);
        }
        let of = |name| good(&["plot", name, "--out", "-", "--input", "noise"]);
        assert!(of(file) == of(spec.name), "{}", spec.name);
    }
}

#[test]
fn without_a_macro_around_it() {
    let folder = folder(&[("lif.txt", neurons::Lif::SPEC.declaration)]);
    let file = folder.path().join("lif.txt");
    let file = file.to_str().unwrap();
    assert!(good(&["show", file]).starts_with("Lif"));
    let text = good(&["bench", file, "--t", "3", "--n", "70", "--format", "bf16"]);
    assert!(text.contains("T = 3, N = 70, bf16") && text.contains("  lean_bptt "), "{text}");
    assert_eq!(
        good(&["plot", file, "--set", "tau=20", "--out", "-"]),
        good(&["plot", "lif", "--set", "tau=20", "--out", "-"])
    );
}

#[test]
fn one_of_several() {
    let text = "neuron! { struct A { charge = v + x; reset hard; } } neuron! { struct B { charge = x; reset hard; } }";
    let folder = folder(&[("both.rs", text)]);
    let file = folder.path().join("both.rs");
    let file = file.to_str().unwrap();
    assert!(good(&["show", &format!("{file}:b")]).starts_with("B"));
    assert!(bad(&["show", file]).contains("declares several neurons"));
    let text = bad(&["plot", &format!("{file}:C")]);
    assert!(text.contains("no neuron `C`; it declares A, B"), "{text}");
}

#[test]
fn mistakes_are_shown_in_their_lines() {
    let folder = folder(&[("wrong.rs", "struct A {\n  charge = v + taw;\n  reset hrad;\n}")]);
    let file = folder.path().join("wrong.rs");
    let file = file.to_str().unwrap();
    for text in [bad(&["show", file]), bad(&["plot", file])] {
        for part in ["mistakes in", "unknown name `taw`", "hrad", "wrong.rs:2:16", "charge = v + taw;"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    assert!(bad(&["show", "no/such.rs"]).contains("cannot read `no/such.rs`"));
}
