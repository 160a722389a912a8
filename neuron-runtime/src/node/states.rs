//! The states of a node by name: to look at, save, restore and learn.

use super::saved::Origin;
use super::stateful::Stateful;
use crate::shape::{arity, same};
use crate::step::Stepping;
use crate::{Array, Element, Error, Neuron};

impl<N: Neuron + Clone, E: Element, S: Stepping> Stateful<N, E, S> {
    /// The states, in the order of [`Spec::states`](crate::Spec::states), `v` first; `None` before the first input, unless
    /// they were set. A clone of them, which shares their memory, is what [`Stateful::set_states`] restores.
    pub fn states(&self) -> Option<&[Array<E::Real>]> {
        self.states.as_deref()
    }

    /// The state `name`; `None` as for [`Stateful::states`].
    ///
    /// # Errors
    /// [`Error::UnknownState`]
    pub fn state(&self, name: &str) -> Result<Option<&Array<E::Real>>, Error> {
        let at = self.neuron().spec().state_index(name)?;
        Ok(self.states.as_ref().map(|states| &states[at]))
    }

    /// The membrane potential; `None` as for [`Stateful::states`].
    pub fn v(&self) -> Option<&Array<E::Real>> {
        self.states.as_ref().map(|states| &states[0])
    }

    /// Sets all states, in order and of one shape, for the next forward pass, whose input must have that shape. They may be
    /// on any device: states follow the input.
    ///
    /// Gradients flow to them, but not beyond: [`Stateful::grad_state`].
    ///
    /// # Errors
    /// [`Error::Arity`], [`Error::Shape`], [`Error::Empty`] for arrays without elements; the states are then unchanged.
    pub fn set_states(&mut self, states: Vec<Array<E::Real>>) -> Result<(), Error> {
        let spec = self.neuron().spec();
        arity(spec.name, "states", spec.states.len(), states.len())?;
        self.check_not_empty(states[0].shape())?;
        for (state, array) in spec.states.iter().zip(&states) {
            same(spec.name, state.name, states[0].shape(), array.shape())?;
        }
        self.states = Some(states);
        self.origins.fill(Origin::Constant);
        Ok(())
    }

    /// As [`Stateful::set_states`], for one state; the others keep their values. Before the first input, those are their
    /// initial values.
    ///
    /// ```
    /// # use neuron_runtime::{Array, MultiStepNode, neuron};
    /// # neuron! { pub struct Leaky { param tau = 2.0; charge = v + (x - v) / tau; reset hard; } }
    /// // Learns the potential that a sequence starts from.
    /// let mut v0 = Array::full([3], 0.5f32);
    /// let mut node = MultiStepNode::<Leaky>::default();
    /// for _ in 0..10 {
    ///     node.reset();
    ///     node.set_state("v", v0.clone())?;
    ///     node.forward(&Array::full([4, 3], 1.0))?;
    ///     node.backward(&Array::full([4, 3], -1.0))?; // more spikes
    ///     let grad = node.grad_state("v")?.expect("there was a backward pass").to_vec()?;
    ///     let v: Vec<f32> = v0.to_vec()?.iter().zip(grad).map(|(v, grad)| v - 0.1 * grad).collect();
    ///     v0 = Array::from_vec([3], v)?;
    /// }
    /// assert!(v0.to_vec()?[0] > 0.5);
    /// # Ok::<(), neuron_runtime::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownState`]; [`Error::Shape`] for another shape than that of the other states; [`Error::Empty`] for an array
    /// without elements; [`Error::Cuda`] if it is on another device than these and cannot be copied.
    pub fn set_state(&mut self, name: &str, values: Array<E::Real>) -> Result<(), Error> {
        let spec = self.neuron().spec();
        let at = spec.state_index(name)?;
        self.check_not_empty(values.shape())?;
        match &mut self.states {
            Some(states) => {
                same(spec.name, name, states[0].shape(), values.shape())?;
                states[at] = values.to(&states[at].device())?;
            }
            None => {
                self.neuron().validate_in::<E::Real>()?;
                let (dims, device) = (values.shape(), values.device());
                let mut states = self.parameters.initial_states(self.neuron(), dims, &device)?;
                states[at] = values;
                self.states = Some(states);
            }
        }
        self.origins[at] = Origin::Constant;
        Ok(())
    }

    fn check_not_empty(&self, shape: &[usize]) -> Result<(), Error> {
        let (neuron, template) = (self.neuron().spec().name, S::template(self.is_training));
        if shape.contains(&0) { Err(Error::Empty { neuron, template, what: "N" }) } else { Ok(()) }
    }

    /// The gradients of the states before the first step of the last backward pass, in order; `None` without one.
    ///
    /// After the backward passes of all forward passes since the states were set, or since [`Stateful::reset`], these are the
    /// gradients of the states at the beginning.
    pub fn grad_states(&self) -> Option<&[Array<E::Real>]> {
        self.grad_states.as_deref()
    }

    /// As [`Stateful::grad_states`], for the state `name`.
    ///
    /// # Errors
    /// [`Error::UnknownState`]
    pub fn grad_state(&self, name: &str) -> Result<Option<&Array<E::Real>>, Error> {
        let at = self.neuron().spec().state_index(name)?;
        Ok(self.grad_states.as_ref().map(|grads| &grads[at]))
    }
}
