//! Functions of float64 that are not the standard library's: as those of [`single`](super::single), the same text
//! gives the same bits in CUDA C++.
//!
//! Polynomials and parts of pi / 2 are those of fdlibm (Sun Microsystems, 1993). NaN gives NaN.

// Constants have the digits of their sources.
#![allow(clippy::excessive_precision, clippy::approx_constant)]

/// 1.5 * 2^52: adding it rounds to an integer, which is then in the lowest bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// `a * x + b` down a list of coefficients, without fusing.
macro_rules! polynomial {
    ($x:expr, $first:expr $(, $next:expr)* $(,)?) => {{
        let value = $first;
        $(let value = value * $x + $next;)*
        value
    }};
}

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
