//! Neurons that keep their state.

use candle_core::{Shape, Tensor};
use candle_nn::VarBuilder;
use neuron_runtime::{Device, Gradient, Neuron, OutOfRange};

use crate::call::Wanted;
use crate::history::History;
use crate::norm::{Norm, Normalised};
use crate::{BatchNorm, Error, MultiStep};

/// A layer of neurons that keeps its state from call to call.
///
/// The state takes the shape of the first input and starts at its initial value, `v_reset` for the membrane
/// potential, or where [`Node::set_state`] says. It stays part of candle's graph, so that gradients flow back into earlier
/// calls, however many; cut it with [`Node::detach`] for truncated back-propagation through time.
///
/// In evaluation mode ([`Node::eval`]), outputs and states are no part of a graph, so that memory does not grow.
#[derive(Clone, Debug)]
pub struct Node<N> {
    /// The layer without state.
    pub(crate) layer: MultiStep<N>,
    /// What normalises its input.
    pub(crate) norm: Option<Norm>,
    pub(crate) states: Option<Vec<Tensor>>,
    /// States that were set since the last call.
    pub(crate) set: Vec<Option<Tensor>>,
    pub(crate) history: History,
    is_evaluating: bool,
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

    /// Sets what a call does with values out of range; see [`MultiStep::with_out_of_range`].
    #[must_use]
    pub fn with_out_of_range(mut self, out_of_range: OutOfRange) -> Self {
        self.layer = self.layer.with_out_of_range(out_of_range);
        self
    }

    /// Lets the next call check the values of parameters; see [`MultiStep::recheck`].
    pub fn recheck(&self) {
        self.layer.recheck();
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

    /// Enters training mode, which is the default: outputs and states are part of candle's graph.
    pub fn train(&mut self) {
        self.is_evaluating = false;
    }

    /// Enters evaluation mode: outputs and states are detached.
    pub fn eval(&mut self) {
        self.is_evaluating = true;
    }

    /// Whether outputs and states are part of candle's graph.
    pub fn is_training(&self) -> bool {
        !self.is_evaluating
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

    /// Runs a call. On an error, the node is as before.
    pub(crate) fn run(&mut self, multi_step: bool, inputs: &[&Tensor]) -> Result<Tensor, Error> {
        let Some(normalised) = self.normalised(multi_step, inputs)? else {
            return self.run_normalised(multi_step, inputs, None);
        };
        let (output, next) = self.compute(multi_step, &[&normalised.x], Some(&normalised))?;
        normalised.update()?;
        self.keep(next);
        Ok(output)
    }

    /// As [`Node::run`], for inputs that are normalised already, or not at all.
    pub(crate) fn run_normalised(
        &mut self,
        multi_step: bool,
        inputs: &[&Tensor],
        normalised: Option<&Normalised>,
    ) -> Result<Tensor, Error> {
        let (output, next) = self.compute(multi_step, inputs, normalised)?;
        self.keep(next);
        Ok(output)
    }

    /// The normalised input; `None` for a node that does not normalise, and for other than one input, which the call refuses.
    pub(crate) fn normalised(
        &self,
        multi_step: bool,
        inputs: &[&Tensor],
    ) -> Result<Option<Normalised>, Error> {
        let (Some(norm), [x]) = (&self.norm, inputs) else { return Ok(None) };
        norm.normalised(self.neuron().spec(), multi_step, x, self.is_training()).map(Some)
    }

    /// The output and the next states.
    fn compute(
        &mut self,
        multi_step: bool,
        inputs: &[&Tensor],
        normalised: Option<&Normalised>,
    ) -> Result<(Tensor, Vec<Tensor>), Error> {
        let initial = match (&self.states, inputs.first()) {
            (None, Some(x)) if self.set.iter().any(Option::is_some) => {
                let initial = self.layer.initial(multi_step, x, normalised)?;
                let set = self.set.iter().cloned();
                Some(set.zip(initial).map(|(set, initial)| set.unwrap_or(initial)).collect::<Vec<_>>())
            }
            _ => None,
        };
        let states = self.states.as_deref().or(initial.as_deref());
        let history = (!self.is_evaluating).then_some(&mut self.history);
        let wanted = Wanted { states: true, history, ..Wanted::default() };
        self.layer.run(multi_step, inputs, states, normalised, wanted)
    }

    fn keep(&mut self, next: Vec<Tensor>) {
        self.states = Some(next);
        self.set.fill(None);
        if self.is_evaluating {
            // Of calls in training mode before.
            self.history = History::default();
        }
    }

    /// Resets to the initial state; the next input may have another shape.
    pub fn reset(&mut self) {
        self.states = None;
        self.set.fill(None);
        self.history = History::default();
    }

    /// Detaches the state from candle's graph: later gradients stop here.
    pub fn detach(&mut self) {
        let set = self.set.iter_mut().flatten();
        for state in self.states.iter_mut().flatten().chain(set) {
            *state = state.detach();
        }
        self.history = History::default();
    }
}

impl<N: Neuron + Clone> From<BatchNorm<N>> for Node<N> {
    /// The same layer, with state: it normalises by the statistics of each call in training, and by the running ones in evaluation
    /// mode.
    fn from(BatchNorm { layer, norm }: BatchNorm<N>) -> Self {
        Self { norm: Some(norm), ..Self::from(layer) }
    }
}

impl<N: Neuron + Clone> From<MultiStep<N>> for Node<N> {
    /// The same layer, with state.
    fn from(layer: MultiStep<N>) -> Self {
        let set = vec![None; layer.neuron().spec().states.len()];
        Self { layer, norm: None, states: None, set, history: History::default(), is_evaluating: false }
    }
}
