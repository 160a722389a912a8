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
}

impl Func {
    /// All functions, in the order in which the documentation lists them.
    pub const ALL: [Self; 11] = [
        Self::Exp,
        Self::Ln,
        Self::Sqrt,
        Self::Tanh,
        Self::Sigmoid,
        Self::Abs,
        Self::Atan,
        Self::Erf,
        Self::Sin,
        Self::Cos,
        Self::Round,
    ];

    /// Its name in the DSL and in generated code.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exp => "exp",
            Self::Ln => "ln",
            Self::Sqrt => "sqrt",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Abs => "abs",
            Self::Atan => "atan",
            Self::Erf => "erf",
            Self::Sin => "sin",
            Self::Cos => "cos",
            Self::Round => "round",
        }
    }

    /// Its value, from a library rather than the platform, so that a declaration means the same wherever it is compiled.
    pub(crate) fn evaluate(self, a: f64) -> f64 {
        match self {
            Self::Exp => libm::exp(a),
            Self::Ln => libm::log(a),
            Self::Sqrt => a.sqrt(),
            Self::Tanh => libm::tanh(a),
            Self::Sigmoid => 1.0 / (1.0 + libm::exp(-a)),
            Self::Abs => a.abs(),
            Self::Atan => libm::atan(a),
            Self::Erf => libm::erf(a),
            Self::Sin => libm::sin(a),
            Self::Cos => libm::cos(a),
            Self::Round => libm::rint(a),
        }
    }

    /// The derivative of `expr`, which is this of `a`, given that of `a`.
    pub(crate) fn chain(self, g: &mut Graph, expr: Id, a: Id, da: Id) -> Id {
        let one = g.num(1.0);
        match self {
            Self::Exp => g.mul(da, expr),
            Self::Ln => g.div(da, a),
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
                let rest = g.sub(one, expr);
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
            // The straight-through estimator (Bengio et al., 2013): the derivative of what was rounded.
            Self::Round => da,
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

    /// Its values for what is in `a`, as far as it is defined there.
    pub(crate) fn interval(self, a: Interval) -> Interval {
        match self {
            Self::Exp => a.rising(libm::exp, Interval::POSITIVE),
            Self::Ln => {
                let defined = a.intersection(Interval::POSITIVE);
                if defined.is_empty() { Interval::ALL } else { defined.monotone(libm::log) }
            }
            Self::Sqrt => a.max(Interval::point(0.0)).monotone(libm::sqrt),
            Self::Tanh => a.rising(libm::tanh, Interval::open(-1.0, 1.0)),
            Self::Sigmoid => a.rising(|a| 1.0 / (1.0 + libm::exp(-a)), Interval::open(0.0, 1.0)),
            Self::Abs => a.abs(),
            Self::Atan => a.rising(libm::atan, Interval::open(-FRAC_PI_2, FRAC_PI_2)),
            Self::Erf => a.rising(libm::erf, Interval::open(-1.0, 1.0)),
            Self::Sin | Self::Cos => Interval::closed(-1.0, 1.0),
            Self::Round => a.round(),
        }
    }

    /// As LaTeX.
    pub(crate) fn latex(self, a: &str) -> String {
        let name = match self {
            Self::Sqrt => return format!(r"\sqrt{{{a}}}"),
            Self::Abs => return format!(r"\left|{a}\right|"),
            Self::Exp => r"\exp",
            Self::Ln => r"\ln",
            Self::Tanh => r"\tanh",
            Self::Atan => r"\arctan",
            Self::Sin => r"\sin",
            Self::Cos => r"\cos",
            Self::Sigmoid => r"\operatorname{sigmoid}",
            Self::Erf => r"\operatorname{erf}",
            Self::Round => r"\operatorname{round}",
        };
        format!(r"{name}\left({a}\right)")
    }
}
