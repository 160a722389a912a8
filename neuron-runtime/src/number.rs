//! Number formats: those that data is stored in, and those of the arithmetic.

mod arithmetic;
mod storage;

use std::fmt::{Debug, Display};
use std::ops::{Add, Div, Mul, Neg, Sub};

use half::{bf16, f16};
use neuron_abi::Format;

/// Numbers that are converted at once: the neurons that a kernel computes together, the width of a tile.
pub const LANES: usize = 64;

/// What arrays are made of: plain numbers, all of whose bytes may have any value.
///
/// It is there for the formats of the data and for words of bits, and for nothing else.
pub trait Plain: sealed::Sealed + Copy + Debug + Default + PartialEq + Send + Sync + 'static {}

mod sealed {
    pub trait Sealed {}
}

/// A storage format: `f32`, `f64`, `half::f16` or `half::bf16`.
///
/// States and arithmetic are in [`Element::Real`]: the format itself if it is one to compute in, `f32` for
/// the two half-precision ones.
pub trait Element: Plain {
    /// The format of states and arithmetic.
    type Real: Real;

    /// Which of the formats it is.
    const FORMAT: Format;

    /// Its name: `f32`, `f64`, `f16`, `bf16`.
    const NAME: &'static str = Self::FORMAT.name();

    /// `value`, which is for this format, among those for any.
    #[doc(hidden)]
    fn any<F: PerFormat>(value: F::Of<Self>) -> AnyFormat<F>;

    /// The stored number.
    fn load(self) -> Self::Real;

    /// The nearest number that can be stored; ties to even.
    fn store(value: Self::Real) -> Self;

    /// As many numbers at once.
    #[doc(hidden)]
    #[inline(always)]
    fn load_lanes(from: &[Self; LANES]) -> [Self::Real; LANES] {
        from.map(Self::load)
    }

    /// As many numbers at once.
    #[doc(hidden)]
    #[inline(always)]
    fn store_lanes(values: &[Self::Real; LANES], to: &mut [Self; LANES]) {
        for (to, value) in to.iter_mut().zip(values) {
            *to = Self::store(*value);
        }
    }
}

/// A number format to compute in: `f32` or `f64`.
///
/// The functions of `f32` are straight-line code of our own, made of additions, multiplications, divisions
/// and operations on bits, so that they vectorise and give the same bits on every device. Those of `f64` are
/// the standard library's, but for sine and cosine, which are made likewise.
pub trait Real:
    Element<Real = Self>
    + Default
    + Display
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;

    /// What is for this format, of what there is for both.
    #[doc(hidden)]
    fn of<F: PerFormat>(both: &BothReals<F>) -> &F::Of<Self>;

    /// The nearest number of this format.
    fn from_f64(value: f64) -> Self;
    /// The same number in float64.
    fn to_f64(self) -> f64;

    /// `1 / x`; in `f32` subnormal numbers count as zeros here, and results that would be subnormal become zeros.
    fn reciprocal(self) -> Self;
    /// Exponential.
    fn exp(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// `exp(x) - 1`, precise near 0.
    fn expm1(self) -> Self;
    /// `ln(1 + x)`, precise near 0.
    fn log1p(self) -> Self;
    /// `(exp(x) - 1) / x`, 1 at 0.
    fn exprel(self) -> Self;
    /// The derivative of [`exprel`](Self::exprel), 1/2 at 0.
    fn exprel_slope(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Logistic function `1 / (1 + exp(-x))`.
    fn sigmoid(self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// Arc tangent.
    fn atan(self) -> Self;
    /// Error function.
    fn erf(self) -> Self;
    /// Sine.
    fn sin(self) -> Self;
    /// Cosine.
    fn cos(self) -> Self;
    /// Nearest integer, ties to even.
    fn round(self) -> Self;
    /// Largest integer that is not above.
    fn floor(self) -> Self;
    /// Integer next to it towards 0.
    fn trunc(self) -> Self;
}

/// The nearest number of a format of arithmetic.
pub(crate) fn rounded<R: Real>(value: f64) -> f64 {
    R::from_f64(value).to_f64()
}

/// A family of types, one for each storage format.
#[doc(hidden)]
pub trait PerFormat {
    /// That of a format.
    type Of<E: Element>;
}

/// One of a family, for a format known when the program runs.
#[doc(hidden)]
#[derive(Debug)]
pub enum AnyFormat<F: PerFormat> {
    /// Of `f32` data.
    F32(F::Of<f32>),
    /// Of `f64` data.
    F64(F::Of<f64>),
    /// Of `f16` data.
    F16(F::Of<f16>),
    /// Of `bf16` data.
    Bf16(F::Of<bf16>),
}

/// Those of a family that are for the formats of the arithmetic.
#[doc(hidden)]
pub struct BothReals<F: PerFormat> {
    /// For `f32`.
    pub single: F::Of<f32>,
    /// For `f64`.
    pub double: F::Of<f64>,
}
