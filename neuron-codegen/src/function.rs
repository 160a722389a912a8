//! The functions of the language, each with all that the generator knows of it. What they compute in kernels is in the
//! runtime's `math` and, for CUDA, in `emit/cuda`.

use std::f64::consts::FRAC_PI_2;

use crate::ir::{Graph, Id};
use crate::lowering::interval::Interval;

/// Functions that are about how a step is differentiated, which surrogates do not have.
pub(crate) const OF_STEPS: [&str; 3] = ["heaviside", "detach", "straight_through"];

/// The names of all functions, of one number and of more.
pub(crate) fn names() -> Vec<&'static str> {
    Func::ALL.into_iter().map(Func::name).chain(["min", "max", "clamp"]).collect()
}

/// Functions of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Func {
    /// Exponential.
    Exp,
    /// Natural logarithm.
    Ln,
    /// `exp(x) - 1`.
    Expm1,
    /// `ln(1 + x)`.
    Log1p,
    /// `(exp(x) - 1) / x`, and 1 at 0: the relative error exponential.
    Exprel,
    /// Square root.
    Sqrt,
    /// Hyperbolic tangent.
    Tanh,
    /// Logistic function `1 / (1 + exp(-x))`.
    Sigmoid,
    /// Absolute value.
    Abs,
    /// Arc tangent.
    Atan,
    /// Error function.
    Erf,
    /// Sine.
    Sin,
    /// Cosine.
    Cos,
    /// The nearest integer, ties to even.
    Round,
    /// The largest integer that is not above.
    Floor,
    /// The integer next to it towards 0.
    Trunc,
    /// The derivative of [`Func::Exprel`]. It is no function of the language: a formula made of those would lose all
    /// digits near 0.
    ExprelSlope,
}

impl Func {
    /// All functions of the language, in the order in which the documentation lists them.
    pub const ALL: [Self; 16] = [
        Self::Exp,
        Self::Ln,
        Self::Expm1,
        Self::Log1p,
        Self::Exprel,
        Self::Sqrt,
        Self::Tanh,
        Self::Sigmoid,
        Self::Abs,
        Self::Atan,
        Self::Erf,
        Self::Sin,
        Self::Cos,
        Self::Round,
        Self::Floor,
        Self::Trunc,
    ];

    /// Its name in the DSL and in generated code.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exp => "exp",
            Self::Ln => "ln",
            Self::Expm1 => "expm1",
            Self::Log1p => "log1p",
            Self::Exprel => "exprel",
            Self::ExprelSlope => "exprel_slope",
            Self::Sqrt => "sqrt",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Abs => "abs",
            Self::Atan => "atan",
            Self::Erf => "erf",
            Self::Sin => "sin",
            Self::Cos => "cos",
            Self::Round => "round",
            Self::Floor => "floor",
            Self::Trunc => "trunc",
        }
    }

    /// Whether it makes a number an integer. The derivative of these is that of what they round, as the straight-through
    /// estimator has it (Bengio et al., 2013), and the relaxed model leaves them out.
    pub(crate) fn is_rounding(self) -> bool {
        matches!(self, Self::Round | Self::Floor | Self::Trunc)
    }

    /// Its value, from a library rather than the platform, so that a declaration means the same wherever it is compiled.
    pub(crate) fn evaluate(self, a: f64) -> f64 {
        match self {
            Self::Exp => libm::exp(a),
            Self::Ln => libm::log(a),
            Self::Expm1 => libm::expm1(a),
            Self::Log1p => libm::log1p(a),
            Self::Exprel => exprel(a),
            Self::ExprelSlope => exprel_slope(a),
            Self::Sqrt => a.sqrt(),
            Self::Tanh => libm::tanh(a),
            Self::Sigmoid => 1.0 / (1.0 + libm::exp(-a)),
            Self::Abs => a.abs(),
            Self::Atan => libm::atan(a),
            Self::Erf => libm::erf(a),
            Self::Sin => libm::sin(a),
            Self::Cos => libm::cos(a),
            Self::Round => libm::rint(a),
            Self::Floor => a.floor(),
            Self::Trunc => a.trunc(),
        }
    }

    /// The derivative of `expr`, which is this of `a`, given that of `a`.
    pub(crate) fn chain(self, g: &mut Graph, expr: Id, a: Id, da: Id) -> Id {
        let one = g.num(1.0);
        match self {
            Self::Exp => g.mul(da, expr),
            Self::Ln => g.div(da, a),
            // Rather than `expr + 1`, of which nothing is left where that is near -1.
            Self::Expm1 => {
                let slope = g.call(Self::Exp, a);
                g.mul(da, slope)
            }
            Self::Log1p => {
                let denominator = g.sum(one, a);
                g.div(da, denominator)
            }
            Self::Exprel => {
                let slope = g.call(Self::ExprelSlope, a);
                g.mul(da, slope)
            }
            Self::ExprelSlope => unreachable!("derivatives are not differentiated again"),
            Self::Sqrt => {
                let two = g.num(2.0);
                let twice = g.mul(two, expr);
                g.div(da, twice)
            }
            Self::Tanh => {
                let square = g.mul(expr, expr);
                let slope = g.sub(one, square);
                g.mul(da, slope)
            }
            Self::Sigmoid => {
                // `1 - expr`, of which fewer digits are left the nearer `expr` is to 1. Compilers find that both calls
                // have everything but a product in common.
                let opposite = g.neg(a);
                let rest = g.call(Self::Sigmoid, opposite);
                let slope = g.mul(expr, rest);
                g.mul(da, slope)
            }
            Self::Abs => {
                // 0 at 0, the middle of the subgradients, as PyTorch has it.
                let zero = g.num(0.0);
                let (negative, positive) = (g.less(a, zero), g.less(zero, a));
                let minus = g.neg(da);
                let right = g.select(positive, da, zero);
                g.select(negative, minus, right)
            }
            Self::Atan => {
                let square = g.mul(a, a);
                let denominator = g.sum(one, square);
                g.div(da, denominator)
            }
            Self::Erf => {
                let square = g.mul(a, a);
                let exponent = g.neg(square);
                let gauss = g.call(Self::Exp, exponent);
                let scale = g.num(std::f64::consts::FRAC_2_SQRT_PI);
                let slope = g.mul(scale, gauss);
                g.mul(da, slope)
            }
            Self::Round | Self::Floor | Self::Trunc => da,
            Self::Sin => {
                let slope = g.call(Self::Cos, a);
                g.mul(da, slope)
            }
            Self::Cos => {
                let sin = g.call(Self::Sin, a);
                let slope = g.neg(sin);
                g.mul(da, slope)
            }
        }
    }

    /// As [`Func::chain`], where nothing else needs `expr`: then there are formulas of `a` that keep all digits, and take
    /// no more operations than the function.
    pub(crate) fn chain_alone(self, g: &mut Graph, expr: Id, a: Id, da: Id) -> Id {
        match self {
            Self::Tanh => {
                let (two, four, size) = (g.num(2.0), g.num(4.0), g.call(Self::Abs, a));
                let twice = g.mul(two, size);
                let density = logistic_density(g, twice);
                let slope = g.mul(four, density);
                g.mul(da, slope)
            }
            Self::Sigmoid => {
                let size = g.call(Self::Abs, a);
                let slope = logistic_density(g, size);
                g.mul(da, slope)
            }
            _ => self.chain(g, expr, a, da),
        }
    }

    /// Its values for what is in `a`, as far as it is defined there.
    pub(crate) fn interval(self, a: Interval) -> Interval {
        match self {
            Self::Exp => a.rising(libm::exp, Interval::POSITIVE),
            Self::Ln => {
                let defined = a.intersection(Interval::POSITIVE);
                if defined.is_empty() { Interval::ALL } else { defined.monotone(libm::log) }
            }
            Self::Expm1 => a.rising(libm::expm1, Interval::open(-1.0, f64::INFINITY)),
            Self::Log1p => {
                let defined = a.intersection(Interval::open(-1.0, f64::INFINITY));
                if defined.is_empty() { Interval::ALL } else { defined.monotone(libm::log1p) }
            }
            Self::Exprel => a.rising(exprel, Interval::POSITIVE),
            Self::ExprelSlope => a.rising(exprel_slope, Interval::POSITIVE),
            Self::Sqrt => a.max(Interval::point(0.0)).monotone(libm::sqrt),
            Self::Tanh => a.rising(libm::tanh, Interval::open(-1.0, 1.0)),
            Self::Sigmoid => a.rising(|a| 1.0 / (1.0 + libm::exp(-a)), Interval::open(0.0, 1.0)),
            Self::Abs => a.abs(),
            Self::Atan => a.rising(libm::atan, Interval::open(-FRAC_PI_2, FRAC_PI_2)),
            Self::Erf => a.rising(libm::erf, Interval::open(-1.0, 1.0)),
            Self::Sin | Self::Cos => Interval::closed(-1.0, 1.0),
            Self::Round => a.integers(libm::rint),
            Self::Floor => a.integers(f64::floor),
            Self::Trunc => a.integers(f64::trunc),
        }
    }

    /// As LaTeX.
    pub(crate) fn latex(self, a: &str) -> String {
        let name = match self {
            Self::Sqrt => return format!(r"\sqrt{{{a}}}"),
            Self::Abs => return format!(r"\left|{a}\right|"),
            Self::Floor => return format!(r"\left\lfloor {a}\right\rfloor"),
            Self::Exp => r"\exp",
            Self::Ln => r"\ln",
            Self::Expm1 => r"\operatorname{expm1}",
            Self::Log1p => r"\operatorname{log1p}",
            Self::Exprel => r"\operatorname{exprel}",
            Self::ExprelSlope => r"\operatorname{exprel}'",
            Self::Tanh => r"\tanh",
            Self::Atan => r"\arctan",
            Self::Sin => r"\sin",
            Self::Cos => r"\cos",
            Self::Sigmoid => r"\operatorname{sigmoid}",
            Self::Erf => r"\operatorname{erf}",
            Self::Round => r"\operatorname{round}",
            Self::Trunc => r"\operatorname{trunc}",
        };
        format!(r"{name}\left({a}\right)")
    }
}

/// `exp(-size) / (1 + exp(-size))^2`, the derivative of the logistic function at `size` and at `-size`.
fn logistic_density(g: &mut Graph, size: Id) -> Id {
    let one = g.num(1.0);
    let exponent = g.neg(size);
    let e = g.call(Func::Exp, exponent);
    let sum = g.sum(one, e);
    let square = g.powi(sum, 2);
    g.div(e, square)
}

fn exprel(a: f64) -> f64 {
    match a {
        0.0 => 1.0,
        f64::INFINITY => a,
        _ => libm::expm1(a) / a,
    }
}

fn exprel_slope(a: f64) -> f64 {
    if a.abs() < 1.5 {
        // The sum of (k + 1) / (k + 2)! a^k, of which the terms below vanish when added to the others.
        let terms = (0..24).map(f64::from);
        let sum = terms.fold((0.0, 0.5), |(sum, term), k| (sum + (k + 1.0) * term, term * a / (k + 3.0)));
        return sum.0;
    }
    match a {
        f64::INFINITY => a,
        f64::NEG_INFINITY => 0.0,
        _ => ((a - 1.0) * libm::exp(a) + 1.0) / (a * a),
    }
}
