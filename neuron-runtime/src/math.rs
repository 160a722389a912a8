//! Functions under the names that generated code calls them by, and what they are made of.

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
    sqrt: "Square root.";
    tanh: "Hyperbolic tangent.";
    sigmoid: "Logistic function.";
    abs: "Absolute value.";
    atan: "Arc tangent.";
    erf: "Error function.";
    sin: "Sine.";
    cos: "Cosine.";
    round: "Nearest integer, ties to even.";
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
