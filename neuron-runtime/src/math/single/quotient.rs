//! Reciprocals.

/// `1 / x`, rounded to nearest even; subnormal numbers count as zeros, and results that would be subnormal become
/// zeros.
#[inline(always)]
pub fn reciprocal(x: f32) -> f32 {
    let y = if x.abs() < f32::MIN_POSITIVE { f32::INFINITY.copysign(x) } else { 1.0 / x };
    if y.abs() < f32::MIN_POSITIVE { 0f32.copysign(y) } else { y }
}
