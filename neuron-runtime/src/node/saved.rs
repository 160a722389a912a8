//! Forward passes that a node keeps for its backward passes.

use crate::step::{Context, Gradients, RecordedContext, not_recorded};
use crate::{Array, Element, Error, Neuron};

/// Where the value of a state comes from, which decides where its gradient goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Its declared initial value: to the parameters in it.
    Initial,
    /// The last saved forward pass: to that.
    Pass,
    /// The user, or a pass that is not saved: nowhere.
    Constant,
}

/// A forward pass to be differentiated.
#[derive(Clone, Debug)]
pub(super) struct Saved<N, E: Element> {
    pub pass: Pass<N, E>,
    /// Where the states that it began with come from.
    pub origins: Vec<Origin>,
    /// Gradients of its final states, from the pass that continued with them; `None` means zero.
    pub grad_states: Option<Vec<Array<E::Real>>>,
}

/// What a forward pass saved.
#[derive(Clone, Debug)]
pub(super) enum Pass<N, E: Element> {
    Whole(Context<N, E>),
    Recorded(RecordedContext<N, E>),
}

impl<N: Neuron + Clone, E: Element> Pass<N, E> {
    pub fn backward(
        &self,
        grad_spike: &Array<E>,
        grad_records: &[(&str, &Array<E::Real>)],
        grad_states: &[&Array<E::Real>],
    ) -> Result<Gradients<E>, Error> {
        match (self, grad_records) {
            (Self::Whole(context), []) => context.backward_all(grad_spike, grad_states),
            (Self::Whole(context), [(name, _), ..]) => {
                Err(not_recorded(context.spec(), name, std::iter::empty()))
            }
            (Self::Recorded(context), _) => context.backward_all(grad_spike, grad_records, grad_states),
        }
    }

    pub fn parameters(&self) -> &[Array<E::Real>] {
        match self {
            Self::Whole(context) => context.parameters(),
            Self::Recorded(context) => context.parameters(),
        }
    }

    pub fn dims(&self) -> &[usize] {
        match self {
            Self::Whole(context) => context.dims(),
            Self::Recorded(context) => context.dims(),
        }
    }

    pub fn kept_bytes(&self) -> usize {
        match self {
            Self::Whole(context) => context.kept_bytes(),
            Self::Recorded(context) => context.kept_bytes(),
        }
    }
}
