//! Functions under the names that generated code calls them by, and what they are made of.

/// `a * x + b` down a list of coefficients, without fusing.
macro_rules! polynomial {
    ($x:expr, $first:expr $(, $next:expr)* $(,)?) => {{
        let value = $first;
        $(let value = value * $x + $next;)*
        value
    }};
}

pub mod double;
pub mod single;

use crate::Real;

macro_rules! functions {
    ($($name:ident: $doc:literal;)*) => {$(
        #[doc = $doc]
        #[inline(always)]
        pub fn $name<R: Real>(x: R) -> R {
            R::$name(x)
        }
    )*};
}

functions! {
    reciprocal: "`1 / x`.";
    exp: "Exponential.";
    ln: "Natural logarithm.";
    expm1: "`exp(x) - 1`.";
    log1p: "`ln(1 + x)`.";
    exprel: "`(exp(x) - 1) / x`, 1 at 0.";
    exprel_slope: "The derivative of `exprel`.";
    sqrt: "Square root.";
    tanh: "Hyperbolic tangent.";
    sigmoid: "Logistic function.";
    abs: "Absolute value.";
    atan: "Arc tangent.";
    erf: "Error function.";
    sin: "Sine.";
    cos: "Cosine.";
    round: "Nearest integer, ties to even.";
    floor: "Largest integer that is not above.";
    trunc: "Integer next to it towards 0.";
}

/// The smaller of two numbers; `b` if either is NaN.
#[inline(always)]
pub fn min<R: Real>(a: R, b: R) -> R {
    if a < b { a } else { b }
}

/// The larger of two numbers; `b` if either is NaN.
#[inline(always)]
pub fn max<R: Real>(a: R, b: R) -> R {
    if a > b { a } else { b }
}
