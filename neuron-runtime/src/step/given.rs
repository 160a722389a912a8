//! The arrays that a forward pass is given.

use super::stepping::Stepping;
use crate::array_call::{ArrayRef, Shapes};
use crate::shape::{arity, same, sequence_of, shape_error};
use crate::{Array, ByClass, Element, Error, Neuron, ParamSpec, Real, Role, Spec, Value};

/// The arrays that a forward template reads.
pub(super) struct Given<'a, E: Element> {
    pub shapes: Shapes,
    inputs: &'a [&'a Array<E>],
    pub states: &'a [&'a Array<E::Real>],
    pub parameters: &'a [&'a Array<E::Real>],
}

impl<'a, E: Element> Given<'a, E> {
    /// Checks the number of arrays and their shapes.
    pub fn check<S: Stepping>(
        spec: &'static Spec,
        inputs: &'a [&'a Array<E>],
        states: &'a [&'a Array<E::Real>],
        parameters: &'a [&'a Array<E::Real>],
    ) -> Result<Self, Error> {
        arity(spec.name, "inputs", spec.inputs.len(), inputs.len())?;
        arity(spec.name, "states", spec.states.len(), states.len())?;
        arity(spec.name, "parameters", spec.arrays().count(), parameters.len())?;
        let (dims, shape) = (states[0].shape(), inputs[0].shape());
        for (name, array) in spec.inputs.iter().zip(inputs) {
            let fits =
                if S::IS_SEQUENCE { array.shape().get(1..) == Some(dims) } else { array.shape() == dims };
            if !fits {
                let expected = if S::IS_SEQUENCE { sequence_of(dims) } else { format!("{dims:?}") };
                return Err(shape_error(spec.name, name, expected, array.shape()));
            }
            same(spec.name, name, shape, array.shape())?;
        }
        for (state, array) in spec.states.iter().zip(states) {
            same(spec.name, state.name, dims, array.shape())?;
        }
        let steps = if S::IS_SEQUENCE { shape[0] } else { 1 };
        let shapes = Shapes { dims: dims.to_vec(), signals: shape.to_vec(), steps };
        Ok(Self { shapes, inputs, states, parameters })
    }

    /// The array of `role`; `spec` is the neuron's.
    pub fn get(&self, spec: &'static Spec, role: Role) -> Option<ArrayRef<'a, E>> {
        match role {
            Role::Input(index) => self.inputs.get(index).map(|&array| ByClass::Signal(array)),
            Role::State(index) => self.states.get(index).map(|&array| ByClass::State(array)),
            Role::Param(index) => {
                self.parameters.get(spec.array_place(index)?).map(|&array| ByClass::Parameter(array))
            }
            _ => None,
        }
    }
}

/// A neuron's value of an array parameter, the same for all neurons.
pub(crate) fn own_value<N: Neuron, R: Real>(neuron: &N, param: &ParamSpec) -> Array<R> {
    match neuron.get(param.name) {
        Some(Value::Real(value)) => Array::full([], R::from_f64(value)),
        _ => Array::full([], R::from_f64(param.default)),
    }
}

pub(crate) fn refs<A>(arrays: &[A]) -> Vec<&A> {
    arrays.iter().collect()
}
