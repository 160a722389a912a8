//! What is made of the declarations and checked in: the CUDA source, the table in the documentation.
//!
//! After a change of a declaration or of the generator: `NEURON_UPDATE=1 cargo test -p spiking-neurons-runtime --test
//! surrogates`, and a look at the difference.

use std::path::Path;

use neuron_codegen::surrogate::cuda_file;
use neuron_runtime::Surrogate;
use neuron_runtime::surrogate::ParameterDef;

/// Compares a file of the workspace with what it has to be, or rewrites it if asked to.
fn check(path: &str, expected: impl FnOnce(&str) -> String) {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let actual = std::fs::read_to_string(&place).unwrap_or_else(|error| panic!("{path}: {error}"));
    let expected = expected(&actual);
    if actual != expected && std::env::var_os("NEURON_UPDATE").is_some() {
        return std::fs::write(&place, &expected).unwrap();
    }
    let line = actual.lines().zip(expected.lines()).position(|(actual, expected)| actual != expected);
    assert!(
        actual == expected,
        "{path} is not what the declarations give, from line {}; with NEURON_UPDATE=1 this test rewrites it",
        line.map_or_else(|| "the end".to_owned(), |line| (line + 1).to_string())
    );
}

#[test]
fn cuda_source() {
    let all: Vec<_> = Surrogate::all()
        .map(|s| (s.name().to_owned(), s.gradient_equation().to_owned(), s.cuda_function(s.name())))
        .collect();
    check("neuron-codegen/src/emit/cuda/support/surrogates.cu", |_| cuda_file(&all));
}

#[test]
fn documentation() {
    let mut table = String::from("\n| surrogate | parameters | gradient |\n| --- | --- | --- |\n");
    for surrogate in Surrogate::all() {
        let parameter = |parameter: &ParameterDef| {
            let ParameterDef { name, default, range } = parameter;
            let range = if range.is_empty() { String::new() } else { format!(", `{range}`") };
            format!("`{name}` = {default}{range}")
        };
        let parameters: Vec<_> = surrogate.parameter_defs().iter().map(parameter).collect();
        let gradient = match surrogate.gradient_equation().split_once(" where ") {
            Some((value, parts)) => format!("`{value}` where `{parts}`"),
            None => format!("`{}`", surrogate.gradient_equation()),
        };
        table += &format!("| `{}` | {} | {gradient} |\n", surrogate.name(), parameters.join("; "));
    }
    check("docs/language.md", |text| {
        let start = text.find("<!-- surrogates").expect("the table has a beginning");
        let start = start + text[start..].find("-->").expect("it is a comment") + 3;
        let end = start + text[start..].find("<!-- end -->").expect("the table has an end");
        format!("{}\n{table}\n{}", &text[..start], &text[end..])
    });
}
