//! Surrogate gradients: what takes the place of the derivative of the Heaviside step.

mod built_in;
mod definition;
#[doc(hidden)]
pub mod generated;

use std::fmt;

use crate::isa::Isa;
use crate::rows::LANES;
use crate::{Error, Real};

pub use built_in::*;
pub use definition::ParameterDef;
use definition::{Apply, BOUND_DOUBLE, BOUND_SINGLE, Definition};

/// How many parameters a surrogate may have: they travel with every launch.
pub use neuron_abi::SURROGATE_PARAMETERS as MAX_PARAMETERS;

/// A surrogate with its parameters, by default ATan with `alpha = 2`.
///
/// Made of a declared one: `Surrogate::from(ATan { alpha: 3.0 })`. `u` is the distance from the threshold,
/// `h - v_threshold`; beyond 1e18 (in float64, 1e150) it counts as that. So every surrogate is finite at every
/// `u`, infinities included; NaN gives NaN.
#[derive(Clone, Copy)]
pub struct Surrogate {
    definition: &'static Definition,
    parameters: [f64; MAX_PARAMETERS],
}

impl Surrogate {
    /// [`ATan`]: gradient `(alpha/2) / (1 + (pi/2 alpha u)^2)` (Fang et al., 2021). Index 0 of the 2020 API.
    pub fn atan(alpha: f64) -> Self {
        ATan { alpha }.into()
    }

    /// [`Sigmoid`]: gradient `alpha s (1 - s)` with `s = sigmoid(alpha u)`. Index 1 of the 2020 API.
    pub fn sigmoid(alpha: f64) -> Self {
        Sigmoid { alpha }.into()
    }

    /// All surrogates that this crate declares, with their default parameters.
    pub fn all() -> impl Iterator<Item = Self> {
        built_in::ALL.into_iter().map(|built_in| built_in())
    }

    /// The surrogate called `name`, with the given values for its first parameters and defaults for the others.
    ///
    /// Case and underscores make no difference, so that it may be given as SpikingJelly's class or function:
    /// `PiecewiseQuadratic` or `piecewise_quadratic`. Only surrogates of this crate are found.
    ///
    /// # Errors
    /// [`Error::UnknownSurrogate`]; [`Error::SurrogateParameters`] for too many values.
    pub fn from_name(name: &str, parameters: &[f64]) -> Result<Self, Error> {
        let plain = |name: &str| name.replace('_', "").to_lowercase();
        let wanted = plain(name);
        let found = Self::all().find(|surrogate| plain(surrogate.name()) == wanted);
        let mut surrogate = found.ok_or_else(|| Error::UnknownSurrogate {
            name: name.to_owned(),
            known: Self::all().map(|surrogate| surrogate.name()).collect::<Vec<_>>().join(", "),
        })?;
        let expected = surrogate.definition.parameters.len();
        if parameters.len() > expected {
            let (surrogate, actual) = (surrogate.name(), parameters.len());
            return Err(Error::SurrogateParameters { surrogate, expected, actual });
        }
        surrogate.parameters[..parameters.len()].copy_from_slice(parameters);
        Ok(surrogate)
    }

    /// The surrogate with the given index in the 2020 API: 0 is ATan, 1 is Sigmoid.
    ///
    /// # Errors
    /// [`Error::UnknownSurrogateIndex`]
    pub fn from_index(index: u32, alpha: f64) -> Result<Self, Error> {
        match index {
            0 => Ok(Self::atan(alpha)),
            1 => Ok(Self::sigmoid(alpha)),
            _ => Err(Error::UnknownSurrogateIndex { index }),
        }
    }

    /// Its name, as in SpikingJelly: `ATan`.
    pub fn name(&self) -> &'static str {
        self.definition.name
    }

    /// Its number in CUDA kernels, or `None` if it is not one of this crate's: 0 and 1 are those of the 2020
    /// API.
    pub fn index(&self) -> Option<u32> {
        let place = Self::all().position(|built_in| std::ptr::eq(built_in.definition, self.definition));
        place.and_then(|place| u32::try_from(place).ok())
    }

    /// Where its definition is: the same for all of one declaration.
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

    /// What takes the place of the derivative of the step at `u`.
    pub fn gradient(&self, u: f64) -> f64 {
        self.gradient_in(u)
    }

    /// The primitive of the gradient, which takes the place of the step itself in the relaxed model.
    pub fn primitive(&self, u: f64) -> f64 {
        self.primitive_in(u)
    }

    /// As [`Surrogate::gradient`], in the format of `u`: the very bits that kernels compute.
    pub fn gradient_in<R: Real>(&self, u: R) -> R {
        self.evaluate(R::gradient_of(self), u)
    }

    /// As [`Surrogate::primitive`], in the format of `u`.
    pub fn primitive_in<R: Real>(&self, u: R) -> R {
        self.evaluate(R::primitive_of(self), u)
    }

    /// Replaces every distance from the threshold by the gradient there.
    pub fn gradients_in<R: Real>(&self, u: &mut [R]) {
        for part in u.chunks_mut(LANES) {
            let mut lanes = [R::ZERO; LANES];
            lanes[..part.len()].copy_from_slice(part);
            R::gradient_of(self)(Isa::current(), &self.parameters, &mut lanes);
            part.copy_from_slice(&lanes[..part.len()]);
        }
    }

    fn evaluate<R: Real>(&self, apply: Apply<R>, u: R) -> R {
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

    /// As [`Surrogate::validate`], of the parameters as they are in the format of the arithmetic: 1e-60 is
    /// positive, but not so in `f32`.
    pub(crate) fn validate_in<R: Real>(&self) -> Result<(), Error> {
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

impl Default for Surrogate {
    fn default() -> Self {
        Self::atan(2.0)
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
    /// What takes the place of `dS/dH`.
    pub surrogate: Surrogate,
    /// Whether the reset takes the spike as a constant.
    pub detach_reset: bool,
}

impl From<Surrogate> for Gradient {
    /// Without `detach_reset`.
    fn from(surrogate: Surrogate) -> Self {
        Self { surrogate, detach_reset: false }
    }
}

/// A [`Gradient`] as kernels use it: over all lanes of a tile at once.
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

    /// Whether the reset takes the spike as a constant.
    #[inline(always)]
    pub fn detach_reset(&self) -> bool {
        self.gradient.detach_reset
    }

    /// Replaces every distance from the threshold by the surrogate gradient there.
    #[inline(always)]
    pub fn surrogate(&self, u: &mut [R; LANES]) {
        let surrogate = &self.gradient.surrogate;
        R::gradient_of(surrogate)(self.isa, &surrogate.parameters, u);
    }

    /// Replaces every distance from the threshold by the primitive there: the spike of the relaxed model.
    #[inline(always)]
    pub fn primitive(&self, u: &mut [R; LANES]) {
        let surrogate = &self.gradient.surrogate;
        R::primitive_of(surrogate)(self.isa, &surrogate.parameters, u);
    }
}

/// Which of a surrogate's functions are for a number format.
pub trait SurrogateFormat: Sized {
    /// Distances from the threshold beyond this one count as this one.
    #[doc(hidden)]
    const BOUND: Self;
    #[doc(hidden)]
    fn gradient_of(surrogate: &Surrogate) -> Apply<Self>;
    #[doc(hidden)]
    fn primitive_of(surrogate: &Surrogate) -> Apply<Self>;
}

macro_rules! surrogate_format {
    ($format:ty, $field:ident, $bound:ident) => {
        impl SurrogateFormat for $format {
            const BOUND: Self = $bound;

            #[inline(always)]
            fn gradient_of(surrogate: &Surrogate) -> Apply<Self> {
                surrogate.definition.$field.gradient
            }
            #[inline(always)]
            fn primitive_of(surrogate: &Surrogate) -> Apply<Self> {
                surrogate.definition.$field.primitive
            }
        }
    };
}

surrogate_format!(f32, single, BOUND_SINGLE);
surrogate_format!(f64, double, BOUND_DOUBLE);
