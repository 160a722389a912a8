//! The traits that `neuron!` implements.

use std::any::Any;
use std::fmt::Debug;

use crate::call::{AnyCall, Mode};
use crate::number::rounded;
use crate::{Call, Element, Error, Real, Reset, Spec, Value};

/// The part of [`Neuron`] that trait objects need in place of generic methods and methods on `Self`. Implemented for every
/// neuron that can be cloned and compared.
pub trait Erased {
    /// A copy.
    fn boxed(&self) -> Box<dyn Neuron>;

    /// The neuron as `Any`, for comparison and downcasts.
    fn as_any(&self) -> &dyn Any;

    /// Whether `other` is of the same type and equal.
    fn equals(&self, other: &dyn Neuron) -> bool;

    /// [`Neuron::run`] or [`Neuron::run_relaxed`].
    ///
    /// # Errors
    /// As these.
    fn run_any(&self, mode: Mode, call: AnyCall<'_, '_>) -> Result<(), Error>;
}

/// A neuron model with its parameter values. Implemented by [`neuron!`](crate::neuron).
///
/// The methods are for code that works with any neuron: nodes, training steps, tools. To call the templates of one
/// particular neuron, use the methods that the macro adds to its struct.
///
/// The trait is object-safe: a neuron that is chosen at run time is a `Box<dyn Neuron>`, which is itself a neuron, for
/// nodes and training steps. A `dyn Neuron` includes kernels for all four data formats; with a known type, only those for
/// the formats in use are compiled.
///
/// ```
/// use neuron_runtime::{Array, MultiStepNode, Neuron, Value, neuron};
///
/// neuron! {
///     pub struct Leaky {
///         param tau = 2.0 where tau > 1.0;
///         charge = v + (x - v) / tau;
///         reset hard | soft;
///     }
/// }
///
/// let mut neuron: Box<dyn Neuron> = Box::new(Leaky::default());
/// neuron.set("tau", Value::Real(4.0))?;
/// let mut node = MultiStepNode::<_, f32>::new(neuron);
/// let spikes = node.forward(&Array::full([3, 2], 8.0))?;
/// assert_eq!(spikes.to_vec()?, [1.0; 6]);
/// # Ok::<(), neuron_runtime::Error>(())
/// ```
pub trait Neuron: Erased + Debug + Send + Sync + 'static {
    /// The specification: everything that does not depend on parameter values.
    fn spec(&self) -> &'static Spec;

    /// Checks that the neuron was declared with the reset mode in use, and every parameter against its declared range;
    /// NaN and infinity are never in range.
    ///
    /// # Errors
    /// [`Error::ResetNotDeclared`], [`Error::ParameterRange`], [`Error::ParameterNotFinite`]
    fn validate(&self) -> Result<(), Error> {
        self.validate_rounded(|value| value)
    }

    /// As [`Neuron::validate`], for the parameters rounded by `round`.
    ///
    /// # Errors
    /// As [`Neuron::validate`].
    fn validate_rounded(&self, round: fn(f64) -> f64) -> Result<(), Error>;

    /// As [`Neuron::validate`], and also checks the parameters rounded to the format of the arithmetic: `1.0 + 1e-12` is
    /// greater than 1, but rounds to 1 in `f32`.
    ///
    /// # Errors
    /// As [`Neuron::validate`]; [`Error::ParameterRounded`], [`Error::ParameterTooLarge`].
    fn validate_in<R: Real>(&self) -> Result<(), Error>
    where
        Self: Sized,
    {
        validate_in::<R>(self)
    }

    /// The reset mode in use.
    fn reset(&self) -> Reset;

    /// Selects a reset mode. [`Neuron::validate`] checks whether the neuron was declared with it.
    fn set_reset(&mut self, reset: Reset);

    /// The value of a parameter or flag, or `None` if there is none with that name.
    fn get(&self, name: &str) -> Option<Value>;

    /// Sets a parameter or flag by name. Ranges are checked by [`Neuron::validate`], not here.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`], [`Error::ParameterType`]
    fn set(&mut self, name: &str, value: Value) -> Result<(), Error>;

    /// The value of each state before the first step, in the order of [`Spec::states`].
    fn initial_state(&self) -> Vec<f64>;

    /// As [`Neuron::validate`], for parameters only, with `values` in place of the array parameters: one for each of
    /// [`Spec::arrays`], in order.
    ///
    /// # Errors
    /// [`Error::ParameterRange`], [`Error::ParameterNotFinite`]
    fn validate_at(&self, values: &[f64]) -> Result<(), Error> {
        self.validate_rounded_at(values, |value| value)
    }

    /// As [`Neuron::validate_at`], with the other parameters rounded by `round`.
    ///
    /// # Errors
    /// As [`Neuron::validate_at`].
    fn validate_rounded_at(&self, values: &[f64], round: fn(f64) -> f64) -> Result<(), Error>;

    /// As [`Neuron::initial_state`], with `values` as in [`Neuron::validate_at`].
    fn initial_state_at(&self, values: &[f64]) -> Vec<f64>;

    /// The derivatives of the initial states with respect to the learnable parameters, one row per state. `values` as in
    /// [`Neuron::validate_at`].
    fn initial_slopes_at(&self, values: &[f64]) -> Vec<f64>;

    /// Runs one template on the CPU: checks everything, then computes.
    ///
    /// # Errors
    /// A parameter is out of range, or an array is missing or has the wrong length: see [`Error`]. Then nothing has been
    /// written.
    fn run<E: Element>(&self, call: Call<'_, '_, E>) -> Result<(), Error>
    where
        Self: Sized;

    /// Runs the relaxed model: [`Template::FpttWithGrad`](crate::Template::FpttWithGrad) or
    /// [`Template::ForwardWithGrad`](crate::Template::ForwardWithGrad) with the surrogate's primitive in place of the
    /// Heaviside step, so that the surrogate gradient is its exact gradient. [`gradcheck`](mod@crate::gradcheck) uses it to
    /// check derivatives.
    ///
    /// # Errors
    /// As [`Neuron::run`]; [`Error::NotRelaxed`] for any other template.
    fn run_relaxed<E: Element>(&self, call: Call<'_, '_, E>) -> Result<(), Error>
    where
        Self: Sized;
}

/// A type declared with [`neuron!`](crate::neuron): its specification is known without a value.
pub trait DeclaredNeuron: Neuron + Clone + Default + PartialEq {
    /// [`Neuron::spec`] of every value.
    const SPEC: &'static Spec;
}

/// Checks the parameters of a neuron, both exact and rounded to the format of the arithmetic.
pub(crate) fn validate_in<R: Real>(neuron: &(impl Neuron + ?Sized)) -> Result<(), Error> {
    neuron.validate()?;
    if size_of::<R>() == size_of::<f64>() {
        return Ok(());
    }
    let (format, before) = (R::NAME, |name| match neuron.get(name) {
        Some(Value::Real(value)) => value,
        _ => f64::NAN,
    });
    neuron.validate_rounded(rounded::<R>).map_err(|error| match error {
        Error::ParameterRange { neuron, name, value: rounded, expected } => {
            Error::ParameterRounded { neuron, name, value: before(name), rounded, format, expected }
        }
        Error::ParameterNotFinite { neuron, name, .. } => {
            Error::ParameterTooLarge { neuron, name, value: before(name), format }
        }
        other => other,
    })
}
