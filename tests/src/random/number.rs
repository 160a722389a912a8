//! Numbers that the evaluator computes with: plain ones, ones that know how far rounding may have moved them,
//! and ones with a slope.

mod moments;

use std::cmp::Ordering;

use super::ast::{Binary, Function};
use moments::moment;

/// How spikes are differentiated, and what takes their place in the relaxed model. Formulas are written out here,
/// independently of those that the runtime derives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Surrogate {
    /// `alpha / 2 / (1 + (pi / 2 alpha u)^2)`
    Atan(f64),
    /// `alpha s (1 - s)` where `s = sigmoid(alpha u)`
    Sigmoid(f64),
}

impl Surrogate {
    /// The smooth step.
    pub fn primitive<N: Number>(self, u: N) -> N {
        match self {
            Self::Atan(alpha) => {
                let angle = N::constant(std::f64::consts::FRAC_PI_2 * alpha).mul(u).call(Function::Atan);
                angle.mul(N::constant(std::f64::consts::FRAC_1_PI)).add(N::constant(0.5))
            }
            Self::Sigmoid(alpha) => N::constant(alpha).mul(u).call(Function::Sigmoid),
        }
    }

    /// Its slope.
    pub fn slope<N: Number>(self, u: N) -> N {
        let one = N::constant(1.0);
        match self {
            Self::Atan(alpha) => {
                let z = N::constant(std::f64::consts::FRAC_PI_2 * alpha).mul(u);
                N::constant(alpha / 2.0).div(one.add(z.mul(z)))
            }
            Self::Sigmoid(alpha) => {
                let s = N::constant(alpha).mul(u).call(Function::Sigmoid);
                N::constant(alpha).mul(s).mul(one.sub(s))
            }
        }
    }
}

/// What the evaluator needs of a number.
pub trait Number: Copy {
    /// A number that is known exactly and does not depend on anything.
    fn constant(value: f64) -> Self;
    /// Its value.
    fn value(self) -> f64;
    /// Whether it is finite, and so is everything that is known of it.
    fn is_finite(self) -> bool;
    /// `self + other`
    fn add(self, other: Self) -> Self;
    /// `self - other`
    fn sub(self, other: Self) -> Self;
    /// `self * other`
    fn mul(self, other: Self) -> Self;
    /// `self / other`
    fn div(self, other: Self) -> Self;
    /// `-self`
    fn neg(self) -> Self;
    /// A function of it.
    fn call(self, function: Function) -> Self;
    /// A function of it, of which this number has that value and slope.
    fn through(self, value: f64, slope: f64) -> Self;
    /// How it compares with `other`; `None` if rounding may decide that.
    fn order(self, other: Self) -> Option<Ordering>;

    /// Whether it has a slope.
    const HAS_SLOPE: bool = false;
    /// The same value without a slope.
    fn detached(self) -> Self {
        self
    }
    /// The value of a step function at `u = self`, with the surrogate as its slope.
    fn spike(self, value: f64, _: Surrogate) -> Self {
        Self::constant(value)
    }
    /// The same value with the slope of `smooth`.
    fn straight_through(self, _smooth: Self) -> Self {
        self
    }
    /// The same value, which is what `spike` chose between `with` and `without`.
    fn chosen(self, _with: Self, _without: Self, _spike: Self) -> Self {
        self
    }

    /// `self^n`
    fn power(self, n: i32) -> Self {
        let mut product = Self::constant(1.0);
        for _ in 0..n.unsigned_abs() {
            product = product.mul(self);
        }
        if n < 0 { Self::constant(1.0).div(product) } else { product }
    }
    /// An operator.
    fn binary(self, op: Binary, other: Self) -> Self {
        match op {
            Binary::Add => self.add(other),
            Binary::Sub => self.sub(other),
            Binary::Mul => self.mul(other),
            Binary::Div => self.div(other),
        }
    }
}

impl Number for f64 {
    fn constant(value: f64) -> Self {
        value
    }
    fn value(self) -> f64 {
        self
    }
    fn is_finite(self) -> bool {
        self.is_finite()
    }
    fn add(self, other: Self) -> Self {
        self + other
    }
    fn sub(self, other: Self) -> Self {
        self - other
    }
    fn mul(self, other: Self) -> Self {
        self * other
    }
    fn div(self, other: Self) -> Self {
        self / other
    }
    fn neg(self) -> Self {
        -self
    }
    fn call(self, function: Function) -> Self {
        match function {
            Function::Exp => libm::exp(self),
            Function::Ln => libm::log(self),
            Function::Expm1 => libm::expm1(self),
            Function::Log1p => libm::log1p(self),
            Function::Exprel if self == 0.0 => 1.0,
            Function::Exprel => libm::expm1(self) / self,
            Function::Sqrt => self.sqrt(),
            Function::Tanh => libm::tanh(self),
            Function::Sigmoid => {
                // Of the exponential that cannot overflow.
                let e = libm::exp(-self.abs());
                (if self < 0.0 { e } else { 1.0 }) / (1.0 + e)
            }
            Function::Atan => libm::atan(self),
            Function::Erf => libm::erf(self),
            Function::Sin => libm::sin(self),
            Function::Cos => libm::cos(self),
            Function::Abs => self.abs(),
            Function::Round => libm::rint(self),
            Function::Floor => self.floor(),
            Function::Trunc => self.trunc(),
        }
    }
    fn through(self, value: f64, _: f64) -> Self {
        value
    }
    fn order(self, other: Self) -> Option<Ordering> {
        self.partial_cmp(&other)
    }
}

/// A number and a bound, to first order, of what rounding may have done to it.
#[derive(Clone, Copy, Debug)]
pub struct Rounded {
    /// The number.
    pub value: f64,
    /// How far it may be from what other software computes of the same inputs, in which single operations are as
    /// precise as here.
    pub error: f64,
}

/// How far one operation may be off, relative to its result: functions of other libraries, and quotients that are
/// products with a reciprocal.
const PRECISION: f64 = 4.0 * f64::EPSILON;

/// How many errors apart two numbers are whose order is known.
const APART: f64 = 16.0;

impl Rounded {
    fn new(value: f64, error: f64) -> Self {
        // Numbers below this are rounded to a multiple of the smallest one.
        Self { value, error: error + PRECISION * value.abs() + f64::MIN_POSITIVE }
    }
}

impl Number for Rounded {
    fn constant(value: f64) -> Self {
        Self { value, error: 0.0 }
    }
    fn value(self) -> f64 {
        self.value
    }
    fn is_finite(self) -> bool {
        self.value.is_finite() && self.error.is_finite()
    }
    fn add(self, other: Self) -> Self {
        Self::new(self.value + other.value, self.error + other.error)
    }
    fn sub(self, other: Self) -> Self {
        Self::new(self.value - other.value, self.error + other.error)
    }
    fn mul(self, other: Self) -> Self {
        let error = self.error * other.value.abs() + (self.value.abs() + self.error) * other.error;
        Self::new(self.value * other.value, error)
    }
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        // A divisor that may be 0 may give anything.
        let least = other.value.abs() - other.error;
        let error =
            if least > 0.0 { (self.error + value.abs() * other.error) / least } else { f64::INFINITY };
        Self::new(value, error)
    }
    fn neg(self) -> Self {
        Self { value: -self.value, ..self }
    }
    fn call(self, function: Function) -> Self {
        let Self { value: a, error } = self;
        let value = a.call(function);
        let slope = match function {
            Function::Exp => value * error.exp(),
            Function::Ln => 1.0 / (a.abs() - error).max(0.0),
            Function::Expm1 => (a + error).exp(),
            Function::Log1p => 1.0 / ((1.0 + a).abs() - error).max(0.0),
            // Below that of the exponential, and below the quotient itself.
            Function::Exprel => value * error.exp(),
            // The steepest that it can be: of a number that may be 0 it is not bounded, but its change is.
            Function::Sqrt if a <= error => return Self::new(value, (a.max(0.0) + error).sqrt()),
            Function::Sqrt => 0.5 / (a - error).sqrt(),
            Function::Sigmoid => 0.25,
            Function::Erf => std::f64::consts::FRAC_2_SQRT_PI,
            // Large arguments are not reduced with all digits.
            Function::Sin | Function::Cos => {
                return Self::new(
                    value,
                    error + PRECISION + a.abs() * 1e-20 + if a.abs() > 1e5 { 1.0 } else { 0.0 },
                );
            }
            Function::Tanh | Function::Atan | Function::Abs => 1.0,
            // Exact, unless rounding decides.
            Function::Round | Function::Floor | Function::Trunc => {
                let to_jump = if function == Function::Round {
                    ((a - a.floor()) - 0.5).abs()
                } else {
                    (a - libm::rint(a)).abs()
                };
                let error = if error > 0.0 && to_jump <= APART * error { f64::INFINITY } else { 0.0 };
                return Self { value, error };
            }
        };
        if function == Function::Abs {
            return Self { value, error };
        }
        Self::new(value, if error == 0.0 { 0.0 } else { slope * error })
    }
    fn through(self, value: f64, slope: f64) -> Self {
        // Such a function takes several operations.
        Self::new(value, slope.abs() * self.error + 4.0 * PRECISION * value.abs())
    }
    fn order(self, other: Self) -> Option<Ordering> {
        let error = self.error + other.error;
        let is_known = error == 0.0 || (self.value - other.value).abs() > APART * error;
        if is_known { self.value.partial_cmp(&other.value) } else { None }
    }
}

/// A number and how it changes with one other.
#[derive(Clone, Copy, Debug)]
pub struct Dual<B> {
    /// The number.
    pub value: B,
    /// Its derivative.
    pub slope: B,
}

impl<B: Number> Dual<B> {
    /// `value`, with `slope` times that of this number.
    fn chain(self, value: B, slope: B) -> Self {
        Self { value, slope: self.slope.mul(slope) }
    }
}

impl<B: Number> Number for Dual<B> {
    fn constant(value: f64) -> Self {
        Self { value: B::constant(value), slope: B::constant(0.0) }
    }
    fn value(self) -> f64 {
        self.value.value()
    }
    fn is_finite(self) -> bool {
        self.value.is_finite() && self.slope.is_finite()
    }
    fn add(self, other: Self) -> Self {
        Self { value: self.value.add(other.value), slope: self.slope.add(other.slope) }
    }
    fn sub(self, other: Self) -> Self {
        Self { value: self.value.sub(other.value), slope: self.slope.sub(other.slope) }
    }
    fn mul(self, other: Self) -> Self {
        let slope = self.slope.mul(other.value).add(self.value.mul(other.slope));
        Self { value: self.value.mul(other.value), slope }
    }
    fn div(self, other: Self) -> Self {
        let value = self.value.div(other.value);
        Self { value, slope: self.slope.sub(value.mul(other.slope)).div(other.value) }
    }
    fn neg(self) -> Self {
        Self { value: self.value.neg(), slope: self.slope.neg() }
    }
    fn power(self, n: i32) -> Self {
        let slope =
            if n == 0 { B::constant(0.0) } else { B::constant(f64::from(n)).mul(self.value.power(n - 1)) };
        self.chain(self.value.power(n), slope)
    }
    fn call(self, function: Function) -> Self {
        let (a, value, number) = (self.value, self.value.call(function), B::constant);
        let slope = match function {
            Function::Exp => value,
            Function::Ln => number(1.0).div(a),
            Function::Expm1 => a.call(Function::Exp),
            Function::Log1p => number(1.0).div(number(1.0).add(a)),
            Function::Exprel => a.through(moment(1, a.value()), moment(2, a.value())),
            Function::Sqrt => number(0.5).div(value),
            Function::Tanh => number(1.0).sub(value.mul(value)),
            Function::Sigmoid => value.mul(number(1.0).sub(value)),
            Function::Atan => number(1.0).div(number(1.0).add(a.mul(a))),
            Function::Erf => number(std::f64::consts::FRAC_2_SQRT_PI).mul(a.mul(a).neg().call(Function::Exp)),
            Function::Sin => a.call(Function::Cos),
            Function::Cos => a.call(Function::Sin).neg(),
            // 0 at 0.
            Function::Abs => match a.order(number(0.0)) {
                Some(Ordering::Less) => number(-1.0),
                Some(Ordering::Equal) => number(0.0),
                Some(Ordering::Greater) => number(1.0),
                None => number(f64::NAN),
            },
            // Straight through.
            Function::Round | Function::Floor | Function::Trunc => number(1.0),
        };
        self.chain(value, slope)
    }
    fn through(self, value: f64, slope: f64) -> Self {
        self.chain(self.value.through(value, slope), B::constant(slope))
    }
    fn order(self, other: Self) -> Option<Ordering> {
        self.value.order(other.value)
    }

    const HAS_SLOPE: bool = true;
    fn detached(self) -> Self {
        Self { slope: B::constant(0.0), ..self }
    }
    fn spike(self, value: f64, surrogate: Surrogate) -> Self {
        self.chain(B::constant(value), surrogate.slope(self.value))
    }
    fn straight_through(self, smooth: Self) -> Self {
        Self { slope: smooth.slope, ..self }
    }
    fn chosen(self, with: Self, without: Self, spike: Self) -> Self {
        let jump = with.value.sub(without.value);
        Self { slope: self.slope.add(jump.mul(spike.slope)), ..self }
    }
}
