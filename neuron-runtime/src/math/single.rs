//! Functions of float32: straight-line code without tables, calls or fused operations, so that loops over
//! them vectorise and that the same text in CUDA C++ gives the same bits.
//!
//! Quotients are products with a reciprocal, which costs a GPU half of what a division does, and no branch.
//!
//! Polynomials for `exp`, `ln`, `tanh`, `atan`, `sin` and `cos` are those of Cephes (Moshier, 1992); `erf` is
//! fitted for this crate. Errors are measured by the tests below. NaN gives NaN.

// Constants have the digits of their sources, which are more than float32 holds.
#![allow(clippy::excessive_precision, clippy::approx_constant)]

/// 1.5 * 2^23: adding it rounds to an integer, which is then in the lowest bits.
const ROUND: f32 = 12_582_912.0;

/// `a * x + b` down a list of coefficients, without fusing.
macro_rules! polynomial {
    ($x:expr, $first:expr $(, $next:expr)* $(,)?) => {{
        let value = $first;
        $(let value = value * $x + $next;)*
        value
    }};
}

/// `1 / x`, rounded to nearest even; subnormal numbers count as zeros, and results that would be subnormal become
/// zeros.
#[inline(always)]
pub fn reciprocal(x: f32) -> f32 {
    let y = if x.abs() < f32::MIN_POSITIVE { f32::INFINITY.copysign(x) } else { 1.0 / x };
    if y.abs() < f32::MIN_POSITIVE { 0f32.copysign(y) } else { y }
}

/// Exponential. At most 1.1 ulp off; below -104 it is 0, from 88.73 on infinite.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    // x = n ln 2 + r, |r| <= ln 2 / 2; the first part of ln 2 has so few bits that its product is exact.
    let shifted = x * 1.44269504088896341 + ROUND;
    let n = shifted - ROUND;
    let r = x - n * 0.693359375;
    let r = r + n * 2.12194440e-4;
    let p = polynomial!(
        r,
        1.9875691500e-4,
        1.3981999507e-3,
        8.3334519073e-3,
        4.1665795894e-2,
        1.6666665459e-1,
        5.0000001201e-1
    );
    let y = p * (r * r) + r + 1.0;
    // Times 2^n, in two steps since 2^n may be out of range where the result is not.
    let n = (shifted.to_bits() as i32).wrapping_sub(0x4b40_0000);
    let half = n >> 1;
    y * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// `2^n` for `n` from -126 to 127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// Natural logarithm. At most 1 ulp off; -inf at 0, NaN below.
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    let is_small = x < 1.17549435e-38;
    let y = if is_small { x * 8_388_608.0 } else { x };
    let e = if is_small { -23.0 } else { 0.0 };
    // y = 2^n m, m between sqrt(1/2) and sqrt(2)
    let bits = y.to_bits();
    let n = (bits.wrapping_sub(0x3f35_04f3) as i32) >> 23;
    let m = f32::from_bits(bits.wrapping_sub((n as u32) << 23));
    let e = e + n as f32;
    let f = m - 1.0;
    let z = f * f;
    let p = polynomial!(
        f,
        7.0376836292e-2,
        -1.1514610310e-1,
        1.1676998740e-1,
        -1.2420140846e-1,
        1.4249322787e-1,
        -1.6668057665e-1,
        2.0000714765e-1,
        -2.4999993993e-1,
        3.3333331174e-1
    );
    let tail = f * z * p - e * 2.12194440e-4 - z * 0.5;
    let result = f + tail + e * 0.693359375;
    let result = if x == 0.0 { f32::NEG_INFINITY } else { result };
    let result = if x == f32::INFINITY { x } else { result };
    if x < 0.0 || x.is_nan() { f32::NAN } else { result }
}

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
mod tests {
    /// The largest error of `f` against `exact`, in units of the last place of the exact value, over every
    /// 977th number between `from` and `to`.
    fn error(f: fn(f32) -> f32, exact: fn(f64) -> f64, from: f32, to: f32) -> f64 {
        let mut worst: f64 = 0.0;
        for bits in (0..=u32::MAX).step_by(977) {
            let x = f32::from_bits(bits);
            if !(from..=to).contains(&x) {
                continue;
            }
            let (y, expected) = (f64::from(f(x)), exact(f64::from(x)));
            // Below the normal numbers the unit stays that of the smallest of them.
            let unit = (expected.abs().max(f64::from(f32::MIN_POSITIVE)).log2().floor() - 23.0).exp2();
            assert!(y.is_finite(), "f({x}) = {y}");
            worst = worst.max((y - expected).abs() / unit);
        }
        worst
    }

    #[test]
    fn reciprocals() {
        use super::reciprocal;
        let smallest = f32::MIN_POSITIVE;
        for x in [1.0, 3.0, 1.0 + f32::EPSILON, 2.0 - f32::EPSILON, smallest, 8.507_059e37, 1e-20, 7e37] {
            assert_eq!([reciprocal(x), reciprocal(-x)], [1.0 / x, -1.0 / x], "{x}");
        }
        let inf = f32::INFINITY;
        for (x, y) in [(0.0, inf), (1e-45, inf), (smallest.next_down(), inf), (9e37, 0.0), (inf, 0.0)] {
            assert_eq!(reciprocal(x).to_bits(), f32::to_bits(y), "{x}");
            assert_eq!(reciprocal(-x).to_bits(), f32::to_bits(-y), "-{x}");
        }
        assert!(reciprocal(f32::NAN).is_nan());
    }

    #[test]
    fn errors_in_units_of_the_last_place() {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let rows: [(&str, f64, f64); 6] = [
            ("exp", error(super::exp, f64::exp, -103.0, 88.7), 1.1),
            ("ln", error(super::ln, f64::ln, 1e-45, f32::MAX), 1.0),
            ("tanh", error(super::tanh, f64::tanh, -20.0, 20.0), 2.0),
            ("sigmoid", error(super::sigmoid, sigmoid, -87.0, 20.0), 3.0),
            ("atan", error(super::atan, f64::atan, -1e30, 1e30), 3.2),
            ("erf", error(super::erf, libm::erf, -5.0, 5.0), 2.0),
        ];
        for (name, error, bound) in rows {
            println!("{name}: {error:.2} ulp");
            assert!(error <= bound, "{name}: {error} ulp, at most {bound} expected");
        }
    }

    #[test]
    fn sine_and_cosine() {
        for k in -81_920..81_920 {
            let x = k as f32 * 0.1;
            assert!((f64::from(super::sin(x)) - f64::from(x).sin()).abs() < 2e-7, "sin({x})");
            assert!((f64::from(super::cos(x)) - f64::from(x).cos()).abs() < 2e-7, "cos({x})");
        }
        for k in 0..100_000 {
            let x = k as f32 * 0.65536;
            assert!((f64::from(super::sin(x)) - f64::from(x).sin()).abs() < 1e-6, "sin({x})");
            assert!((f64::from(super::cos(x)) - f64::from(x).cos()).abs() < 1e-6, "cos({x})");
        }
        for x in [1e7, 1e10, 1e20, f32::MAX] {
            assert!(super::sin(x).abs() <= 1.0 && super::cos(-x).abs() <= 1.0, "{x}");
        }
    }

    #[test]
    fn special_values() {
        use super::*;
        let inf = f32::INFINITY;
        assert_eq!([exp(-inf), exp(inf), exp(0.0), exp(89.0), exp(-200.0)], [0.0, inf, 1.0, inf, 0.0]);
        assert_eq!([ln(0.0), ln(-0.0), ln(inf), ln(1.0)], [-inf, -inf, inf, 0.0]);
        assert_eq!([tanh(-inf), tanh(inf), tanh(0.0)], [-1.0, 1.0, 0.0]);
        assert_eq!([sigmoid(-inf), sigmoid(inf), sigmoid(0.0)], [0.0, 1.0, 0.5]);
        assert_eq!([atan(-inf), atan(inf)], [-std::f32::consts::FRAC_PI_2, std::f32::consts::FRAC_PI_2]);
        assert_eq!([erf(-inf), erf(inf), erf(0.0)], [-1.0, 1.0, 0.0]);
        for f in [exp, ln, tanh, sigmoid, atan, erf, sin, cos] {
            assert!(f(f32::NAN).is_nan());
        }
        assert!(ln(-1.0).is_nan() && sin(inf).is_nan());
        // Where the result is subnormal.
        assert_eq!(exp(-100.0), (-100.0f64).exp() as f32);
    }
}
