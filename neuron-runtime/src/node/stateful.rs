//! Nodes: their state, settings and parameters.

use super::parameters::Parameters;
use crate::step::{Context, Operation, Sequence, Single, Stepping};
use crate::{Array, Element, Error, Gradient, Neuron, Surrogate};

/// A layer of neurons with state.
///
/// The state starts at its declared initial value (`v` at `v_reset`), takes the shape of the first input
/// (`x_seq[0]` for a sequence) and persists until [`Stateful::reset`].
///
/// In training mode, which is the default, each forward pass saves what its backward pass needs. Backward passes are
/// called in reverse order, and the gradient of the state flows from each to the preceding one: back-propagation through
/// time, over single steps or over several sequences. [`Stateful::detach`] cuts this flow and frees what was saved, but keeps
/// the state; [`Stateful::reset`] discards the state, too. In evaluation mode nothing is saved, and no gradient flows through
/// it.
///
/// Array parameters start with the neuron's value, the same for all neurons; see [`Stateful::set_parameter`]. Gradients of
/// learnable parameters, including those through the initial state, accumulate over backward passes until
/// [`Stateful::zero_grad`].
#[derive(Clone, Debug)]
pub struct Stateful<N, E: Element, S> {
    pub(super) operation: Operation<N, S>,
    pub(super) parameters: Parameters<E::Real>,
    pub(super) states: Option<Vec<Array<E::Real>>>,
    pub(super) stores_v_seq: bool,
    pub(super) v_seq: Option<Array<E::Real>>,
    pub(super) is_training: bool,
    pub(super) saved: Vec<Saved<N, E>>,
    /// Whether the states are those after the last saved forward pass, which has not been differentiated yet.
    pub(super) continues: bool,
    /// Gradients of the states before the first step of the last backward pass.
    pub(super) grad_states: Option<Vec<Array<E::Real>>>,
}

/// A forward pass to be differentiated.
#[derive(Clone, Debug)]
pub(super) struct Saved<N, E: Element> {
    pub(super) context: Context<N, E>,
    /// Whether it started from the states after the preceding saved pass.
    pub(super) continues: bool,
    /// Whether it started from the initial states.
    pub(super) is_initial: bool,
    /// Gradients of its final states, from the pass that continued with them; `None` means zero.
    pub(super) grad_states: Option<Vec<Array<E::Real>>>,
}

/// A layer of neurons with state that processes one step at a time; see [`Stateful`].
pub type Node<N, E = f32> = Stateful<N, E, Single>;

/// A layer of neurons with state that processes whole sequences; see [`Stateful`].
pub type MultiStepNode<N, E = f32> = Stateful<N, E, Sequence>;

impl<N: Neuron + Clone, E: Element, S: Stepping> Stateful<N, E, S> {
    /// A layer of the given neuron with the ATan surrogate, `alpha = 2`.
    pub fn new(neuron: N) -> Self {
        Self::with_gradient(neuron, Gradient::default())
    }

    /// A layer of the given neuron, differentiated by a surrogate or a [`Gradient`].
    pub fn with_gradient(neuron: N, gradient: impl Into<Gradient>) -> Self {
        Self {
            parameters: Parameters::of(&neuron),
            operation: Operation::new(neuron, gradient),
            states: None,
            stores_v_seq: false,
            v_seq: None,
            is_training: true,
            saved: Vec::new(),
            continues: false,
            grad_states: None,
        }
    }

    /// Sets the surrogate.
    #[must_use]
    pub fn with_surrogate(mut self, surrogate: Surrogate) -> Self {
        self.operation.gradient.surrogate = surrogate;
        self
    }

    /// Sets whether the gradient treats the spike in the reset as a constant.
    #[must_use]
    pub fn with_detach_reset(mut self, detach_reset: bool) -> Self {
        self.operation.gradient.detach_reset = detach_reset;
        self
    }

    /// Sets an array parameter from the next forward pass on: `[]` is one value for all neurons, otherwise its shape is
    /// broadcast to that of the states, as in [`Operation::forward_with`].
    ///
    /// # Errors
    /// [`Error::UnknownParameter`], [`Error::ScalarParameter`], and as [`Neuron::validate`] for values out of range.
    /// The next forward pass checks the shape.
    pub fn set_parameter(&mut self, name: &str, values: Array<E::Real>) -> Result<(), Error> {
        self.parameters.set(&self.operation.neuron, name, values)
    }

    /// The values of an array parameter, or `None` if there is no such parameter.
    pub fn parameter(&self, name: &str) -> Option<&Array<E::Real>> {
        self.parameters.get(name)
    }

    /// The gradient of a learnable parameter, in its shape, over all backward passes since the last
    /// [`Stateful::zero_grad`]; `None` without a backward pass or such a parameter. Waits for the GPU.
    ///
    /// # Errors
    /// [`Error::Cuda`]
    pub fn parameter_grad(&self, name: &str) -> Result<Option<Array<E::Real>>, Error> {
        self.parameters.grad(name)
    }

    /// Discards the gradients of learnable parameters.
    pub fn zero_grad(&mut self) {
        self.parameters.zero_grad();
    }

    /// The neuron, without the parameters set by [`Stateful::set_parameter`].
    pub fn neuron(&self) -> &N {
        &self.operation.neuron
    }

    /// How spikes are differentiated.
    pub fn gradient(&self) -> Gradient {
        self.operation.gradient
    }

    /// The states, `v` first, or `None` before the first input.
    pub fn states(&self) -> Option<&[Array<E::Real>]> {
        self.states.as_deref()
    }

    /// The membrane potential, or `None` before the first input.
    pub fn v(&self) -> Option<&Array<E::Real>> {
        self.states.as_ref().map(|states| &states[0])
    }

    /// Enters training mode: forward passes save what backward passes need.
    pub fn train(&mut self) {
        self.is_training = true;
    }

    /// Enters evaluation mode: forward passes save nothing.
    pub fn eval(&mut self) {
        self.is_training = false;
    }

    /// Whether forward passes save what backward passes need.
    pub fn is_training(&self) -> bool {
        self.is_training
    }

    /// Discards the state and everything saved.
    pub fn reset(&mut self) {
        self.states = None;
        self.v_seq = None;
        self.detach();
    }

    /// Discards everything saved, but keeps the state.
    pub fn detach(&mut self) {
        self.saved.clear();
        self.continues = false;
        self.grad_states = None;
    }
}

impl<N: Neuron + Clone + Default, E: Element, S: Stepping> Default for Stateful<N, E, S> {
    fn default() -> Self {
        Self::new(N::default())
    }
}
