//! Intervals of numbers with open or closed ends: what is known of the value of an expression.
//!
//! Values are those of exact arithmetic and finite: an end at infinity is open. An interval may be larger than
//! the set of values, never smaller.

/// An end of an interval.
#[derive(Clone, Copy, Debug, PartialEq)]
struct End {
    value: f64,
    /// Whether the value itself belongs to the interval.
    closed: bool,
}

impl End {
    fn new(value: f64, closed: bool) -> Self {
        Self { value, closed: closed && value.is_finite() }
    }
}

/// The numbers between two ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    low: End,
    high: End,
}

impl Interval {
    /// All numbers.
    pub const ALL: Self = Self::open(f64::NEG_INFINITY, f64::INFINITY);
    /// What is above 0.
    pub const POSITIVE: Self = Self::open(0.0, f64::INFINITY);

    /// Without its ends.
    pub const fn open(low: f64, high: f64) -> Self {
        Self { low: End { value: low, closed: false }, high: End { value: high, closed: false } }
    }

    /// With its ends, where they are finite.
    pub fn closed(low: f64, high: f64) -> Self {
        Self::new(End::new(low, true), End::new(high, true))
    }

    /// A single number.
    pub fn point(value: f64) -> Self {
        Self::closed(value, value)
    }

    /// Everything if the arithmetic went wrong: infinity minus infinity, or both ends overflow.
    fn new(low: End, high: End) -> Self {
        let interval = Self { low, high };
        if low.value.is_nan() || high.value.is_nan() || interval.is_empty() { Self::ALL } else { interval }
    }

    /// What is below `self`, or is in it too if `or_equal`.
    pub fn below(self, or_equal: bool) -> Self {
        let high = End { closed: self.high.closed && or_equal, ..self.high };
        Self { low: Self::ALL.low, high }
    }

    /// What is above `self`, or is in it too if `or_equal`.
    pub fn above(self, or_equal: bool) -> Self {
        self.neg().below(or_equal).neg()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(self) -> bool {
        let Self { low, high } = self;
        low.value > high.value || (low.value == high.value && !(low.closed && high.closed))
    }

    /// Whether a number below 0 is in it.
    pub fn has_negative(self) -> bool {
        !self.is_empty() && self.low.value < 0.0
    }

    /// Whether 0 is in it.
    pub fn has_zero(self) -> bool {
        !self.intersection(Self::point(0.0)).is_empty()
    }

    /// What is in both.
    pub fn intersection(self, other: Self) -> Self {
        Self { low: higher(self.low, other.low, false), high: lower(self.high, other.high, false) }
    }

    /// The smallest interval with both in it.
    pub fn union(self, other: Self) -> Self {
        match (self.is_empty(), other.is_empty()) {
            (true, _) => other,
            (_, true) => self,
            _ => Self { low: lower(self.low, other.low, true), high: higher(self.high, other.high, true) },
        }
    }

    pub fn neg(self) -> Self {
        let turned = |end: End| End { value: -end.value, ..end };
        Self { low: turned(self.high), high: turned(self.low) }
    }

    pub fn add(self, other: Self) -> Self {
        let sum = |a: End, b: End| End::new(a.value + b.value, a.closed && b.closed);
        Self::new(sum(self.low, other.low), sum(self.high, other.high))
    }

    pub fn sub(self, other: Self) -> Self {
        self.add(other.neg())
    }

    pub fn mul(self, other: Self) -> Self {
        let product = |a: End, b: End| {
            let is_zero = |end: End| end.value == 0.0;
            if is_zero(a) || is_zero(b) {
                // Of values that are finite, even where the end is not.
                let closed = if is_zero(a) && is_zero(b) {
                    a.closed || b.closed
                } else if is_zero(a) {
                    a.closed
                } else {
                    b.closed
                };
                return End { value: 0.0, closed };
            }
            End::new(a.value * b.value, a.closed && b.closed)
        };
        let ends =
            [(self.low, other.low), (self.low, other.high), (self.high, other.low), (self.high, other.high)]
                .map(|(a, b)| product(a, b));
        let low = ends.into_iter().reduce(|a, b| lower(a, b, true)).unwrap_or(Self::ALL.low);
        let high = ends.into_iter().reduce(|a, b| higher(a, b, true)).unwrap_or(Self::ALL.high);
        Self::new(low, high)
    }

    /// `1 / self`; everything if it may be divided by 0.
    pub fn reciprocal(self) -> Self {
        if self.is_empty() || (self.low.value < 0.0 && self.high.value > 0.0) || self.has_zero() {
            return Self::ALL;
        }
        let inverse = |end: End, side: f64| match end.value {
            0.0 => End::new(side, false),
            value => End::new(1.0 / value, end.closed),
        };
        Self::new(inverse(self.high, f64::NEG_INFINITY), inverse(self.low, f64::INFINITY))
    }

    pub fn div(self, other: Self) -> Self {
        self.mul(other.reciprocal())
    }

    pub fn powi(self, n: i32) -> Self {
        if n < 0 {
            return self.powi(n.saturating_neg()).reciprocal();
        }
        let power = |end: End| End::new(libm::pow(end.value, f64::from(n)), end.closed);
        if n == 0 {
            Self::point(1.0)
        } else if n % 2 == 1 {
            Self::new(power(self.low), power(self.high))
        } else {
            let size = self.abs();
            Self::new(power(size.low), power(size.high))
        }
    }

    pub fn min(self, other: Self) -> Self {
        Self { low: lower(self.low, other.low, true), high: lower(self.high, other.high, false) }
    }

    pub fn max(self, other: Self) -> Self {
        self.neg().min(other.neg()).neg()
    }

    pub fn abs(self) -> Self {
        let zero = End { value: 0.0, closed: true };
        if self.low.value >= 0.0 {
            self
        } else if self.high.value <= 0.0 {
            self.neg()
        } else {
            Self { low: zero, high: higher(self.high, self.neg().high, true) }
        }
    }

    /// The integers that `round`, which never falls, makes of what is in it.
    pub fn integers(self, round: fn(f64) -> f64) -> Self {
        // An end that is not reached may round to the same integer as what is near it.
        Self::closed(round(self.low.value), round(self.high.value))
    }

    /// `f`, a rising function whose values are in `range`, of what is in it.
    pub fn rising(self, f: fn(f64) -> f64, range: Self) -> Self {
        // What the arithmetic rounds to an end that the function does not reach is not that end.
        let values = self.monotone(f).intersection(range);
        if values.is_empty() { range } else { values }
    }

    /// A rising function of both ends.
    pub fn monotone(self, f: fn(f64) -> f64) -> Self {
        let end = |end: End| End::new(f(end.value), end.closed);
        Self::new(end(self.low), end(self.high))
    }
}

/// The lower of two ends. Of equal ones, that which is closed if `closed`, else that which is open.
fn lower(a: End, b: End, closed: bool) -> End {
    match a.value.partial_cmp(&b.value) {
        Some(std::cmp::Ordering::Greater) => b,
        Some(std::cmp::Ordering::Less) => a,
        _ => End { closed: if closed { a.closed || b.closed } else { a.closed && b.closed }, ..a },
    }
}

/// The higher of two ends, as [`lower`].
fn higher(a: End, b: End, closed: bool) -> End {
    let turned = |end: End| End { value: -end.value, ..end };
    turned(lower(turned(a), turned(b), closed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Func;

    fn numbers() -> impl Iterator<Item = f64> {
        [-7.5, -2.0, -1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0, 2.0, 7.5].into_iter()
    }

    fn intervals() -> Vec<Interval> {
        let ends = [f64::NEG_INFINITY, -2.0, -0.5, 0.0, 0.5, 2.0, f64::INFINITY];
        let mut all = Vec::new();
        for low in ends {
            for high in ends {
                for closed in [(false, false), (false, true), (true, false), (true, true)] {
                    let interval = Interval { low: End::new(low, closed.0), high: End::new(high, closed.1) };
                    if !interval.is_empty() {
                        all.push(interval);
                    }
                }
            }
        }
        all
    }

    fn contains(interval: Interval, value: f64) -> bool {
        !interval.intersection(Interval::point(value)).is_empty()
    }

    fn members(interval: Interval) -> impl Iterator<Item = f64> {
        numbers().filter(move |value| contains(interval, *value))
    }

    #[test]
    fn operations_on_one() {
        for a in intervals() {
            for x in members(a) {
                let check = |name: &str, result: Interval, value: f64| {
                    assert!(
                        !value.is_finite() || contains(result, value),
                        "{name} of {x} in {a:?}: {value} in {result:?}"
                    );
                };
                check("neg", a.neg(), -x);
                check("abs", a.abs(), x.abs());
                for n in [-3, -2, -1, 0, 1, 2, 3] {
                    check("powi", a.powi(n), x.powi(n));
                }
                check("exp", Func::Exp.interval(a), libm::exp(x));
                check("expm1", Func::Expm1.interval(a), libm::expm1(x));
                check("log1p", Func::Log1p.interval(a), libm::log1p(x));
                check("exprel", Func::Exprel.interval(a), Func::Exprel.evaluate(x));
                check("exprel_slope", Func::ExprelSlope.interval(a), Func::ExprelSlope.evaluate(x));
                check("ln", Func::Ln.interval(a), libm::log(x));
                check("sqrt", Func::Sqrt.interval(a), libm::sqrt(x));
                check("tanh", Func::Tanh.interval(a), libm::tanh(x));
                if x.abs() < 5.0 {
                    // Beyond, it rounds to the end that it does not reach.
                    check("erf", Func::Erf.interval(a), libm::erf(x));
                }
                check("atan", Func::Atan.interval(a), libm::atan(x));
                check("sigmoid", Func::Sigmoid.interval(a), 1.0 / (1.0 + libm::exp(-x)));
                check("sin", Func::Sin.interval(a), libm::sin(x));
                check("round", Func::Round.interval(a), libm::rint(x));
                check("floor", Func::Floor.interval(a), x.floor());
                check("trunc", Func::Trunc.interval(a), x.trunc());
            }
        }
    }

    #[test]
    fn operations_on_two() {
        for a in intervals() {
            for b in intervals() {
                for (x, y) in members(a).flat_map(|x| members(b).map(move |y| (x, y))) {
                    for (result, value) in [
                        (a.add(b), x + y),
                        (a.sub(b), x - y),
                        (a.mul(b), x * y),
                        (a.div(b), x / y),
                        (a.min(b), x.min(y)),
                        (a.max(b), x.max(y)),
                        (a.union(b), x),
                    ] {
                        assert!(!value.is_finite() || contains(result, value), "{a:?} {b:?}: {value}");
                    }
                    assert!(x > y || contains(b.below(true), x));
                    assert!(x <= y || contains(b.above(false), x));
                }
            }
        }
    }

    #[test]
    fn ends_are_kept_apart() {
        let positive = Interval::POSITIVE;
        assert!(!positive.reciprocal().has_zero() && !positive.reciprocal().has_negative());
        assert!(!positive.mul(positive).has_zero());
        assert!(Interval::closed(0.0, 1.0).mul(positive).has_zero());
        assert!(!Func::Exp.interval(positive.neg()).has_zero());
        // 1 - exp(-1 / tau)
        assert!(!Interval::point(1.0).sub(Func::Exp.interval(positive.reciprocal().neg())).has_negative());
        assert!(!Interval::ALL.powi(2).has_negative() && Interval::ALL.powi(2).has_zero());
        assert!(!Func::Sigmoid.interval(Interval::ALL).has_zero());
        assert!(!Interval::ALL.max(Interval::point(1e-3)).has_zero());
    }
}
