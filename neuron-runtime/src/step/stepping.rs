//! Single steps and sequences of them: shapes and templates.

use std::fmt::Debug;

use crate::Template;
use crate::plan::Keep;

/// One step or a sequence of them.
pub trait Stepping: Copy + Clone + Debug + Default + PartialEq + Send + Sync + 'static {
    /// Whether time is the first dimension of the data.
    const IS_SEQUENCE: bool;

    /// The forward template, with or without the outputs that a backward pass needs.
    fn template(with_grad: bool) -> Template {
        match (Self::IS_SEQUENCE, with_grad) {
            (false, false) => Template::Forward,
            (false, true) => Template::ForwardWithGrad,
            (true, false) => Template::Fptt,
            (true, true) => Template::FpttWithGrad,
        }
    }

    /// The templates of a forward pass that saves `keep`, and of its backward pass. With checkpoints, a single step is a
    /// sequence of length 1, which needs none.
    fn templates(keep: Keep) -> [Template; 2] {
        match (Self::IS_SEQUENCE, keep) {
            (true, keep) => keep.templates(),
            (false, Keep::Factors) => [Template::ForwardWithGrad, Template::Backward],
            (false, Keep::Checkpoints) => [Template::Forward, Template::LeanBptt],
        }
    }
}

/// One step: inputs and spikes have the shape of the state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Single;

/// A sequence: inputs and spikes are `[T, ...]`, where `...` is the shape of the state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sequence;

impl Stepping for Single {
    const IS_SEQUENCE: bool = false;
}

impl Stepping for Sequence {
    const IS_SEQUENCE: bool = true;
}
