//! Backward passes of a node.

use super::parameters::Parameters;
use super::stateful::{Saved, Stateful};
use crate::shape::arity;
use crate::step::Stepping;
use crate::{Array, Element, Error, Neuron};

impl<N: Neuron + Clone, E: Element, S: Stepping> Stateful<N, E, S> {
    /// Differentiates the last forward pass that has not been differentiated: the gradient of its input from that of its
    /// spikes.
    ///
    /// # Errors
    /// [`Error::NoContext`] without a forward pass in training mode, [`Error::Shape`], [`Error::Arity`] if the
    /// neuron has more inputs.
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
        let Some(Saved { context, continues, is_initial, grad_states }) = self.saved.last() else {
            return Err(Error::NoContext { neuron: self.neuron().spec().name });
        };
        let zeros;
        let grad_states = match grad_states {
            Some(grads) => grads,
            None => {
                let zero = Array::zeros(context.dims()).to(&grad_spike.device())?;
                zeros = vec![zero; self.neuron().spec().states.len()];
                &zeros
            }
        };
        let grad_states: Vec<&Array<E::Real>> = grad_states.iter().collect();
        let grads = context.backward_all(grad_spike, &grad_states)?;
        let (continues, is_initial) = (*continues, *is_initial);
        let through_states = if is_initial {
            Parameters::grads_of_initial(self.neuron(), context, &grads.states)?
        } else {
            Vec::new()
        };
        self.parameters.add_grads(grads.parameters);
        self.parameters.add_grads(through_states);
        self.saved.pop();
        // Gradients of later passes do not flow back beyond this one.
        self.continues = false;
        if let Some(before) = self.saved.last_mut().filter(|_| continues) {
            before.grad_states = Some(grads.states.clone());
        }
        self.grad_states = Some(grads.states);
        Ok(grads.inputs)
    }

    /// The gradients of the states before the first step of the last backward pass.
    pub fn grad_states(&self) -> Option<&[Array<E::Real>]> {
        self.grad_states.as_deref()
    }
}
