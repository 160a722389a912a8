//! Surrogate gradients, which replace the derivative of the Heaviside step.

mod built_in;
mod catalogue;
mod definition;
#[doc(hidden)]
pub mod generated;

use std::cell::Cell;
use std::fmt;

use crate::cpu::isa::Isa;
use crate::number::LANES;
use crate::{Error, Real};

pub use built_in::*;
pub use definition::ParameterDef;
use definition::{Apply, Definition};

/// The maximum number of parameters of a surrogate, which are arguments of every kernel.
pub use neuron_abi::SURROGATE_PARAMETERS as MAX_PARAMETERS;

/// A surrogate with its parameters, by default ATan with `alpha = 2`.
///
/// Created from a declared surrogate: `Surrogate::from(ATan { alpha: 3.0 })`. `u` is the distance from the threshold,
/// `h - v_threshold`, clamped to 1e18 (1e150 in float64). Every surrogate is therefore finite for every `u`, including
/// infinities; NaN gives NaN.
#[derive(Clone, Copy)]
pub struct Surrogate {
    definition: &'static Definition,
    parameters: [f64; MAX_PARAMETERS],
}

impl Surrogate {
    /// Its name, as in SpikingJelly: `ATan`.
    pub fn name(&self) -> &'static str {
        self.definition.name
    }

    /// The address of its definition, which identifies the declaration.
    #[cfg(feature = "cuda")]
    pub(crate) fn address(&self) -> usize {
        std::ptr::from_ref(self.definition).addr()
    }

    /// Its gradient as a function of CUDA C++ called `name`.
    #[doc(hidden)]
    pub fn cuda_function(&self, name: &str) -> String {
        self.definition.cuda.replacen(" NAME(", &format!(" {name}("), 1)
    }

    /// The functions of CUDA C++ that its gradient calls, in a namespace `math`.
    #[cfg(feature = "cuda")]
    pub(crate) fn cuda_math(&self) -> &'static str {
        self.definition.cuda_math
    }

    /// The values of its parameters, 0 where it has none.
    #[cfg(feature = "cuda")]
    pub(crate) fn parameter_values(&self) -> [f64; MAX_PARAMETERS] {
        self.parameters
    }

    /// Its parameters and their values.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.definition.parameters.iter().map(|p| p.name).zip(self.parameters)
    }

    /// The same surrogate with the given values for its first parameters.
    ///
    /// # Errors
    /// [`Error::SurrogateParameters`] for too many values. Whether they are valid is checked when it is used.
    pub fn with_parameters(mut self, values: &[f64]) -> Result<Self, Error> {
        let expected = self.definition.parameters.len();
        if values.len() > expected {
            let (surrogate, actual) = (self.name(), values.len());
            return Err(Error::SurrogateParameters { surrogate, expected, actual });
        }
        self.parameters[..values.len()].copy_from_slice(values);
        Ok(self)
    }

    /// Its parameters as declared: names, defaults, ranges.
    pub fn parameter_defs(&self) -> &'static [ParameterDef] {
        self.definition.parameters
    }

    /// Its primitive as declared, in the syntax of the language.
    pub fn equation(&self) -> &'static str {
        self.definition.primitive
    }

    /// Its gradient, derived from the primitive, in the syntax of the language.
    pub fn gradient_equation(&self) -> &'static str {
        self.definition.gradient
    }

    /// The surrogate gradient at `u`.
    pub fn gradient(&self, u: f64) -> f64 {
        self.gradient_in(u)
    }

    /// The primitive of the gradient at `u`, which replaces the step in the relaxed model.
    pub fn primitive(&self, u: f64) -> f64 {
        self.primitive_in(u)
    }

    /// As [`Surrogate::gradient`], in the format of `u`: bit-identical to what kernels compute.
    pub fn gradient_in<R: Real>(&self, u: R) -> R {
        self.evaluate(self.gradient_function::<R>(), u)
    }

    /// As [`Surrogate::primitive`], in the format of `u`.
    pub fn primitive_in<R: Real>(&self, u: R) -> R {
        self.evaluate(self.primitive_function::<R>(), u)
    }

    /// Replaces each distance from the threshold with the gradient there.
    pub fn gradients_in<R: Real>(&self, u: &mut [R]) {
        for part in u.chunks_mut(LANES) {
            let mut lanes = [R::ZERO; LANES];
            lanes[..part.len()].copy_from_slice(part);
            self.gradient_function::<R>()(Isa::current(), &self.parameters, &mut lanes);
            part.copy_from_slice(&lanes[..part.len()]);
        }
    }

    #[inline(always)]
    fn gradient_function<R: Real>(&self) -> &'static Apply<R> {
        R::of(&self.definition.functions).gradient
    }

    #[inline(always)]
    fn primitive_function<R: Real>(&self) -> &'static Apply<R> {
        R::of(&self.definition.functions).primitive
    }

    fn evaluate<R: Real>(&self, apply: &Apply<R>, u: R) -> R {
        let mut lanes = [u; LANES];
        apply(Isa::BASELINE, &self.parameters, &mut lanes);
        lanes[0]
    }

    /// Checks the parameters against their ranges.
    ///
    /// # Errors
    /// [`Error::SurrogateParameterNotFinite`], [`Error::SurrogateParameter`]
    pub fn validate(&self) -> Result<(), Error> {
        self.validate_in::<f64>()
    }

    /// As [`Surrogate::validate`], for the parameters rounded to the format of the arithmetic: 1e-60 is positive, but
    /// rounds to 0 in `f32`.
    pub fn validate_in<R: Real>(&self) -> Result<(), Error> {
        let surrogate = self.name();
        let rounded = self.parameters.map(|value| R::from_f64(value).to_f64());
        for ((name, value), rounded) in self.parameters().zip(rounded) {
            if !rounded.is_finite() {
                return Err(Error::SurrogateParameterNotFinite { surrogate, name, value });
            }
        }
        match (self.definition.check)(&rounded) {
            None => Ok(()),
            Some((place, expected)) => {
                let (name, value) = (self.definition.parameters[place].name, self.parameters[place]);
                Err(Error::SurrogateParameter { surrogate, name, expected, value })
            }
        }
    }
}

impl PartialEq for Surrogate {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.definition, other.definition) && self.parameters == other.parameters
    }
}

impl fmt::Display for Surrogate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name())?;
        for (i, (name, value)) in self.parameters().enumerate() {
            write!(f, "{}{name}={value}", if i == 0 { "" } else { ", " })?;
        }
        f.write_str(")")
    }
}

impl fmt::Debug for Surrogate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How spikes are differentiated.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gradient {
    /// The surrogate for `dS/dH`.
    pub surrogate: Surrogate,
    /// Whether the gradient treats the spike in the reset as a constant.
    pub detach_reset: bool,
}

impl From<Surrogate> for Gradient {
    /// Without `detach_reset`.
    fn from(surrogate: Surrogate) -> Self {
        Self { surrogate, detach_reset: false }
    }
}

/// How many lanes of a tile may be paired with as many others.
pub(crate) const PAIRS: usize = LANES / 2;

thread_local! {
    static PAIRED: Cell<bool> = const { Cell::new(false) };
}

/// Runs the relaxed model with the second half of a tile's lanes paired with the first: what is detached has the
/// value there that it has in the first half. A difference between the halves is then one of a function whose gradient
/// is that of the model, which takes it for constant.
pub(crate) fn paired<T>(run: impl FnOnce() -> T) -> T {
    /// Also if `run` panics.
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            PAIRED.set(false);
        }
    }
    let _reset = Reset;
    PAIRED.set(true);
    run()
}

/// A [`Gradient`] as used by kernels, for all lanes of a tile at once.
#[derive(Clone, Copy, Debug)]
pub struct TileGradient<R: Real> {
    gradient: Gradient,
    isa: Isa,
    format: std::marker::PhantomData<R>,
}

impl<R: Real> TileGradient<R> {
    pub(crate) fn new(gradient: Gradient, isa: Isa) -> Self {
        Self { gradient, isa, format: std::marker::PhantomData }
    }

    /// Whether the gradient treats the spike in the reset as a constant.
    #[inline(always)]
    pub fn detach_reset(&self) -> bool {
        self.gradient.detach_reset
    }

    /// Replaces each distance from the threshold with the surrogate gradient there.
    #[inline(always)]
    pub fn surrogate(&self, u: &mut [R; LANES]) {
        let surrogate = &self.gradient.surrogate;
        surrogate.gradient_function::<R>()(self.isa, &surrogate.parameters, u);
    }

    /// Leaves detached values as they are, unless lanes are paired.
    #[inline(always)]
    pub fn hold(&self, values: &mut [R; LANES]) {
        if PAIRED.get() {
            values.copy_within(..PAIRS, PAIRS);
        }
    }

    /// Replaces each distance from the threshold with the primitive there, the spike of the relaxed model.
    #[inline(always)]
    pub fn primitive(&self, u: &mut [R; LANES]) {
        let surrogate = &self.gradient.surrogate;
        surrogate.primitive_function::<R>()(self.isa, &surrogate.parameters, u);
    }
}
