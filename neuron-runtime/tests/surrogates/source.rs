//! The CUDA source of the surrogates is that of their declarations.

use std::path::Path;

use neuron_codegen::surrogate::cuda_file;
use neuron_runtime::Surrogate;

/// After a change of a declaration or of the generator: `NEURON_UPDATE=1 cargo test -p neuron-runtime --test
/// surrogates`, and a look at the difference.
#[test]
fn the_checked_in_source_is_that_of_the_declarations() {
    let all: Vec<_> = Surrogate::all()
        .map(|s| (s.name().to_owned(), s.gradient_equation().to_owned(), s.cuda_function(s.name())))
        .collect();
    let expected = cuda_file(&all);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../neuron-codegen/src/emit/cuda/surrogates.cu");
    let actual = std::fs::read_to_string(&path).unwrap_or_default();
    if actual != expected && std::env::var_os("NEURON_UPDATE").is_some() {
        std::fs::write(&path, &expected).unwrap();
        return;
    }
    let line = actual.lines().zip(expected.lines()).position(|(actual, expected)| actual != expected);
    assert!(
        actual == expected,
        "{} is not what the declarations give, from line {}; with NEURON_UPDATE=1 this test rewrites it",
        path.display(),
        line.map_or_else(|| "the end".to_owned(), |line| (line + 1).to_string())
    );
}
