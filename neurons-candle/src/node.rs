//! Neurons that keep their state.

use candle_core::{Shape, Tensor};
use candle_nn::VarBuilder;
use neuron_runtime::{Device, Gradient, Neuron};

use crate::{Error, MultiStep};

/// A layer of neurons that keeps its state from call to call.
///
/// The state takes the shape of the first input and starts at its initial value, `v_reset` for the membrane
/// potential. It stays part of candle's graph, so that gradients flow back into earlier calls; cut it with
/// [`Node::detach`] for truncated back-propagation through time.
#[derive(Clone, Debug)]
pub struct Node<N> {
    /// The layer without state.
    layer: MultiStep<N>,
    states: Option<Vec<Tensor>>,
}

impl<N: Neuron + Clone> Node<N> {
    /// A layer of `neuron`, differentiated as specified by `gradient`.
    ///
    /// # Errors
    /// As [`MultiStep::new`].
    pub fn new(neuron: N, gradient: Gradient) -> Result<Self, Error> {
        Ok(MultiStep::new(neuron, gradient)?.into())
    }

    /// Runs the neurons on `device`; see [`MultiStep::on`].
    #[must_use]
    pub fn on(mut self, device: Device) -> Self {
        self.layer = self.layer.on(device);
        self
    }

    /// Makes learnable parameters variables; see [`MultiStep::learn`].
    ///
    /// # Errors
    /// As [`MultiStep::learn`].
    pub fn learn(mut self, shape: impl Into<Shape>, vb: VarBuilder<'_>) -> Result<Self, Error> {
        self.layer = self.layer.learn(shape, vb)?;
        Ok(self)
    }

    /// Sets the values of a parameter; see [`MultiStep::with_parameter`].
    ///
    /// # Errors
    /// As [`MultiStep::with_parameter`].
    pub fn with_parameter(mut self, name: &str, values: Tensor) -> Result<Self, Error> {
        self.layer = self.layer.with_parameter(name, values)?;
        Ok(self)
    }

    /// The values set for a parameter; see [`MultiStep::parameter`].
    pub fn parameter(&self, name: &str) -> Option<&Tensor> {
        self.layer.parameter(name)
    }

    /// The neuron.
    pub fn neuron(&self) -> &N {
        self.layer.neuron()
    }

    /// The states, in the order of [`Spec::states`](neuron_runtime::Spec::states); `None` without an input since the last
    /// reset.
    pub fn states(&self) -> Option<&[Tensor]> {
        self.states.as_deref()
    }

    /// One step: from input to spikes or output of the same shape. After an error the state is unchanged.
    ///
    /// # Errors
    /// As [`step`](crate::step).
    pub fn step(&mut self, x: &Tensor) -> Result<Tensor, Error> {
        self.step_all(&[x])
    }

    /// As [`Node::step`], for neurons with any number of inputs.
    ///
    /// # Errors
    /// As [`step`](crate::step).
    pub fn step_all(&mut self, inputs: &[&Tensor]) -> Result<Tensor, Error> {
        self.run(false, inputs)
    }

    /// A sequence: from input `[T, ...]` to spikes or output `[T, ...]`. After an error the state is unchanged.
    ///
    /// # Errors
    /// As [`multi_step`](crate::multi_step).
    pub fn multi_step(&mut self, x_seq: &Tensor) -> Result<Tensor, Error> {
        self.multi_step_all(&[x_seq])
    }

    /// As [`Node::multi_step`], for neurons with any number of inputs.
    ///
    /// # Errors
    /// As [`multi_step`](crate::multi_step).
    pub fn multi_step_all(&mut self, inputs: &[&Tensor]) -> Result<Tensor, Error> {
        self.run(true, inputs)
    }

    fn run(&mut self, multi_step: bool, inputs: &[&Tensor]) -> Result<Tensor, Error> {
        let (output, next) = self.layer.run(multi_step, inputs, self.states.as_deref())?;
        self.states = Some(next);
        Ok(output)
    }

    /// Resets to the initial state; the next input may have another shape.
    pub fn reset(&mut self) {
        self.states = None;
    }

    /// Detaches the state from candle's graph: later gradients stop here.
    pub fn detach(&mut self) {
        for state in self.states.iter_mut().flatten() {
            *state = state.detach();
        }
    }
}

impl<N> From<MultiStep<N>> for Node<N> {
    /// The same layer, with state.
    fn from(layer: MultiStep<N>) -> Self {
        Self { layer, states: None }
    }
}
