//! Nodes: their settings and parameters, and what they keep.

use std::collections::VecDeque;

use super::parameters::{OutOfRange, Parameters};
use super::saved::{Origin, Pass, Saved};
use crate::step::{Operation, Sequence, Single, Stepping};
use crate::{Array, Element, Error, Gradient, Neuron, Surrogate};

/// A layer of neurons with state.
///
/// The state starts at its declared initial value (`v` at `v_reset`), takes the shape of the first input
/// (`x_seq[0]` for a sequence) and persists until [`Stateful::reset`].
///
/// In training mode, which is the default, each forward pass saves what its backward pass needs. Backward passes are called
/// in reverse order, and the gradient of the state flows from each to the preceding one. A node for single steps keeps all
/// passes until they are differentiated, one for sequences the last; [`Stateful::keep_passes`] sets how many:
///
/// ```
/// # use neuron_runtime::{Array, Node, neuron};
/// # neuron! { pub struct Leaky { param tau = 2.0; charge = v + (x - v) / tau; reset hard; } }
/// let mut node = Node::<Leaky>::default();
/// node.keep_passes(100); // truncated back-propagation through time: memory is bounded
/// for _ in 0..4 {
///     node.forward(&Array::full([3], 1.5f32))?;
/// }
/// for _ in 0..4 {
///     node.backward(&Array::full([3], 1.0))?; // the last step first
/// }
/// # Ok::<(), neuron_runtime::Error>(())
/// ```
///
/// [`Stateful::detach`] cuts this flow and frees what was saved, but keeps the state; [`Stateful::reset`] discards the state,
/// too. In evaluation mode nothing is saved, and no gradient flows through it.
///
/// Everything is computed on the device of the inputs. States and parameters on another device are copied there, and stay
/// there once the pass has succeeded.
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
    /// Where each of the states comes from.
    pub(super) origins: Vec<Origin>,
    pub(super) is_training: bool,
    pub(super) saved: VecDeque<Saved<N, E>>,
    /// The most passes to be saved.
    pub(super) kept_passes: usize,
    /// Whether the pass before those that are saved was dropped.
    pub(super) has_dropped: bool,
    /// Gradients of the states before the first step of the last backward pass.
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
            origins: vec![Origin::Initial; neuron.spec().states.len()],
            operation: Operation::new(neuron, gradient),
            states: None,
            stores_v_seq: false,
            v_seq: None,
            is_training: true,
            saved: VecDeque::new(),
            kept_passes: if S::IS_SEQUENCE { 1 } else { usize::MAX },
            has_dropped: false,
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

    /// Sets whether a GPU may scan sequences over time; see [`Operation::scan`].
    #[must_use]
    pub fn with_scan(mut self, scan: bool) -> Self {
        self.operation.scan = scan;
        self
    }

    /// Sets an array parameter from the next forward pass on: `[]` is one value for all neurons, otherwise its shape is
    /// broadcast to that of the states, as in [`Operation::forward_with`].
    ///
    /// # Errors
    /// [`Error::UnknownParameter`], [`Error::ScalarParameter`], and as [`Neuron::validate`] for values out of range; see
    /// [`Stateful::set_out_of_range`]. The next forward pass checks the shape.
    pub fn set_parameter(&mut self, name: &str, values: Array<E::Real>) -> Result<(), Error> {
        self.parameters.set(&self.operation.neuron, name, values)
    }

    /// Sets what [`Stateful::set_parameter`] does with values out of range: refuse them, which is the default, or replace them
    /// by the closest ones in range.
    pub fn set_out_of_range(&mut self, out_of_range: OutOfRange) {
        self.parameters.out_of_range = out_of_range;
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

    /// Sets how many forward passes in training mode the node keeps for backward passes: by default all of a node for
    /// single steps, and one of a node for sequences. Each further one drops
    /// the oldest, so gradients flow back through so many passes: back-propagation through time truncated to them. With
    /// `usize::MAX` nothing is dropped, and memory grows with every pass until it is differentiated, or until
    /// [`Stateful::detach`] or [`Stateful::reset`].
    pub fn keep_passes(&mut self, most: usize) {
        self.kept_passes = most;
        self.drop_oldest();
    }

    /// The bytes that are kept for backward passes, besides the caller's arrays.
    pub fn kept_bytes(&self) -> usize {
        self.saved.iter().map(|saved| saved.pass.kept_bytes()).sum()
    }

    /// Discards the state and everything saved.
    pub fn reset(&mut self) {
        self.detach();
        self.states = None;
        self.v_seq = None;
        self.origins.fill(Origin::Initial);
    }

    /// Discards everything saved, but keeps the state.
    pub fn detach(&mut self) {
        self.saved.clear();
        self.has_dropped = false;
        self.cut();
        self.grad_states = None;
    }

    /// Saves a forward pass, after which the states are its.
    pub(super) fn save(&mut self, pass: Pass<N, E>) {
        self.has_dropped &= !self.saved.is_empty();
        self.saved.push_back(Saved { pass, origins: self.origins.clone(), grad_states: None });
        self.drop_oldest();
    }

    fn drop_oldest(&mut self) {
        while self.saved.len() > self.kept_passes {
            self.saved.pop_front();
            self.has_dropped = true;
        }
    }

    /// Lets no more gradients flow from the states to the passes that are saved.
    pub(super) fn cut(&mut self) {
        for origin in self.origins.iter_mut().filter(|origin| **origin == Origin::Pass) {
            *origin = Origin::Constant;
        }
    }
}

impl<N: Neuron + Clone + Default, E: Element, S: Stepping> Default for Stateful<N, E, S> {
    fn default() -> Self {
        Self::new(N::default())
    }
}
