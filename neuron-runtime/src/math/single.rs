//! Functions of float32: straight-line code without tables, calls or fused operations, so that loops over
//! them vectorise and that the same text in CUDA C++ gives the same bits.
//!
//! Quotients are products with a reciprocal, which costs a GPU half of what a division does, and no branch.
//!
//! Polynomials for `exp`, `ln`, `tanh`, `atan`, `sin` and `cos` are those of Cephes (Moshier, 1992); `erf` is
//! fitted for this crate. Errors are measured by the tests. NaN gives NaN.

// Constants have the digits of their sources, which are more than float32 holds.
#![allow(clippy::excessive_precision, clippy::approx_constant)]

mod exponential;
mod quotient;

use exponential::ROUND;
pub use exponential::{exp, expm1, exprel, exprel_slope, ln, log1p};
pub use quotient::reciprocal;

/// Hyperbolic tangent. At most 2 ulp off.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let a = x.abs();
    let z = x * x;
    let p = polynomial!(
        z,
        -5.70498872745e-3,
        2.06390887954e-2,
        -5.37397155531e-2,
        1.33314422036e-1,
        -3.33332819422e-1
    );
    let near = p * z * x + x;
    let far = 1.0 - 2.0 * reciprocal(exp(a + a) + 1.0);
    let far = if x < 0.0 { -far } else { far };
    if a < 0.625 { near } else { far }
}

/// Logistic function. At most 3 ulp off.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    // Of the exponential that cannot overflow.
    let e = exp(-x.abs());
    (if x < 0.0 { e } else { 1.0 }) * reciprocal(1.0 + e)
}

/// Arc tangent. At most 3.2 ulp off.
#[inline(always)]
pub fn atan(x: f32) -> f32 {
    let a = x.abs();
    let is_far = a > 2.414213562373095;
    let is_middle = a > 0.4142135623730950;
    let start = if is_middle { 0.785398163397448 } else { 0.0 };
    let start = if is_far { 1.570796326794897 } else { start };
    let numerator = if is_middle { a - 1.0 } else { a };
    let numerator = if is_far { -1.0 } else { numerator };
    let denominator = if is_middle { a + 1.0 } else { 1.0 };
    let denominator = if is_far { a } else { denominator };
    let r = numerator * reciprocal(denominator);
    let z = r * r;
    let p = polynomial!(z, 8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1);
    let y = start + (p * z * r + r);
    if x < 0.0 { -y } else { y }
}

/// Error function. At most 2 ulp off.
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let a = x.abs();
    let z = x * x;
    let p = polynomial!(
        z,
        -9.667044571e-6,
        1.126595903e-4,
        -8.484080406e-4,
        5.221031808e-3,
        -2.686543073e-2,
        1.12837825e-1,
        -3.761263847e-1,
        1.28379167e-1
    );
    let near = p * x + x;
    // 1 - exp(-x^2) Q(1 / (1 + |x| / 2)); from 4 on it is 1.
    let b = if a > 4.0 { 4.0 } else { a };
    let t = reciprocal(1.0 + 0.5 * b);
    let q = polynomial!(
        t,
        1.208524332e-1,
        -4.765252744e-1,
        5.712651758e-1,
        -1.102082941e-1,
        3.510303232e-1,
        2.587513664e-1,
        2.850616201e-1,
        -1.642363871e-4
    );
    let far = 1.0 - exp(-(b * b)) * q;
    let far = if x < 0.0 { -far } else { far };
    let y = if a < 1.0 { near } else { far };
    if x.is_nan() { x } else { y }
}

/// Sine, of arguments in radians. At most 1e-7 off up to 8192, 1e-6 up to 65536 and 0.05 up to 1e6; beyond,
/// it is only some number between -1 and 1. NaN for infinity.
#[inline(always)]
pub fn sin(x: f32) -> f32 {
    let (sin, cos, quadrant) = reduced(x);
    let y = if quadrant & 1 == 0 { sin } else { cos };
    if quadrant & 2 == 0 { y } else { -y }
}

/// Cosine, of arguments in radians; as [`sin`].
#[inline(always)]
pub fn cos(x: f32) -> f32 {
    let (sin, cos, quadrant) = reduced(x);
    let y = if quadrant & 1 == 0 { cos } else { sin };
    if (quadrant.wrapping_add(1)) & 2 == 0 { y } else { -y }
}

/// Sine and cosine of `x` less the nearest multiple of pi / 2, and that multiple.
#[inline(always)]
fn reduced(x: f32) -> (f32, f32, i32) {
    let shifted = x * 0.636619772367581 + ROUND;
    let n = shifted - ROUND;
    // pi / 2 in three parts of few bits (Cody and Waite, 1980).
    let r = x - n * 1.5703125;
    let r = r - n * 4.837512969970703125e-4;
    let r = r - n * 7.549789948768648e-8;
    // Arguments too large to be reduced give something between -1 and 1 all the same.
    let r = if r > 0.8 { 0.8 } else { r };
    let r = if r < -0.8 { -0.8 } else { r };
    let z = r * r;
    let sin = polynomial!(z, -1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1) * z * r + r;
    let cos = polynomial!(z, 2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2) * z * z
        - 0.5 * z
        + 1.0;
    (sin, cos, shifted.to_bits() as i32)
}

#[cfg(test)]
mod tests;
