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

/// A file of a neuron and two surrogates.
const WITH_SURROGATES: &str = "neuron! { struct A { charge = v + (x - v) / 2.0; reset hard; } }
    surrogate! { surrogate Steep { param a = 8.0; primitive = sigmoid(a * u); } }
    surrogate! { surrogate Other { primitive = tanh(u); } }";

#[test]
fn surrogates_beside_neurons() {
    let folder = folder(&[
        ("both.rs", WITH_SURROGATES),
        ("steep.txt", "surrogate Steep { param a = 8.0; primitive = sigmoid(a * u); }"),
        ("lif.rs", neurons::Lif::SPEC.declaration),
    ]);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (both, steep, lif) = (path("both.rs"), path("steep.txt"), path("lif.rs"));
    // The file's only neuron is meant, unless a surrogate is named.
    assert!(good(&["show", &both]).starts_with("A"));
    for file in [&format!("{both}:steep"), &steep] {
        let text = good(&["show", file]);
        assert!(text.starts_with("Steep") && text.contains("primitive = sigmoid(a * u)\n"), "{text}");
        assert!(text.contains("  a ") && text.contains('8'), "{text}");
        assert!(bad(&["show", file, "--rust"]).contains("declares no neuron"));
    }
    assert!(bad(&["plot", &steep]).contains("declares no neuron; it declares none"));
    assert!(bad(&["show", &format!("{both}:Nothing")]).contains("no neuron `Nothing`; it declares A"));
    // Those of the file are drawn, one, or all of the library if there are none.
    let plot = |arguments: &[&str]| good(&[&["plot", "--out", "-"], arguments].concat());
    let drawn = plot(&[&both, "--kind", "surrogate"]);
    assert!(drawn.contains("Steep") && drawn.contains("Other") && !drawn.contains("ATan"), "{drawn}");
    let one = plot(&[&format!("{both}:Steep"), "--kind", "surrogate"]);
    assert!(one.contains("Steep: surrogate gradient") && !one.contains("Other"), "{one}");
    assert_eq!(one, plot(&[&steep, "--kind", "surrogate"]));
    assert_eq!(plot(&[&lif, "--kind", "surrogate"]), plot(&["--kind", "surrogate"]));
}

/// `sigmoid(8 u)` is what the library calls `Sigmoid` with another parameter.
#[test]
fn gradients_with_surrogates_of_files() {
    let folder = folder(&[("both.rs", WITH_SURROGATES)]);
    let both = folder.path().join("both.rs");
    let both = both.to_str().unwrap();
    let plot = |neuron: &str, surrogate: &str| {
        good(&["plot", neuron, "--kind", "gradient", "--out", "-", "--surrogate", surrogate])
    };
    let own = plot(both, "steep");
    assert!(own.contains("with Steep(a=8)"), "{own}");
    assert_eq!(own, plot(both, &format!("{both}:Steep")));
    assert!(plot("lif", &format!("{both}:Other")).contains("with Other()"));
    let error = bad(&["plot", "lif", "--kind", "gradient", "--surrogate", both]);
    assert!(
        error.contains("several surrogates, choose one") && error.contains("declares Steep, Other"),
        "{error}"
    );
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
