//! The backward pass, and what it needs of the forward pass.

use super::given::Given;
use super::results::Gradients;
use crate::array_call::{ByRole, Shapes, compute};
use crate::shape::{arity, same};
use crate::{Array, ByClass, Device, Element, Error, Gradient, Neuron, ParamKind, Role, Spec, Template};

/// What a forward pass saved for its backward pass.
#[derive(Clone, Debug)]
pub struct Context<N, E: Element> {
    pub(super) neuron: N,
    pub(super) gradient: Gradient,
    pub(super) scan: bool,
    pub(super) shapes: Shapes,
    /// Factors; or checkpoints, inputs and initial states, from which the backward pass recomputes the steps.
    pub(super) kept: ByRole<E>,
    /// The parameters that may differ between neurons.
    pub(super) parameters: Vec<Array<E::Real>>,
    pub(super) template: Template,
}

impl<N: Neuron + Clone, E: Element> Context<N, E> {
    /// Backward pass of a neuron with one input and one state: the gradients of `x` and of `v` before the
    /// first step, from those of the spikes and of `v` after the last.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Arity`]
    pub fn backward(
        &self,
        grad_spike: &Array<E>,
        grad_v_next: &Array<E::Real>,
    ) -> Result<(Array<E>, Array<E::Real>), Error> {
        arity(self.neuron.spec().name, "inputs", self.neuron.spec().inputs.len(), 1)?;
        let Gradients { inputs, states, .. } = self.backward_all(grad_spike, &[grad_v_next])?;
        Ok((first(inputs), first(states)))
    }

    /// Backward pass of any neuron.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Arity`]
    pub fn backward_all(
        &self,
        grad_spike: &Array<E>,
        grad_states: &[&Array<E::Real>],
    ) -> Result<Gradients<E>, Error> {
        let spec = self.neuron.spec();
        arity(spec.name, "state gradients", spec.states.len(), grad_states.len())?;
        let Shapes { dims, signals, .. } = &self.shapes;
        same(spec.name, &format!("grad_{}", spec.output), signals, grad_spike.shape())?;
        for (state, array) in spec.states.iter().zip(grad_states) {
            same(spec.name, &format!("grad_{}_next", state.name), dims, array.shape())?;
        }
        let array = |role| match role {
            Role::GradOutput => Some(ByClass::Signal(grad_spike)),
            Role::GradNextState(index) => grad_states.get(index).map(|&array| ByClass::State(array)),
            Role::Param(index) => self.parameters.get(spec.array_place(index)?).map(ByClass::Parameter),
            role => self.kept.get(role),
        };
        let mut computed =
            compute(&self.neuron, self.template, self.gradient, self.scan, &self.shapes, array)?;
        let signals = (0..spec.inputs.len()).map(|index| computed.take_signal(Role::GradInput(index)));
        let inputs = signals.collect::<Option<_>>();
        let mut take_all = |roles: &mut dyn Iterator<Item = Role>| {
            roles.map(|role| computed.take_state(role)).collect::<Option<Vec<_>>>()
        };
        let states = take_all(&mut (0..spec.states.len()).map(Role::GradState));
        let learnables =
            spec.params.iter().enumerate().filter(|(_, param)| param.kind == ParamKind::Learnable);
        let parameters = take_all(&mut learnables.map(|(index, _)| Role::GradParam(index)));
        match (inputs, states, parameters) {
            (Some(inputs), Some(states), Some(parameters)) => Ok(Gradients { inputs, states, parameters }),
            _ => Err(no_output(spec, self.template)),
        }
    }

    /// Keeps the inputs and states from which the steps are recomputed. Clones of the caller's arrays take no memory.
    pub(super) fn keep_start(&mut self, given: &Given<'_, E>) -> Result<(), Error> {
        let spec = self.neuron.spec();
        for buffer in spec.signature(Template::LeanBptt).inputs {
            let kept = match (buffer.role, given.get(spec, buffer.role)) {
                (Role::Input(_), Some(ByClass::Signal(array))) => ByClass::Signal(array.clone()),
                (Role::State(_), Some(ByClass::State(array))) => ByClass::State(array.clone()),
                // A single step has no checkpoints: an array without elements.
                (Role::Checkpoint(index), _) if self.kept.get(buffer.role).is_none() => {
                    let device = given.states.get(index).map_or(Device::Cpu, |state| state.device());
                    let none = Array::zeros([&[0], self.shapes.dims.as_slice()].concat());
                    ByClass::State(none.to(&device)?)
                }
                _ => continue,
            };
            self.kept.insert(buffer.role, kept);
        }
        Ok(())
    }

    /// The bytes that it keeps besides the caller's arrays.
    pub fn kept_bytes(&self) -> usize {
        let bytes = self.kept.iter().map(|(role, array)| match (role, array) {
            (Role::Factor(_) | Role::Checkpoint(_), ByClass::State(array)) => {
                array.shape().iter().product::<usize>() * size_of::<E::Real>()
            }
            _ => 0,
        });
        bytes.sum()
    }

    pub(crate) fn spec(&self) -> &'static Spec {
        self.neuron.spec()
    }

    /// The array parameters, as passed to the forward pass.
    pub fn parameters(&self) -> &[Array<E::Real>] {
        &self.parameters
    }

    /// The shape of the states.
    pub fn dims(&self) -> &[usize] {
        &self.shapes.dims
    }
}

/// The error for a signature that lacks an output which every neuron has.
pub(super) fn no_output(spec: &'static Spec, template: Template) -> Error {
    Error::Signature { neuron: spec.name, template, what: "outputs" }
}

/// The only element, or the first of several.
pub(super) fn first<A>(several: Vec<A>) -> A {
    several.into_iter().next().expect("every neuron has an input, a spike and a state")
}
