//! Forward passes of a node.

use super::stateful::{MultiStepNode, Saved, Stateful};
use crate::shape::arity;
use crate::step::{Context, Operation, PackedStepped, Stepping, refs};
use crate::{Array, Device, Element, Error, Neuron, PackedSpikes, Template};

/// The result of a forward pass.
struct Pass<N, E: Element, T> {
    result: T,
    states: Vec<Array<E::Real>>,
    /// In training mode.
    context: Option<Context<N, E>>,
}

impl<N: Neuron + Clone, E: Element, S: Stepping> Stateful<N, E, S> {
    /// Spikes for one input: `x`, or `x_seq` of shape `[T, ...]`.
    ///
    /// # Errors
    /// [`Error::Shape`] if the shape differs from that of the first input since the last reset, and as [`Neuron::run`]. The
    /// state is then unchanged.
    pub fn forward(&mut self, x: &Array<E>) -> Result<Array<E>, Error> {
        self.forward_all(&[x])
    }

    /// Spikes for all inputs of the neuron.
    ///
    /// # Errors
    /// As [`Stateful::forward`].
    pub fn forward_all(&mut self, inputs: &[&Array<E>]) -> Result<Array<E>, Error> {
        let stores_v_seq = self.stores_v_seq;
        let (spike, v_seq) = self.pass(inputs, |operation, states, parameters, is_training| {
            let recorded =
                stores_v_seq.then(|| operation.recorded(inputs, states, parameters)).transpose()?;
            let (recorded, v_seq) = recorded.unzip();
            let (stepped, context) = match (is_training, recorded) {
                (true, _) => {
                    let (stepped, context) = operation.forward_with(inputs, states, parameters)?;
                    (stepped, Some(context))
                }
                (false, Some(recorded)) => (recorded, None),
                (false, None) => (operation.inference_with(inputs, states, parameters)?, None),
            };
            Ok(Pass { result: (stepped.spike, v_seq), states: stepped.states, context })
        })?;
        self.v_seq = v_seq;
        Ok(spike)
    }

    /// Runs a forward pass, which `compute` performs given states and parameters, and saves its context in training mode.
    fn pass<T>(
        &mut self,
        inputs: &[&Array<E>],
        compute: impl FnOnce(
            &Operation<N, S>,
            &[&Array<E::Real>],
            &[&Array<E::Real>],
            bool,
        ) -> Result<Pass<N, E, T>, Error>,
    ) -> Result<T, Error> {
        let device = inputs.first().map_or(Device::Cpu, |input| input.device());
        self.parameters.move_to(&device)?;
        let initial;
        let states = match &self.states {
            Some(states) => states,
            None => {
                initial = self.initial(inputs, &device)?;
                &initial
            }
        };
        let (states, parameters) = (refs(states), refs(self.parameters.arrays()));
        let pass = compute(&self.operation, &states, &parameters, self.is_training)?;
        if let Some(context) = pass.context {
            let (continues, is_initial) = (self.continues, self.states.is_none());
            self.saved.push(Saved { context, continues, is_initial, grad_states: None });
        }
        self.continues = self.is_training;
        self.states = Some(pass.states);
        Ok(pass.result)
    }

    /// The states before the first step, in the shape that follows from the inputs.
    fn initial(&self, inputs: &[&Array<E>], device: &Device) -> Result<Vec<Array<E::Real>>, Error> {
        let spec = self.neuron().spec();
        let neuron = spec.name;
        self.neuron().validate_in::<E::Real>()?;
        arity(neuron, "inputs", spec.inputs.len(), inputs.len())?;
        let shape = inputs[0].shape();
        let dims = if S::IS_SEQUENCE { shape.get(1..) } else { Some(shape) };
        let Some(dims) = dims else {
            let (argument, expected) = (spec.inputs[0].to_owned(), "[T, ...]".to_owned());
            return Err(Error::Shape { neuron, argument, expected, actual: shape.to_vec() });
        };
        if shape.contains(&0) {
            // Checked here, before arrays are allocated: with a zero, the other dimensions may be arbitrarily large.
            let template = S::template(self.is_training);
            let what = if dims.contains(&0) { "N" } else { "T" };
            return Err(Error::Empty { neuron, template, what });
        }
        self.parameters.initial_states(self.neuron(), dims, device)
    }
}

impl<N: Neuron + Clone, E: Element> MultiStepNode<N, E> {
    /// Sets whether forward passes store the membrane potential after every step, for [`Stateful::v_seq`]. Off by default.
    /// In training mode, this takes an additional pass.
    pub fn store_v_seq(&mut self, stores: bool) {
        self.stores_v_seq = stores;
        self.v_seq = None;
    }

    /// The membrane potential after every step of the last forward pass, `[T, ...]`; `None` unless
    /// [`Stateful::store_v_seq`] enabled it, and after [`Stateful::forward_packed`], which does not store it.
    pub fn v_seq(&self) -> Option<&Array<E::Real>> {
        self.v_seq.as_ref()
    }

    /// As [`Stateful::forward_all`], with bit-packed spikes. In training mode, packing takes an additional pass.
    ///
    /// # Errors
    /// As [`Stateful::forward`], and [`Error::NoTemplate`] if the neuron does not fire.
    pub fn forward_packed(&mut self, inputs: &[&Array<E>]) -> Result<PackedSpikes, Error> {
        self.neuron().spec().check_template(Template::PackedFptt)?;
        let packed = self.pass(inputs, |operation, states, parameters, is_training| {
            if is_training {
                let (stepped, context) = operation.forward_with(inputs, states, parameters)?;
                let result = PackedSpikes::pack(operation.neuron.spec(), &stepped.spike)?;
                return Ok(Pass { result, states: stepped.states, context: Some(context) });
            }
            let PackedStepped { spike, states } = operation.packed(inputs, states, parameters)?;
            Ok(Pass { result: spike, states, context: None })
        })?;
        self.v_seq = None;
        Ok(packed)
    }
}
