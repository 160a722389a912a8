//! Surrogate gradients: what takes the place of the derivative of the Heaviside step.

mod shapes;

use std::fmt;

use crate::isa::{Isa, dispatch};
use crate::rows::LANES;
use crate::{Error, Real};

pub use shapes::Shape;

/// A surrogate with its parameters, by default ATan with `alpha = 2`.
///
/// `u` is the distance from the threshold, `h - v_threshold`. Every surrogate is finite at every `u`,
/// infinities included; NaN gives NaN.
#[derive(Clone, Copy)]
pub struct Surrogate {
    definition: &'static Definition,
    parameters: [f64; 2],
}

/// What all instances of a surrogate share.
struct Definition {
    name: &'static str,
    /// The names that it may be called by besides.
    aliases: &'static [&'static str],
    /// Its number in the 2020 API and in generated CUDA code.
    index: u32,
    parameters: &'static [ParameterDef],
    single: Functions<f32>,
    double: Functions<f64>,
}

struct ParameterDef {
    name: &'static str,
    default: f64,
    /// The value must be larger.
    above: f64,
}

/// Gradient and primitive of a whole lane block, for one number format.
struct Functions<R: Real> {
    gradient: Apply<R>,
    primitive: Apply<R>,
}

type Apply<R> = fn(Isa, &[f64; 2], &mut [R; LANES]);

impl<R: Real> Functions<R> {
    const fn of<S: Shape>() -> Self {
        Self { gradient: gradient::<S, R>, primitive: primitive::<S, R> }
    }
}

dispatch! {
    fn gradient<S: Shape, R: Real>(parameters: &[f64; 2], u: &mut [R; LANES]) => gradient_lanes::<S, R>
}

dispatch! {
    fn primitive<S: Shape, R: Real>(parameters: &[f64; 2], u: &mut [R; LANES]) => primitive_lanes::<S, R>
}

#[inline(always)]
fn gradient_lanes<S: Shape, R: Real>(parameters: &[f64; 2], u: &mut [R; LANES]) {
    let parameters = parameters.map(R::from_f64);
    for u in u {
        *u = S::gradient(*u, parameters);
    }
}

#[inline(always)]
fn primitive_lanes<S: Shape, R: Real>(parameters: &[f64; 2], u: &mut [R; LANES]) {
    let parameters = parameters.map(R::from_f64);
    for u in u {
        *u = S::primitive(*u, parameters);
    }
}

macro_rules! definitions {
    ($($shape:ident $name:literal [$($alias:literal),*] ($($parameter:ident = $default:literal > $above:literal),*);)*) => {
        static DEFINITIONS: &[Definition] = &[$(Definition {
            name: $name,
            aliases: &[$($alias),*],
            index: shapes::$shape::INDEX,
            parameters: &[$(ParameterDef { name: stringify!($parameter), default: $default, above: $above }),*],
            single: Functions::of::<shapes::$shape>(),
            double: Functions::of::<shapes::$shape>(),
        }),*];
    };
}

definitions! {
    Atan "ATan" ["atan"] (alpha = 2.0 > 0.0);
    Sigmoid "Sigmoid" ["sigmoid"] (alpha = 4.0 > 0.0);
    PiecewiseQuadratic "PiecewiseQuadratic" ["piecewise_quadratic"] (alpha = 1.0 > 0.0);
    PiecewiseExp "PiecewiseExp" ["piecewise_exp"] (alpha = 1.0 > 0.0);
    SoftSign "SoftSign" ["soft_sign"] (alpha = 2.0 > 0.0);
    SuperSpike "SuperSpike" ["super_spike"] (alpha = 1.0 > 0.0);
    Erf "Erf" ["erf"] (alpha = 2.0 > 0.0);
    QPseudoSpike "QPseudoSpike" ["q_pseudo_spike"] (alpha = 2.0 > 1.0);
}

impl Surrogate {
    /// ATan: gradient `(alpha/2) / (1 + (pi/2 alpha u)^2)` (Fang et al., 2021). Index 0 of the 2020 API.
    pub fn atan(alpha: f64) -> Self {
        Self::at(0, alpha)
    }

    /// Sigmoid: gradient `alpha s (1 - s)` with `s = sigmoid(alpha u)`. Index 1 of the 2020 API.
    pub fn sigmoid(alpha: f64) -> Self {
        Self::at(1, alpha)
    }

    fn at(place: usize, alpha: f64) -> Self {
        Self { definition: &DEFINITIONS[place], parameters: [alpha, 0.0] }
    }

    /// All surrogates, with their default parameters.
    pub fn all() -> impl Iterator<Item = Self> {
        DEFINITIONS.iter().map(Self::with_defaults)
    }

    fn with_defaults(definition: &'static Definition) -> Self {
        let value = |i: usize| definition.parameters.get(i).map_or(0.0, |parameter| parameter.default);
        Self { definition, parameters: [value(0), value(1)] }
    }

    /// The surrogate called `name` (`ATan` or `atan`), with the given values for its first parameters and
    /// defaults for the others.
    ///
    /// # Errors
    /// [`Error::UnknownSurrogate`]; [`Error::SurrogateParameters`] for too many values.
    pub fn from_name(name: &str, parameters: &[f64]) -> Result<Self, Error> {
        let matches = |d: &&Definition| d.name == name || d.aliases.contains(&name);
        let definition = DEFINITIONS.iter().find(matches).ok_or_else(|| Error::UnknownSurrogate {
            name: name.to_owned(),
            known: DEFINITIONS.iter().map(|d| d.name).collect::<Vec<_>>().join(", "),
        })?;
        let expected = definition.parameters.len();
        if parameters.len() > expected {
            let (surrogate, actual) = (definition.name, parameters.len());
            return Err(Error::SurrogateParameters { surrogate, expected, actual });
        }
        let mut surrogate = Self::with_defaults(definition);
        surrogate.parameters[..parameters.len()].copy_from_slice(parameters);
        Ok(surrogate)
    }

    /// The surrogate with the given index in the 2020 API: 0 is ATan, 1 is Sigmoid.
    ///
    /// # Errors
    /// [`Error::UnknownSurrogateIndex`]
    pub fn from_index(index: u32, alpha: f64) -> Result<Self, Error> {
        match DEFINITIONS.iter().position(|d| d.index == index) {
            Some(place @ 0..=1) => Ok(Self::at(place, alpha)),
            _ => Err(Error::UnknownSurrogateIndex { index }),
        }
    }

    /// Its name, as in SpikingJelly: `ATan`.
    pub fn name(&self) -> &'static str {
        self.definition.name
    }

    /// Its number in CUDA kernels; 0 and 1 are those of the 2020 API.
    pub fn index(&self) -> u32 {
        self.definition.index
    }

    /// The values of its parameters, 0 where it has none.
    pub(crate) fn parameter_values(&self) -> [f64; 2] {
        self.parameters
    }

    /// Its parameters and their values.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.definition.parameters.iter().map(|p| p.name).zip(self.parameters)
    }

    /// What takes the place of the derivative of the step at `u`.
    pub fn gradient(&self, u: f64) -> f64 {
        self.evaluate(self.definition.double.gradient, u)
    }

    /// The primitive of the gradient, 1/2 at 0: a smooth step.
    pub fn primitive(&self, u: f64) -> f64 {
        self.evaluate(self.definition.double.primitive, u)
    }

    fn evaluate(&self, apply: Apply<f64>, u: f64) -> f64 {
        let mut lanes = [u; LANES];
        apply(Isa::BASELINE, &self.parameters, &mut lanes);
        lanes[0]
    }

    /// Checks the parameters against their ranges.
    ///
    /// # Errors
    /// [`Error::SurrogateParameter`]
    pub fn validate(&self) -> Result<(), Error> {
        self.validate_in::<f64>()
    }

    /// As [`Surrogate::validate`], of the parameters as they are in the format of the arithmetic: 1e-60 is
    /// positive, but not so in `f32`.
    pub(crate) fn validate_in<R: Real>(&self) -> Result<(), Error> {
        for (parameter, value) in self.definition.parameters.iter().zip(self.parameters) {
            let rounded = R::from_f64(value).to_f64();
            // Not `<=`: NaN is out of range too.
            if !(rounded > parameter.above && rounded.is_finite()) {
                return Err(Error::SurrogateParameter {
                    surrogate: self.name(),
                    name: parameter.name,
                    above: parameter.above,
                    value,
                });
            }
        }
        Ok(())
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
    #[doc(hidden)]
    fn gradient_of(surrogate: &Surrogate) -> fn(Isa, &[f64; 2], &mut [Self; LANES]);
    #[doc(hidden)]
    fn primitive_of(surrogate: &Surrogate) -> fn(Isa, &[f64; 2], &mut [Self; LANES]);
}

macro_rules! surrogate_format {
    ($format:ty, $field:ident) => {
        impl SurrogateFormat for $format {
            #[inline(always)]
            fn gradient_of(surrogate: &Surrogate) -> fn(Isa, &[f64; 2], &mut [Self; LANES]) {
                surrogate.definition.$field.gradient
            }
            #[inline(always)]
            fn primitive_of(surrogate: &Surrogate) -> fn(Isa, &[f64; 2], &mut [Self; LANES]) {
                surrogate.definition.$field.primitive
            }
        }
    };
}

surrogate_format!(f32, single);
surrogate_format!(f64, double);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_are_those_of_the_primitives() {
        for surrogate in Surrogate::all() {
            for k in -40..=40 {
                // Off the kinks of the piecewise ones.
                let u = f64::from(k) * 0.0813 + 0.0107;
                let step = 1e-6;
                let numeric = (surrogate.primitive(u + step) - surrogate.primitive(u - step)) / (2.0 * step);
                let exact = surrogate.gradient(u);
                assert!((numeric - exact).abs() < 1e-8, "{surrogate} at {u}: {exact}, numerically {numeric}");
            }
            assert!((surrogate.primitive(0.0) - 0.5).abs() < 1e-15, "{surrogate}");
        }
    }

    #[test]
    fn finite_everywhere() {
        for surrogate in Surrogate::all() {
            for u in [0.0, -0.0, 1e-300, 1e300, f64::INFINITY, f64::MAX] {
                for u in [u, -u] {
                    assert!(surrogate.gradient(u).is_finite(), "gradient of {surrogate} at {u}");
                    assert!(surrogate.primitive(u).is_finite(), "primitive of {surrogate} at {u}");
                    let mut single = [u as f32; LANES];
                    TileGradient::new(surrogate.into(), Isa::BASELINE).surrogate(&mut single);
                    assert!(single[0].is_finite(), "gradient of {surrogate} at {u} in float32");
                }
            }
            assert!(surrogate.gradient(f64::NAN).is_nan());
        }
    }

    #[test]
    fn parameters_are_checked() {
        for alpha in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(Surrogate::atan(alpha).validate(), Err(Error::SurrogateParameter { .. })));
        }
        assert!(Surrogate::from_name("q_pseudo_spike", &[1.0]).unwrap().validate().is_err());
        assert!(matches!(Surrogate::from_index(2, 1.0), Err(Error::UnknownSurrogateIndex { index: 2 })));
        assert!(matches!(Surrogate::from_name("Atan", &[]), Err(Error::UnknownSurrogate { .. })));
        assert!(matches!(Surrogate::from_name("ATan", &[1.0, 2.0]), Err(Error::SurrogateParameters { .. })));
        assert_eq!(Surrogate::from_index(1, 2.0).unwrap(), Surrogate::sigmoid(2.0));
        assert_eq!(Surrogate::default().to_string(), "ATan(alpha=2)");
    }
}
