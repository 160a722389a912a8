//! Exponential and logarithm, and what is made of them without losing digits where they are near 1.

// Constants have the digits of their sources, which are more than float32 holds.
#![allow(clippy::excessive_precision, clippy::approx_constant)]

use super::quotient::reciprocal;

/// 1.5 * 2^23: adding it rounds to an integer, which is then in the lowest bits.
pub const ROUND: f32 = 12_582_912.0;

/// The exponential is above all numbers from here on.
const OVERFLOW: f32 = 89.0;

/// So is the exponential divided by its argument.
const QUOTIENT_OVERFLOW: f32 = 94.0;

/// A number as `n ln 2 + r` with `|r| <= ln 2 / 2`, so that its exponential is `2^n exp(r)`.
struct Exponent {
    n: i32,
    r: f32,
    /// `(exp(r) - 1 - r) / r^2`
    p: f32,
}

impl Exponent {
    /// Of `x`, or of what is next to it between -104 and `most`.
    #[inline(always)]
    fn new(x: f32, most: f32) -> Self {
        let x = if x > most { most } else { x };
        let x = if x < -104.0 { -104.0 } else { x };
        let shifted = x * 1.44269504088896341 + ROUND;
        let n = shifted - ROUND;
        // The first part of ln 2 has so few bits that its product is exact.
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
        Self { n: (shifted.to_bits() as i32).wrapping_sub(0x4b40_0000), r, p }
    }

    /// `exp(r) - 1`
    #[inline(always)]
    fn rest(&self) -> f32 {
        self.p * (self.r * self.r) + self.r
    }

    /// `a`, `b` and `1 / b`, where `a b = 2^n`: that may be out of range where a product with it is not.
    #[inline(always)]
    fn scales(&self) -> [f32; 3] {
        let half = self.n >> 1;
        let rest = self.n.wrapping_sub(half);
        [power_of_two(half), power_of_two(rest), power_of_two(rest.wrapping_neg())]
    }
}

/// `2^n` for `n` from -126 to 127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// Exponential. At most 1.1 ulp off; below -104 it is 0, from 88.73 on infinite.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let exponent = Exponent::new(x, OVERFLOW);
    let [a, b, _] = exponent.scales();
    (exponent.rest() + 1.0) * a * b
}

/// `exp(x) - 1`. At most 1.6 ulp off, however small `x` is; from 88.73 on infinite.
#[inline(always)]
pub fn expm1(x: f32) -> f32 {
    let exponent = Exponent::new(x, OVERFLOW);
    let [a, b, inverse] = exponent.scales();
    (exponent.rest() * a + (a - inverse)) * b
}

/// `(exp(x) - 1) / x`, which is 1 at 0. At most 2.4 ulp off; from 93.26 on infinite, 0 below -8.5e37.
#[inline(always)]
pub fn exprel(x: f32) -> f32 {
    let exponent = Exponent::new(x, QUOTIENT_OVERFLOW);
    let [a, b, inverse] = exponent.scales();
    let divisor = if x > QUOTIENT_OVERFLOW { QUOTIENT_OVERFLOW } else { x };
    let far = (exponent.rest() * a + (a - inverse)) * reciprocal(divisor) * b;
    // There, `x` is `r`, and nothing has to be divided by it.
    if exponent.n == 0 { exponent.p * x + 1.0 } else { far }
}

/// The derivative of [`exprel`], `((x - 1) exp(x) + 1) / x^2`, which is 1/2 at 0. At most 3.6 ulp off; from 93.28 on
/// infinite, 0 below -9.2e18.
#[inline(always)]
pub fn exprel_slope(x: f32) -> f32 {
    // Where the terms of the quotient nearly cancel: fitted for this crate.
    let near = polynomial!(
        x,
        2.6158395047e-7,
        2.6124456344e-6,
        2.2023934599e-5,
        1.7334870534e-4,
        1.1904938563e-3,
        6.944656017e-3,
        3.3333328358e-2,
        1.249999404e-1,
        3.3333333356e-1,
        0.5
    );
    let exponent = Exponent::new(x, QUOTIENT_OVERFLOW);
    let [a, b, inverse] = exponent.scales();
    let divisor = if x > QUOTIENT_OVERFLOW { QUOTIENT_OVERFLOW } else { x };
    // Of the smallest number that has an exponential: infinity times 0 would be NaN.
    let least = if divisor < -104.0 { -104.0 } else { divisor };
    let numerator = (least - 1.0) * ((exponent.rest() + 1.0) * a) + inverse;
    let far = numerator * reciprocal(divisor * divisor) * b;
    if x.abs() < 1.5 { near } else { far }
}

/// Natural logarithm. At most 1 ulp off; -inf at 0, NaN below.
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    let is_small = x < 1.17549435e-38;
    let y = if is_small { x * 8_388_608.0 } else { x };
    let e = if is_small { -23.0 } else { 0.0 };
    let (n, m) = split(y);
    let result = logarithm(e + n as f32, m - 1.0);
    let result = if x == 0.0 { f32::NEG_INFINITY } else { result };
    let result = if x == f32::INFINITY { x } else { result };
    if x < 0.0 || x.is_nan() { f32::NAN } else { result }
}

/// `ln(1 + x)`. At most 1.4 ulp off, however small `x` is; -inf at -1, NaN below.
#[inline(always)]
pub fn log1p(x: f32) -> f32 {
    let y = 1.0 + x;
    // What rounding took of the sum, exactly.
    let lost = if x < 1.0 { x - (y - 1.0) } else { 1.0 - (y - x) };
    let (n, m) = split(y);
    // Beyond, nothing is left of it anyway.
    let n_in_range = if n > 126 { 126 } else { n };
    let f = (m - 1.0) + lost * power_of_two(n_in_range.wrapping_neg());
    let result = logarithm(n as f32, f);
    let result = if x == -1.0 { f32::NEG_INFINITY } else { result };
    let result = if x == f32::INFINITY { x } else { result };
    if x < -1.0 || x.is_nan() { f32::NAN } else { result }
}

/// `n` and `m`, between sqrt(1/2) and sqrt(2), of a normal number `2^n m`.
#[inline(always)]
fn split(x: f32) -> (i32, f32) {
    let bits = x.to_bits();
    let n = (bits.wrapping_sub(0x3f35_04f3) as i32) >> 23;
    (n, f32::from_bits(bits.wrapping_sub((n as u32) << 23)))
}

/// `n ln 2 + ln(1 + f)`, where `1 + f` is between sqrt(1/2) and sqrt(2).
#[inline(always)]
fn logarithm(n: f32, f: f32) -> f32 {
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
    let tail = f * z * p - n * 2.12194440e-4 - z * 0.5;
    f + tail + n * 0.693359375
}
