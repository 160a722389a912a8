//! The definition of a declared surrogate.

use neuron_abi::SURROGATE_PARAMETERS as MAX_PARAMETERS;

use crate::cpu::isa::{Isa, dispatch};
use crate::number::{BothReals, LANES, PerFormat};
use crate::{Element, Real};

/// Distances from the threshold are clamped to these bounds, which keeps squares finite, and so differences and quotients
/// of growing terms. CUDA kernels use the same bounds.
const BOUNDS: BothReals<Distance> = BothReals { single: 1e18, double: 1e150 };

/// The family of a distance from the threshold.
struct Distance;

impl PerFormat for Distance {
    type Of<E: Element> = E;
}

/// What `surrogate!` makes of a declaration.
///
/// # Safety
/// `CUDA` and `CUDA_MATH` contain only the definitions described below, which access no memory but arguments and local
/// variables: kernels are compiled with them, and launched by safe calls.
pub unsafe trait Shape: 'static {
    /// Its name.
    const NAME: &'static str;
    /// Its parameters, at most [`MAX_PARAMETERS`].
    const PARAMETERS: &'static [ParameterDef];
    /// The primitive in the syntax of the language.
    const PRIMITIVE: &'static str;
    /// The gradient in the syntax of the language.
    const GRADIENT: &'static str;
    /// The gradient as a function of CUDA C++ called `NAME`.
    const CUDA: &'static str;
    /// The functions that it calls, in CUDA C++.
    const CUDA_MATH: &'static str;

    /// The index of the first parameter out of range, and the condition that it violates.
    fn check(values: &[f64; MAX_PARAMETERS]) -> Option<(usize, &'static str)>;

    /// The surrogate gradient.
    fn gradient<R: Real>(u: R, values: [R; MAX_PARAMETERS]) -> R;

    /// Its primitive.
    fn primitive<R: Real>(u: R, values: [R; MAX_PARAMETERS]) -> R;
}

/// A parameter as declared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParameterDef {
    /// Its name.
    pub name: &'static str,
    /// Its default.
    pub default: f64,
    /// Its valid range as declared, such as `alpha > 0.0`; empty if every finite number is valid.
    pub range: &'static str,
}

/// The part that all instances of a surrogate share.
pub struct Definition {
    pub(super) name: &'static str,
    pub(super) parameters: &'static [ParameterDef],
    pub(super) primitive: &'static str,
    pub(super) gradient: &'static str,
    pub(super) cuda: &'static str,
    #[cfg(feature = "cuda")]
    pub(super) cuda_math: &'static str,
    pub(super) check: &'static Check,
    pub(super) functions: BothReals<AllFunctions>,
}

impl Definition {
    /// The definition for a declaration.
    pub const fn of<S: Shape>() -> Self {
        Self {
            name: S::NAME,
            parameters: S::PARAMETERS,
            primitive: S::PRIMITIVE,
            gradient: S::GRADIENT,
            cuda: S::CUDA,
            #[cfg(feature = "cuda")]
            cuda_math: S::CUDA_MATH,
            check: &S::check,
            functions: BothReals {
                single: Functions { gradient: &gradient::<S, f32>, primitive: &primitive::<S, f32> },
                double: Functions { gradient: &gradient::<S, f64>, primitive: &primitive::<S, f64> },
            },
        }
    }

    /// The definition of a surrogate that is declared at run time. As those of compiled surrogates, it is never freed.
    ///
    /// # Safety
    /// As for [`Shape`]: `cuda` and `cuda_math` contain only the definitions described there.
    pub unsafe fn interpreted<I: Interpret>(texts: Texts, interpreter: &'static I) -> &'static Self {
        let Texts { name, parameters, primitive, gradient, cuda, cuda_math } = texts;
        #[cfg(not(feature = "cuda"))]
        let _ = cuda_math;
        Box::leak(Box::new(Self {
            name,
            parameters,
            primitive,
            gradient,
            cuda,
            #[cfg(feature = "cuda")]
            cuda_math,
            check: Box::leak(Box::new(|values: &[f64; MAX_PARAMETERS]| interpreter.check(values))),
            functions: BothReals {
                single: Functions::interpreted(interpreter),
                double: Functions::interpreted(interpreter),
            },
        }))
    }
}

/// What is known of a surrogate that is declared at run time, as the constants of [`Shape`].
#[derive(Clone, Copy, Debug)]
pub struct Texts {
    /// Its name.
    pub name: &'static str,
    /// Its parameters, at most [`MAX_PARAMETERS`].
    pub parameters: &'static [ParameterDef],
    /// The primitive in the syntax of the language.
    pub primitive: &'static str,
    /// The gradient in the syntax of the language.
    pub gradient: &'static str,
    /// The gradient as a function of CUDA C++ called `NAME`.
    pub cuda: &'static str,
    /// The functions that it calls, in CUDA C++.
    pub cuda_math: &'static str,
}

/// Computes a surrogate that is declared at run time.
pub trait Interpret: Sync + 'static {
    /// As [`Shape::check`].
    fn check(&self, values: &[f64; MAX_PARAMETERS]) -> Option<(usize, &'static str)>;

    /// Replaces each distance from the threshold, which is within the bounds, with the surrogate gradient there. It is
    /// compiled for each instruction set if it is inlined.
    fn gradient<R: Real>(&self, values: &[f64; MAX_PARAMETERS], u: &mut [R; LANES]);

    /// The same with the primitive.
    fn primitive<R: Real>(&self, values: &[f64; MAX_PARAMETERS], u: &mut [R; LANES]);
}

/// See [`Shape::check`].
type Check = dyn Fn(&[f64; MAX_PARAMETERS]) -> Option<(usize, &'static str)> + Sync;

/// Gradient and primitive of a whole lane block, for one number format.
pub(super) struct Functions<R: 'static> {
    pub gradient: &'static Apply<R>,
    pub primitive: &'static Apply<R>,
}

impl<R: Real> Functions<R> {
    fn interpreted<I: Interpret>(interpreter: &'static I) -> Self {
        Self {
            gradient: Box::leak(Box::new(|isa: Isa, values: &_, u: &mut _| {
                interpreted_gradient(isa, interpreter, values, u);
            })),
            primitive: Box::leak(Box::new(|isa: Isa, values: &_, u: &mut _| {
                interpreted_primitive(isa, interpreter, values, u);
            })),
        }
    }
}

/// These of both formats.
pub(super) struct AllFunctions;

impl PerFormat for AllFunctions {
    type Of<E: Element> = Functions<E>;
}

/// A function of all lanes, given the parameters.
pub type Apply<R> = dyn Fn(Isa, &[f64; MAX_PARAMETERS], &mut [R; LANES]) + Sync;

dispatch! {
    fn gradient<S: Shape, R: Real>(values: &[f64; MAX_PARAMETERS], u: &mut [R; LANES]) => gradient_lanes::<S, R>
}

dispatch! {
    fn primitive<S: Shape, R: Real>(values: &[f64; MAX_PARAMETERS], u: &mut [R; LANES]) => primitive_lanes::<S, R>
}

dispatch! {
    fn interpreted_gradient<I: Interpret, R: Real>(
        interpreter: &I, values: &[f64; MAX_PARAMETERS], u: &mut [R; LANES],
    ) => interpreted_gradient_lanes::<I, R>
}

dispatch! {
    fn interpreted_primitive<I: Interpret, R: Real>(
        interpreter: &I, values: &[f64; MAX_PARAMETERS], u: &mut [R; LANES],
    ) => interpreted_primitive_lanes::<I, R>
}

#[inline(always)]
fn gradient_lanes<S: Shape, R: Real>(values: &[f64; MAX_PARAMETERS], u: &mut [R; LANES]) {
    let values = values.map(R::from_f64);
    for u in u {
        *u = S::gradient(bounded(*u), values);
    }
}

#[inline(always)]
fn primitive_lanes<S: Shape, R: Real>(values: &[f64; MAX_PARAMETERS], u: &mut [R; LANES]) {
    let values = values.map(R::from_f64);
    for u in u {
        *u = S::primitive(bounded(*u), values);
    }
}

#[inline(always)]
fn interpreted_gradient_lanes<I: Interpret, R: Real>(
    interpreter: &I,
    values: &[f64; MAX_PARAMETERS],
    u: &mut [R; LANES],
) {
    u.iter_mut().for_each(|u| *u = bounded(*u));
    interpreter.gradient(values, u);
}

#[inline(always)]
fn interpreted_primitive_lanes<I: Interpret, R: Real>(
    interpreter: &I,
    values: &[f64; MAX_PARAMETERS],
    u: &mut [R; LANES],
) {
    u.iter_mut().for_each(|u| *u = bounded(*u));
    interpreter.primitive(values, u);
}

/// `u` between the bounds; NaN stays NaN.
#[inline(always)]
fn bounded<R: Real>(u: R) -> R {
    let bound = *R::of(&BOUNDS);
    let u = if u > bound { bound } else { u };
    if u < -bound { -bound } else { u }
}
