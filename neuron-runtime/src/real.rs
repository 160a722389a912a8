//! The number formats of the arithmetic.

use std::fmt::Display;
use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::Element;
use crate::math::{double, single};
use crate::surrogate::SurrogateFormat;

/// A number format to compute in: `f32` or `f64`.
///
/// The functions of `f32` are straight-line code of our own, made of additions, multiplications, divisions
/// and operations on bits, so that they vectorise and give the same bits on every device. Those of `f64` are
/// the standard library's, but for sine and cosine, which are made likewise.
pub trait Real:
    Element<Real = Self>
    + SurrogateFormat
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
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn reciprocal(self) -> Self {
        single::reciprocal(self)
    }
    #[inline(always)]
    fn exp(self) -> Self {
        single::exp(self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        single::ln(self)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        single::tanh(self)
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        single::sigmoid(self)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        f32::abs(self)
    }
    #[inline(always)]
    fn atan(self) -> Self {
        single::atan(self)
    }
    #[inline(always)]
    fn erf(self) -> Self {
        single::erf(self)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        single::sin(self)
    }
    #[inline(always)]
    fn cos(self) -> Self {
        single::cos(self)
    }
    #[inline(always)]
    fn round(self) -> Self {
        self.round_ties_even()
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn reciprocal(self) -> Self {
        1.0 / self
    }
    #[inline(always)]
    fn exp(self) -> Self {
        f64::exp(self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        f64::ln(self)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        f64::tanh(self)
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        // Of the exponential that cannot overflow.
        let e = (-f64::abs(self)).exp();
        (if self < 0.0 { e } else { 1.0 }) * Real::reciprocal(1.0 + e)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        f64::abs(self)
    }
    #[inline(always)]
    fn atan(self) -> Self {
        f64::atan(self)
    }
    #[inline(always)]
    fn erf(self) -> Self {
        libm::erf(self)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        double::sin(self)
    }
    #[inline(always)]
    fn cos(self) -> Self {
        double::cos(self)
    }
    #[inline(always)]
    fn round(self) -> Self {
        self.round_ties_even()
    }
}
