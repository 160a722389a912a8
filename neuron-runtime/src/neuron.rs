//! The trait that `neuron!` implements.

use std::fmt::Debug;

use crate::{Call, Element, Error, Real, Reset, Spec, range};

/// A value of a parameter, whatever its type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Of a `param`.
    Real(f64),
    /// Of a `flag`.
    Flag(bool),
}

/// A neuron model with its parameter values. Implemented by [`neuron!`](crate::neuron).
///
/// The methods serve code that works with any neuron: nodes, training steps, tools. To call the
/// templates of one known neuron, use the methods that the macro adds to its struct.
pub trait Neuron: Clone + Debug + Default + PartialEq + Send + Sync + 'static {
    /// What does not depend on parameter values.
    const SPEC: &'static Spec;

    /// Checks every parameter against its declared range; NaN and infinity are never in range.
    fn validate(&self) -> Result<(), Error>;

    /// As [`Neuron::validate`], also of the parameters as they are in the format of the arithmetic: `1.0 + 1e-12` is
    /// greater than 1, but not so in `f32`.
    ///
    /// # Errors
    /// As [`Neuron::validate`]; [`Error::ParameterRounded`], [`Error::ParameterTooLarge`].
    fn validate_in<R: Real>(&self) -> Result<(), Error> {
        self.validate()?;
        range::check_rounded::<Self, R>(self)
    }

    /// The reset mode in use.
    fn reset(&self) -> Reset;

    /// Selects a reset mode. [`Neuron::validate`] says whether the neuron was declared with it.
    fn set_reset(&mut self, reset: Reset);

    /// The value of a parameter or flag, or `None` if there is none of that name.
    fn get(&self, name: &str) -> Option<Value>;

    /// Sets a parameter or flag by name. Ranges are checked by [`Neuron::validate`], not here.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`], [`Error::ParameterType`]
    fn set(&mut self, name: &str, value: Value) -> Result<(), Error>;

    /// The value of each state before the first step, in the order of [`Spec::states`].
    fn initial_state(&self) -> Vec<f64>;

    /// As [`Neuron::validate`], for parameters only, with `values` in place of those that may differ between
    /// neurons: one for each of [`Spec::arrays`], in order.
    fn validate_at(&self, values: &[f64]) -> Result<(), Error>;

    /// As [`Neuron::initial_state`], with `values` as in [`Neuron::validate_at`].
    fn initial_state_at(&self, values: &[f64]) -> Vec<f64>;

    /// How each initial state changes with each learnable parameter: a row a state. `values` as in
    /// [`Neuron::validate_at`].
    fn initial_slopes_at(&self, values: &[f64]) -> Vec<f64>;

    /// Runs one template on the CPU: checks everything, then computes.
    ///
    /// # Errors
    /// Any parameter out of range, any buffer missing or of the wrong length: see [`Error`]. Nothing is
    /// written then.
    fn run<E: Element>(&self, call: Call<'_, '_, E>) -> Result<(), Error>;

    /// The relaxed model: [`Template::FpttWithGrad`](crate::Template::FpttWithGrad), or
    /// [`Template::ForwardWithGrad`](crate::Template::ForwardWithGrad), with the
    /// surrogate's primitive in place of the Heaviside step, so that the surrogate gradient *is* its
    /// gradient. For checking derivatives, see [`gradcheck`](mod@crate::gradcheck).
    ///
    /// # Errors
    /// As [`Neuron::run`]; [`Error::NotRelaxed`] for any other template.
    fn run_relaxed<E: Element>(&self, call: Call<'_, '_, E>) -> Result<(), Error>;
}
