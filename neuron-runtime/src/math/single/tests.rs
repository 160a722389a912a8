use crate::math::double;

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
    let rows: [(&str, f64, f64); 12] = [
        ("exp", error(super::exp, f64::exp, -103.0, 88.7), 1.1),
        ("ln", error(super::ln, f64::ln, 1e-45, f32::MAX), 1.0),
        ("expm1", error(super::expm1, f64::exp_m1, -1e30, 88.7), 1.6),
        ("expm1 near 0", error(super::expm1, f64::exp_m1, -0.3, 0.3), 1.1),
        ("log1p", error(super::log1p, f64::ln_1p, (-1f32).next_up(), f32::MAX), 1.4),
        ("log1p near 0", error(super::log1p, f64::ln_1p, -0.3, 0.3), 1.1),
        ("exprel", error(super::exprel, double::exprel, -8e37, 93.2), 2.4),
        ("exprel_slope", error(super::exprel_slope, double::exprel_slope, -9e18, 93.27), 3.6),
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
    assert_eq!([expm1(-inf), expm1(inf), expm1(0.0), expm1(89.0)], [-1.0, inf, 0.0, inf]);
    assert_eq!([log1p(-1.0), log1p(inf), log1p(0.0)], [-inf, inf, 0.0]);
    assert_eq!([exprel(-inf), exprel(inf), exprel(0.0), exprel(-0.0)], [0.0, inf, 1.0, 1.0]);
    assert_eq!([exprel(94.0), exprel(f32::MAX), exprel(f32::MIN)], [inf, inf, 0.0]);
    assert_eq!([exprel_slope(-inf), exprel_slope(inf), exprel_slope(0.0)], [0.0, inf, 0.5]);
    assert_eq!([exprel_slope(94.0), exprel_slope(f32::MAX), exprel_slope(f32::MIN)], [inf, inf, 0.0]);
    for x in [1e-45, 1e-40, f32::MIN_POSITIVE, 1e-20] {
        for x in [x, -x] {
            assert_eq!([expm1(x), log1p(x), exprel(x), exprel_slope(x)], [x, x, 1.0, 0.5], "{x}");
        }
    }
    assert_eq!([tanh(-inf), tanh(inf), tanh(0.0)], [-1.0, 1.0, 0.0]);
    assert_eq!([sigmoid(-inf), sigmoid(inf), sigmoid(0.0)], [0.0, 1.0, 0.5]);
    assert_eq!([atan(-inf), atan(inf)], [-std::f32::consts::FRAC_PI_2, std::f32::consts::FRAC_PI_2]);
    assert_eq!([erf(-inf), erf(inf), erf(0.0)], [-1.0, 1.0, 0.0]);
    for f in [exp, ln, expm1, log1p, exprel, exprel_slope, tanh, sigmoid, atan, erf, sin, cos] {
        assert!(f(f32::NAN).is_nan());
    }
    assert!(ln(-1.0).is_nan() && log1p(-1.001).is_nan() && log1p(-inf).is_nan() && sin(inf).is_nan());
    // Where the result is subnormal.
    assert_eq!(exp(-100.0), (-100.0f64).exp() as f32);
}
