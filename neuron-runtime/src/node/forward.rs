//! Forward passes of a node.

use super::saved::{Origin, Pass};
use super::stateful::{MultiStepNode, Stateful};
use crate::shape::arity;
use crate::step::{Operation, PackedStepped, Records, Stepping, refs};
use crate::{Array, Device, Element, Error, Neuron, PackedSpikes, Template};

/// The result of a forward pass.
struct Passed<N, E: Element, T> {
    result: T,
    states: Vec<Array<E::Real>>,
    /// In training mode.
    saved: Option<Pass<N, E>>,
}

impl<N: Neuron + Clone, E: Element, S: Stepping> Stateful<N, E, S> {
    /// Spikes for one input: `x`, or `x_seq` of shape `[T, ...]`.
    ///
    /// # Errors
    /// [`Error::Shape`] if the shape differs from that of the first input since the last reset, and as [`Neuron::run`];
    /// [`Error::Cuda`] if states or parameters cannot be copied to the device of the inputs. The node is then unchanged.
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
            let (stepped, saved) = match (is_training, recorded) {
                (true, _) => {
                    let (stepped, context) = operation.forward_with(inputs, states, parameters)?;
                    (stepped, Some(Pass::Whole(context)))
                }
                (false, Some(recorded)) => (recorded, None),
                (false, None) => (operation.inference_with(inputs, states, parameters)?, None),
            };
            Ok(Passed { result: (stepped.spike, v_seq), states: stepped.states, saved })
        })?;
        self.v_seq = v_seq;
        Ok(spike)
    }

    /// Runs a forward pass, which `compute` performs given states and parameters, and saves it in training mode.
    fn pass<T>(
        &mut self,
        inputs: &[&Array<E>],
        compute: impl FnOnce(
            &Operation<N, S>,
            &[&Array<E::Real>],
            &[&Array<E::Real>],
            bool,
        ) -> Result<Passed<N, E, T>, Error>,
    ) -> Result<T, Error> {
        let device = inputs.first().map_or(Device::Cpu, |input| input.device());
        // Copies, so that the node stays as it was if anything fails.
        let parameters = self.parameters.on(&device)?;
        let states = self.start(inputs, &device)?;
        let pass = compute(&self.operation, &refs(&states), &refs(&parameters), self.is_training)?;
        let origin = if pass.saved.is_some() { Origin::Pass } else { Origin::Constant };
        if let Some(saved) = pass.saved {
            self.save(saved);
        }
        self.origins.fill(origin);
        self.parameters.moved(parameters);
        self.states = Some(pass.states);
        Ok(pass.result)
    }

    /// The states that a forward pass starts with, on `device`.
    fn start(&self, inputs: &[&Array<E>], device: &Device) -> Result<Vec<Array<E::Real>>, Error> {
        let Some(states) = &self.states else { return self.initial(inputs, device) };
        let states = states.iter().map(|state| state.to(device));
        if !self.origins.contains(&Origin::Initial) {
            return states.collect();
        }
        // Parameters may have changed since the others were set.
        let initial = self.initial(inputs, device)?;
        let which = |((state, initial), origin): ((Result<_, Error>, _), &Origin)| match origin {
            Origin::Initial => Ok(initial),
            Origin::Pass | Origin::Constant => state,
        };
        states.zip(initial).zip(&self.origins).map(which).collect()
    }

    /// The initial states, in the shape that follows from the inputs.
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
    /// [`Stateful::store_v_seq`] enabled it, and after [`MultiStepNode::forward_packed`] and [`MultiStepNode::forward_recorded`], which do not store
    /// it.
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
                return Ok(Passed { result, states: stepped.states, saved: Some(Pass::Whole(context)) });
            }
            let PackedStepped { spike, states } = operation.packed(inputs, states, parameters)?;
            Ok(Passed { result: spike, states, saved: None })
        })?;
        self.v_seq = None;
        Ok(packed)
    }
    /// As [`Stateful::forward_all`], and also returns the states `names` after every step, `[T, ...]` each. In training mode,
    /// [`MultiStepNode::backward_recorded`] takes gradients of these:
    ///
    /// ```
    /// # use neuron_runtime::{Array, MultiStepNode, neuron};
    /// # neuron! { pub struct Leaky { param tau = 2.0; charge = v + (x - v) / tau; reset hard; } }
    /// let mut node = MultiStepNode::<Leaky>::default();
    /// let x_seq = Array::full([4, 3], 1.5f32);
    /// let (spike_seq, records) = node.forward_recorded(&[&x_seq], &["v"])?;
    /// // The loss is the sum of the squared potentials: it does not depend on the spikes directly.
    /// let grad_v_seq: Vec<f32> = records[0].to_vec()?.iter().map(|v| 2.0 * v).collect();
    /// let grad_v_seq = Array::from_vec([4, 3], grad_v_seq)?;
    /// let grad_x_seq = node.backward_recorded(&Array::zeros([4, 3]), &[("v", &grad_v_seq)])?;
    /// # Ok::<(), neuron_runtime::Error>(())
    /// ```
    ///
    /// It takes longer than [`Stateful::forward_all`], because it runs step by step; see
    /// [`Operation::forward_recorded`]. Only the potential in evaluation mode is recorded by the kernel of the sequence.
    ///
    /// # Errors
    /// As [`Stateful::forward`], and [`Error::UnknownState`].
    pub fn forward_recorded(
        &mut self,
        inputs: &[&Array<E>],
        names: &[&str],
    ) -> Result<(Array<E>, Records<E>), Error> {
        let result = self.pass(inputs, |operation, states, parameters, is_training| {
            let (stepped, records, saved) = if is_training {
                let (stepped, records, context) =
                    operation.recorded_steps(inputs, states, parameters, names)?;
                (stepped, records, Some(Pass::Recorded(context)))
            } else {
                let (stepped, records) = operation.inference_recorded(inputs, states, parameters, names)?;
                (stepped, records, None)
            };
            Ok(Passed { result: (stepped.spike, records), states: stepped.states, saved })
        })?;
        self.v_seq = None;
        Ok(result)
    }
}
