//! Functions of float64 that are not the standard library's. Sine and cosine are, as the functions of
//! [`single`](super::single), the same bits in CUDA C++; those that are made of the library's exponential are as near to
//! one another as the libraries are.
//!
//! Polynomials of sine and cosine and parts of pi / 2 are those of fdlibm (Sun Microsystems, 1993). NaN gives NaN.

// Constants have the digits of their sources.
#![allow(clippy::excessive_precision, clippy::approx_constant)]

/// 1.5 * 2^52: adding it rounds to an integer, which is then in the lowest bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// Sine, of arguments in radians. At most 4e-16 off up to 2500, 1e-15 up to 1e6; beyond, less and less is left of
/// it, in the end only some number between -1 and 1. NaN for infinity.
#[inline(always)]
pub fn sin(x: f64) -> f64 {
    let (sin, cos, quadrant) = reduced(x);
    let y = if quadrant & 1 == 0 { sin } else { cos };
    if quadrant & 2 == 0 { y } else { -y }
}

/// Cosine, of arguments in radians; as [`sin`].
#[inline(always)]
pub fn cos(x: f64) -> f64 {
    let (sin, cos, quadrant) = reduced(x);
    let y = if quadrant & 1 == 0 { cos } else { sin };
    if (quadrant.wrapping_add(1)) & 2 == 0 { y } else { -y }
}

/// The exponential of this and more is infinite.
const OVERFLOW: f64 = 800.0;

/// `(exp(x) - 1) / x`, which is 1 at 0. From 709.8 on infinite.
#[inline(always)]
pub fn exprel(x: f64) -> f64 {
    let divisor = if x > OVERFLOW { OVERFLOW } else { x };
    if x == 0.0 { 1.0 } else { x.exp_m1() / divisor }
}

/// The derivative of [`exprel`], `((x - 1) exp(x) + 1) / x^2`, which is 1/2 at 0. Relative errors are at most 4e-15;
/// from 703.2 on it is infinite, below -1.3e154 it is 0.
#[inline(always)]
pub fn exprel_slope(x: f64) -> f64 {
    // Where the terms of the quotient nearly cancel: fitted for this crate.
    let near = polynomial!(
        x,
        2.7309581630931987791e-15,
        4.6419548713854830704e-14,
        7.1662224181553239161e-13,
        1.0700346431605529374e-11,
        1.4912031955716957519e-10,
        1.9270971615601112395e-9,
        2.2964431939923262022e-8,
        2.5052106967398486572e-7,
        2.480158730663155016e-6,
        2.2045855388768500716e-5,
        1.7361111111093046504e-4,
        1.1904761904727595655e-3,
        6.9444444444444734847e-3,
        3.3333333333333884895e-2,
        1.2499999999999999864e-1,
        3.3333333333333330748e-1,
        0.5
    );
    let divisor = if x > OVERFLOW { OVERFLOW } else { x };
    // Infinity times 0 would be NaN.
    let bounded = if divisor < -OVERFLOW { -OVERFLOW } else { divisor };
    let far = ((bounded - 1.0) * bounded.exp() + 1.0) / (divisor * divisor);
    if x.abs() < 1.5 { near } else { far }
}

/// Sine and cosine of `x` less the nearest multiple of pi / 2, and that multiple.
#[inline(always)]
fn reduced(x: f64) -> (f64, f64, i64) {
    let shifted = x * 0.63661977236758134308 + ROUND;
    let n = shifted - ROUND;
    // pi / 2 in two parts of 33 bits and the rest.
    let r = x - n * 1.57079632673412561417;
    let r = r - n * 6.07710050630396597660e-11;
    let r = r - n * 2.02226624879595063154e-21;
    // Arguments too large to be reduced give something between -1 and 1 all the same.
    let r = if r > 0.8 { 0.8 } else { r };
    let r = if r < -0.8 { -0.8 } else { r };
    let z = r * r;
    let sin = polynomial!(
        z,
        1.58969099521155010221e-10,
        -2.50507602534068634195e-08,
        2.75573137070700676789e-06,
        -1.98412698298579493134e-04,
        8.33333333332248946124e-03,
        -1.66666666666666324348e-01
    ) * z
        * r
        + r;
    let cos = polynomial!(
        z,
        -1.13596475577881948265e-11,
        2.08757232129817482790e-09,
        -2.75573143513906633035e-07,
        2.48015872894767294178e-05,
        -1.38888888888741095749e-03,
        4.16666666666666019037e-02
    ) * z
        * z
        - 0.5 * z
        + 1.0;
    (sin, cos, shifted.to_bits().cast_signed())
}

#[cfg(test)]
mod tests {
    use super::{exprel, exprel_slope};

    /// The `n`th derivative of `exprel` by a series of positive terms, which loses no digits: the sum of
    /// `x^k / (k! (n + 1 + k))`, or for negative `x` of `(-x)^k / ((n + 1) .. (n + 1 + k))`, times the exponential.
    fn series(n: f64, x: f64) -> f64 {
        let terms = |ratio: &dyn Fn(f64) -> f64, value: &dyn Fn(f64) -> f64| {
            let (mut sum, mut term) = (0.0, 1.0);
            for k in (0..400).map(f64::from) {
                sum += term * value(k);
                term *= ratio(k);
            }
            sum
        };
        if x < 0.0 {
            return x.exp() * terms(&|k| -x / (n + 2.0 + k), &|_| 1.0 / (n + 1.0));
        }
        terms(&|k| x / (k + 1.0), &|k| 1.0 / (n + 1.0 + k))
    }

    #[test]
    fn relative_exponential() {
        let mut worst = [0.0f64; 2];
        for k in -40_000..=40_000 {
            // Dense near 0, and up to 64.
            let x = (f64::from(k) * 1e-4).powi(3);
            for (i, (n, value)) in [(0.0, exprel(x)), (1.0, exprel_slope(x))].into_iter().enumerate() {
                worst[i] = worst[i].max((value / series(n, x) - 1.0).abs());
            }
        }
        assert!(worst[0] < 3e-15 && worst[1] < 4e-15, "{worst:?}");
        let inf = f64::INFINITY;
        assert_eq!([exprel(-inf), exprel(inf), exprel(0.0), exprel(f64::MAX)], [0.0, inf, 1.0, inf]);
        assert_eq!([exprel(5e-324), exprel(-1e-300), exprel(f64::MIN)], [1.0, 1.0, 1.0 / f64::MAX]);
        assert_eq!([exprel_slope(-inf), exprel_slope(inf), exprel_slope(0.0)], [0.0, inf, 0.5]);
        assert_eq!([exprel_slope(f64::MIN), exprel_slope(f64::MAX)], [0.0, inf]);
        assert!(exprel(f64::NAN).is_nan() && exprel_slope(f64::NAN).is_nan());
    }

    #[test]
    fn sine_and_cosine() {
        for (step, count, bound) in [(0.00123, 2_000_000, 4e-16), (9.87, 100_000, 1e-15)] {
            for k in -count..=count {
                let x = f64::from(k) * step;
                assert!((super::sin(x) - x.sin()).abs() <= bound, "sin({x})");
                assert!((super::cos(x) - x.cos()).abs() <= bound, "cos({x})");
            }
        }
        for x in [1e9, 1e22, 1e150, f64::MAX] {
            assert!(super::sin(x).abs() <= 1.0 && super::cos(-x).abs() <= 1.0, "{x}");
        }
        assert_eq!([super::sin(0.0), super::cos(0.0)], [0.0, 1.0]);
        for x in [f64::NAN, f64::INFINITY] {
            assert!(super::sin(x).is_nan() && super::cos(x).is_nan());
        }
    }
}
