//! Neurons as layers of a network.

use candle_core::{Module, Tensor};
use neuron_runtime::{Device, Gradient, Neuron};

use crate::function::call;
use crate::op::Forward;
use crate::{Error, initial_state};

/// A layer of neurons without memory: every sequence starts from the initial state.
#[derive(Clone, Debug, PartialEq)]
pub struct MultiStep<N> {
    neuron: N,
    gradient: Gradient,
    device: Device,
}

impl<N: Neuron> MultiStep<N> {
    /// A layer of neurons like `neuron`, whose spikes are differentiated as `gradient` says.
    ///
    /// # Errors
    /// A parameter of the neuron or of the surrogate out of range.
    pub fn new(neuron: N, gradient: Gradient) -> Result<Self, Error> {
        neuron.validate()?;
        gradient.surrogate.validate()?;
        Ok(Self { neuron, gradient, device: Device::Cpu })
    }

    /// Computed on `device`, a GPU for instance. Tensors stay on candle's CPU: they are copied there and back
    /// for each pass, so that this needs no CUDA build of candle.
    #[must_use]
    pub fn on(mut self, device: Device) -> Self {
        self.device = device;
        self
    }

    /// The neuron.
    pub fn neuron(&self) -> &N {
        &self.neuron
    }

    fn op(&self, multi_step: bool) -> Forward<N> {
        let (neuron, device) = (self.neuron.clone(), self.device.clone());
        Forward { neuron, gradient: self.gradient, multi_step, device }
    }

    /// Input `[T, ...]` to spikes `[T, ...]`, for neurons with one input.
    ///
    /// # Errors
    /// As [`multi_step`](crate::multi_step).
    pub fn forward(&self, x_seq: &Tensor) -> Result<Tensor, Error> {
        Ok(self.forward_from(x_seq, None)?.0)
    }

    /// Input `[T, ...]` and states `[...]`, or the initial ones, to spikes `[T, ...]` and the states after
    /// the last step.
    ///
    /// # Errors
    /// As [`multi_step`](crate::multi_step).
    pub fn forward_from(
        &self,
        x_seq: &Tensor,
        states: Option<&[Tensor]>,
    ) -> Result<(Tensor, Vec<Tensor>), Error> {
        let run = |states: &[Tensor]| call(self.op(true), &[x_seq], states);
        match states {
            Some(states) => run(states),
            None => run(&initial_state_of_sequence(&self.neuron, x_seq)?),
        }
    }
}

impl<N: Neuron> Module for MultiStep<N> {
    fn forward(&self, x_seq: &Tensor) -> candle_core::Result<Tensor> {
        Ok(self.forward(x_seq)?)
    }
}

/// A layer of neurons that keeps its state from call to call.
///
/// The state takes the shape of the first input and starts at its initial value, `v_reset` for the membrane
/// potential. It stays part of candle's graph, so that gradients flow back into earlier calls; cut it with
/// [`Node::detach`] for truncated back-propagation through time.
#[derive(Clone, Debug)]
pub struct Node<N> {
    /// The same neurons without memory.
    layer: MultiStep<N>,
    states: Option<Vec<Tensor>>,
}

impl<N: Neuron> Node<N> {
    /// A layer of neurons like `neuron`, whose spikes are differentiated as `gradient` says.
    ///
    /// # Errors
    /// A parameter of the neuron or of the surrogate out of range.
    pub fn new(neuron: N, gradient: Gradient) -> Result<Self, Error> {
        Ok(Self { layer: MultiStep::new(neuron, gradient)?, states: None })
    }

    /// Computed on `device`; see [`MultiStep::on`].
    #[must_use]
    pub fn on(mut self, device: Device) -> Self {
        self.layer = self.layer.on(device);
        self
    }

    /// The neuron.
    pub fn neuron(&self) -> &N {
        self.layer.neuron()
    }

    /// The states, in the order of [`Spec::states`](neuron_runtime::Spec::states), if there was an input
    /// since the last reset.
    pub fn states(&self) -> Option<&[Tensor]> {
        self.states.as_deref()
    }

    /// One step: input to spikes, of one shape. On an error the state stays as it was.
    ///
    /// # Errors
    /// As [`step`](crate::step).
    pub fn step(&mut self, x: &Tensor) -> Result<Tensor, Error> {
        let states = match &self.states {
            Some(states) => states.clone(),
            None => initial_state(self.neuron(), x)?,
        };
        let (spikes, next) = call(self.layer.op(false), &[x], &states)?;
        self.states = Some(next);
        Ok(spikes)
    }

    /// A sequence: input `[T, ...]` to spikes `[T, ...]`. On an error the state stays as it was.
    ///
    /// # Errors
    /// As [`multi_step`](crate::multi_step).
    pub fn multi_step(&mut self, x_seq: &Tensor) -> Result<Tensor, Error> {
        let states = match &self.states {
            Some(states) => states.clone(),
            None => initial_state_of_sequence(self.neuron(), x_seq)?,
        };
        let (spikes, next) = call(self.layer.op(true), &[x_seq], &states)?;
        self.states = Some(next);
        Ok(spikes)
    }

    /// Back to the initial state; the next input may have another shape.
    pub fn reset(&mut self) {
        self.states = None;
    }

    /// Cuts the state off from what it was computed from: later gradients stop here.
    pub fn detach(&mut self) {
        for state in self.states.iter_mut().flatten() {
            *state = state.detach();
        }
    }
}

fn initial_state_of_sequence<N: Neuron>(neuron: &N, x_seq: &Tensor) -> Result<Vec<Tensor>, Error> {
    match x_seq.dims() {
        [] => Err(Error::NoTime { name: format!("{}_seq", N::SPEC.inputs[0]) }),
        [0, ..] => {
            Err(Error::Empty { name: format!("{}_seq", N::SPEC.inputs[0]), shape: x_seq.dims().to_vec() })
        }
        _ => initial_state(neuron, &x_seq.get(0)?),
    }
}
