//! Neurons chosen at run time: what makes [`Neuron`] object-safe.

use std::any::Any;

pub use crate::call::AnyCall;
use crate::call::Mode;
pub use crate::neuron::Erased;
use crate::{Call, Element, Error, Neuron, Reset, Spec, Value};

impl<N: Neuron + Clone + PartialEq> Erased for N {
    fn boxed(&self) -> Box<dyn Neuron> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn equals(&self, other: &dyn Neuron) -> bool {
        other.as_any().downcast_ref::<N>().is_some_and(|other| self == other)
    }

    fn run_any(&self, mode: Mode, call: AnyCall<'_, '_>) -> Result<(), Error> {
        fn run<N: Neuron, E: Element>(neuron: &N, mode: Mode, call: Call<'_, '_, E>) -> Result<(), Error> {
            match mode {
                Mode::Spiking => neuron.run(call),
                Mode::Relaxed => neuron.run_relaxed(call),
            }
        }
        match call {
            AnyCall::F32(call) => run(self, mode, call),
            AnyCall::F64(call) => run(self, mode, call),
            AnyCall::F16(call) => run(self, mode, call),
            AnyCall::Bf16(call) => run(self, mode, call),
        }
    }
}

impl Clone for Box<dyn Neuron> {
    fn clone(&self) -> Self {
        (**self).boxed()
    }
}

impl PartialEq for dyn Neuron {
    fn eq(&self, other: &Self) -> bool {
        self.equals(other)
    }
}

impl dyn Neuron {
    /// The neuron as a value of type `N`, if it is one.
    pub fn downcast_ref<N: Neuron>(&self) -> Option<&N> {
        self.as_any().downcast_ref()
    }
}

impl Neuron for Box<dyn Neuron> {
    fn spec(&self) -> &'static Spec {
        (**self).spec()
    }

    fn validate_rounded(&self, round: fn(f64) -> f64) -> Result<(), Error> {
        (**self).validate_rounded(round)
    }

    fn reset(&self) -> Reset {
        (**self).reset()
    }

    fn set_reset(&mut self, reset: Reset) {
        (**self).set_reset(reset);
    }

    fn get(&self, name: &str) -> Option<Value> {
        (**self).get(name)
    }

    fn set(&mut self, name: &str, value: Value) -> Result<(), Error> {
        (**self).set(name, value)
    }

    fn initial_state(&self) -> Vec<f64> {
        (**self).initial_state()
    }

    fn validate_rounded_at(&self, values: &[f64], round: fn(f64) -> f64) -> Result<(), Error> {
        (**self).validate_rounded_at(values, round)
    }

    fn initial_state_at(&self, values: &[f64]) -> Vec<f64> {
        (**self).initial_state_at(values)
    }

    fn initial_slopes_at(&self, values: &[f64]) -> Vec<f64> {
        (**self).initial_slopes_at(values)
    }

    fn run<E: Element>(&self, call: Call<'_, '_, E>) -> Result<(), Error> {
        (**self).run_any(Mode::Spiking, call.into())
    }

    fn run_relaxed<E: Element>(&self, call: Call<'_, '_, E>) -> Result<(), Error> {
        (**self).run_any(Mode::Relaxed, call.into())
    }
}
