//! Number formats, for storage and for arithmetic.

mod arithmetic;
mod storage;

use std::fmt::{Debug, Display};
use std::ops::{Add, Div, Mul, Neg, Sub};

use half::{bf16, f16};
use neuron_abi::Format;

/// The width of a tile: the neurons that a kernel computes together.
pub const LANES: usize = 64;

/// The elements of arrays: plain numbers without padding or invalid bit patterns.
///
/// Implemented for the data formats and for words of bits only.
pub trait Plain: sealed::Sealed + Copy + Debug + Default + PartialEq + Send + Sync + 'static {}

mod sealed {
    pub trait Sealed {}
}

/// A storage format: `f32`, `f64`, `half::f16` or `half::bf16`.
///
/// States and arithmetic use [`Element::Real`]: the format itself, or `f32` for the half-precision formats.
pub trait Element: Plain {
    /// The format of states and arithmetic.
    type Real: Real;

    /// The format.
    const FORMAT: Format;

    /// Its name: `f32`, `f64`, `f16`, `bf16`.
    const NAME: &'static str = Self::FORMAT.name();

    /// Wraps a value for this format.
    #[doc(hidden)]
    fn any<F: PerFormat>(value: F::Of<Self>) -> AnyFormat<F>;

    /// Converts from storage.
    fn load(self) -> Self::Real;

    /// Converts to storage: the nearest number, ties to even.
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

/// A number format for arithmetic: `f32` or `f64`.
///
/// The `f32` functions are implemented in this crate as straight-line code from additions, multiplications, divisions
/// and bit operations, so they vectorise and are bit-identical on every device. The `f64` functions are those of the
/// standard library, except sine and cosine, which are implemented likewise. Their results are the same for all
/// instruction sets of a machine, but the system's `exp`, `ln`, `tanh` and `atan` may differ between machines.
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

    /// Selects the value for this format.
    #[doc(hidden)]
    fn of<F: PerFormat>(both: &BothReals<F>) -> &F::Of<Self>;

    /// Rounds to this format.
    fn from_f64(value: f64) -> Self;
    /// The same number in float64.
    fn to_f64(self) -> f64;

    /// `1 / x`; in `f32`, subnormal arguments and results are flushed to zero.
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

/// Rounds to a format for arithmetic.
pub(crate) fn rounded<R: Real>(value: f64) -> f64 {
    R::from_f64(value).to_f64()
}

/// A family of types, one for each storage format.
#[doc(hidden)]
pub trait PerFormat {
    /// The type for a format.
    type Of<E: Element>;
}

/// A member of a family, for a format chosen at run time.
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
