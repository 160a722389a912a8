//! Checks of shapes and of how many arrays there are.

use crate::Error;

pub(crate) fn arity(
    neuron: &'static str,
    what: &'static str,
    expected: usize,
    actual: usize,
) -> Result<(), Error> {
    if expected == actual { Ok(()) } else { Err(Error::Arity { neuron, what, expected, actual }) }
}

pub(crate) fn same(
    neuron: &'static str,
    argument: &str,
    expected: &[usize],
    actual: &[usize],
) -> Result<(), Error> {
    if expected == actual {
        Ok(())
    } else {
        Err(shape_error(neuron, argument, format!("{expected:?}"), actual))
    }
}

pub(crate) fn shape_error(neuron: &'static str, argument: &str, expected: String, actual: &[usize]) -> Error {
    Error::Shape { neuron, argument: argument.to_owned(), expected, actual: actual.to_vec() }
}

/// A sequence's shape in words: `[T, 2, 3]`.
pub(crate) fn sequence_of(dims: &[usize]) -> String {
    let sizes = dims.iter().map(usize::to_string);
    format!("[{}]", std::iter::once("T".to_owned()).chain(sizes).collect::<Vec<_>>().join(", "))
}
