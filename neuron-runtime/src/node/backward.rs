//! Backward passes of a node.

use super::parameters::Parameters;
use super::saved::Origin;
use super::stateful::{MultiStepNode, Stateful};
use crate::shape::arity;
use crate::step::{Stepping, refs};
use crate::{Array, Element, Error, Neuron};

impl<N: Neuron + Clone, E: Element, S: Stepping> Stateful<N, E, S> {
    /// Differentiates the last forward pass that has not been differentiated: the gradient of its input from that of its
    /// spikes.
    ///
    /// # Errors
    /// [`Error::NoContext`] without a forward pass in training mode, [`Error::PassDropped`] if there were more than
    /// [`Stateful::keep_passes`] says, [`Error::Shape`], [`Error::Arity`] if the neuron has more inputs.
    pub fn backward(&mut self, grad_spike: &Array<E>) -> Result<Array<E>, Error> {
        arity(self.neuron().spec().name, "inputs", self.neuron().spec().inputs.len(), 1)?;
        let mut grads = self.backward_all(grad_spike)?;
        Ok(grads.swap_remove(0))
    }

    /// As [`Stateful::backward`], for any number of inputs.
    ///
    /// # Errors
    /// As [`Stateful::backward`].
    pub fn backward_all(&mut self, grad_spike: &Array<E>) -> Result<Vec<Array<E>>, Error> {
        self.differentiate(grad_spike, &[])
    }

    fn differentiate(
        &mut self,
        grad_spike: &Array<E>,
        grad_records: &[(&str, &Array<E::Real>)],
    ) -> Result<Vec<Array<E>>, Error> {
        let neuron = self.neuron().spec().name;
        let Some(saved) = self.saved.back() else {
            return Err(match self.has_dropped {
                true => Error::PassDropped { neuron, kept: self.kept_passes },
                false => Error::NoContext { neuron },
            });
        };
        let device = grad_spike.device();
        let zeros = || Array::zeros(saved.pass.dims()).to(&device);
        let grad_states = match &saved.grad_states {
            Some(grads) => grads.iter().map(|grad| grad.to(&device)).collect::<Result<Vec<_>, _>>()?,
            None => vec![zeros()?; saved.origins.len()],
        };
        let grads = saved.pass.backward(grad_spike, grad_records, &refs(&grad_states))?;
        // The gradients of the states that came from `origin`; zeros for the others.
        let of = |origin: Origin| {
            let from = |(grad, from): (&Array<E::Real>, &Origin)| match *from == origin {
                true => Ok(grad.clone()),
                false => zeros(),
            };
            let grads = grads.states.iter().zip(&saved.origins).map(from).collect::<Result<Vec<_>, Error>>();
            saved.origins.contains(&origin).then_some(grads).transpose()
        };
        let (parameters, dims) = (saved.pass.parameters(), saved.pass.dims());
        let through_states = match of(Origin::Initial)? {
            Some(grads) => Parameters::grads_of_initial(self.neuron(), parameters, dims, &grads)?,
            None => Vec::new(),
        };
        let before = of(Origin::Pass)?;
        self.parameters.make_room()?;

        self.parameters.add_grads(grads.parameters);
        self.parameters.add_grads(through_states);
        self.saved.pop_back();
        // Gradients of later passes do not flow back beyond this one.
        self.cut();
        if let (Some(last), Some(before)) = (self.saved.back_mut(), before) {
            last.grad_states = Some(before);
        }
        self.grad_states = Some(grads.states);
        Ok(grads.inputs)
    }
}

impl<N: Neuron + Clone, E: Element> MultiStepNode<N, E> {
    /// As [`Stateful::backward_all`], for a pass of [`MultiStepNode::forward_recorded`]: also takes gradients of recorded
    /// states by name, `[T, ...]` each.
    ///
    /// # Errors
    /// As [`Stateful::backward`], and [`Error::NotRecorded`].
    pub fn backward_recorded(
        &mut self,
        grad_spike: &Array<E>,
        grad_records: &[(&str, &Array<E::Real>)],
    ) -> Result<Vec<Array<E>>, Error> {
        self.differentiate(grad_spike, grad_records)
    }
}
