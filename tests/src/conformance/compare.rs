//! Differences between arrays.

use std::fmt;

use neurons::{Element, Real};

/// How far a result may be from the reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Tolerance {
    /// Largest absolute difference.
    Absolute(f64),
    /// Largest absolute difference, as a multiple of the largest magnitude of the reference tensor.
    Relative(f64),
    /// Largest absolute difference, as a multiple of 1 and the largest magnitude of the reference tensor together:
    /// for sums whose terms cancel.
    Mixed(f64),
}

impl Tolerance {
    /// In `f64` a few roundings, in `f32` a few hundred.
    pub(super) fn of<E: Element>() -> Self {
        if E::NAME == <f64 as Element>::NAME { Self::Absolute(1e-10) } else { Self::Relative(2e-5) }
    }

    /// Of the gradients of parameters, sums over steps and neurons: in `f32` their terms' roundings do not cancel as
    /// they do themselves.
    pub(super) fn of_sum<E: Element>() -> Self {
        if E::NAME == <f64 as Element>::NAME { Self::Absolute(1e-10) } else { Self::Mixed(1e-4) }
    }

    /// Where relative errors of the inputs grow by `amplification`, of results of any magnitude.
    pub(super) fn amplified<E: Element>(amplification: f64) -> Self {
        let rounding = if E::NAME == <f64 as Element>::NAME { 1e-10 } else { 2e-5 };
        Self::Mixed(rounding * amplification)
    }

    /// Of traces over thousands of steps.
    pub(super) const TRACE: Self = Self::Absolute(1e-9);

    /// NaN is not within any tolerance.
    pub(super) fn allows(self, quantity: &Quantity) -> bool {
        match self {
            Self::Absolute(limit) => quantity.absolute <= limit,
            Self::Relative(limit) => quantity.relative <= limit,
            Self::Mixed(limit) => quantity.absolute <= limit * (1.0 + quantity.magnitude),
        }
    }
}

/// The largest difference of one output or gradient from the reference, over all ways to compute it.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// The tensor of the reference.
    pub name: String,
    /// Largest absolute difference; NaN if there is a NaN.
    pub absolute: f64,
    /// The same, as a multiple of the largest magnitude in the reference tensor; 0 if there is no difference.
    pub relative: f64,
    /// The largest magnitude in the reference tensor.
    pub magnitude: f64,
    /// Where the largest difference is, and by which template.
    pub place: String,
}

/// Spikes that are not as in the reference.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spikes {
    /// Spikes compared, over all ways to compute them.
    pub compared: usize,
    /// How many of them differ.
    pub different: usize,
    /// Where the first of them is, and by which template.
    pub place: Option<String>,
}

impl fmt::Display for Spikes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.compared, self.different) {
            (0, _) => f.write_str("spikes -"),
            (_, 0) => f.write_str("spikes equal"),
            (compared, different) => write!(f, "spikes differ ({different} of {compared})"),
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} abs {:.1e} rel {:.1e}", self.name, self.absolute, self.relative)
    }
}

impl Spikes {
    /// Adds the spikes that `how` computed.
    pub(super) fn compare<E: Element>(&mut self, how: &str, actual: &[E], expected: &[f64], columns: usize) {
        assert_eq!(actual.len(), expected.len(), "spikes by {how}");
        self.compared += expected.len();
        for (at, (actual, expected)) in actual.iter().zip(expected).enumerate() {
            let actual = actual.load().to_f64();
            if actual != *expected {
                self.different += 1;
                self.place.get_or_insert_with(|| place(how, at, columns, actual, *expected));
            }
        }
    }
}

/// The largest difference between what `how` computed and the reference: as many elements, at least one, in
/// rows of `columns`.
pub(super) fn quantity<E: Element>(
    name: &str,
    how: &str,
    actual: &[E],
    expected: &[f64],
    columns: usize,
) -> Quantity {
    assert_eq!(actual.len(), expected.len(), "{name} by {how}");
    let mut worst = (0, 0.0f64);
    for (at, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        let difference = (actual.load().to_f64() - expected).abs();
        // NaN is larger than any difference, and the first one stays.
        if difference > worst.1 || (difference.is_nan() && !worst.1.is_nan()) {
            worst = (at, difference);
        }
    }
    let (at, absolute) = worst;
    let magnitude = expected.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let relative = if absolute == 0.0 { 0.0 } else { absolute / magnitude };
    let place = place(how, at, columns, actual[at].load().to_f64(), expected[at]);
    Quantity { name: name.to_owned(), absolute, relative, magnitude, place }
}

fn place(how: &str, at: usize, columns: usize, actual: f64, expected: f64) -> String {
    format!("[{}, {}] by {how} is {actual:e}, {expected:e} expected", at / columns, at % columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_difference_counts() {
        let found = quantity("v_next", "fptt", &[1.0, 2.5, -4.0], &[1.0, 2.0, -4.25], 3);
        assert_eq!((found.absolute, found.relative), (0.5, 0.5 / 4.25));
        assert_eq!(found.place, "[0, 1] by fptt is 2.5e0, 2e0 expected");
    }

    #[test]
    fn nan_is_never_within_tolerance() {
        for (actual, expected) in [([f64::NAN, 9.0], [1.0, 1.0]), ([9.0, 1.0], [1.0, f64::NAN])] {
            let found = quantity("v_next", "fptt", &actual, &expected, 2);
            assert!(found.absolute.is_nan());
            assert!(!Tolerance::Absolute(1e9).allows(&found));
            assert!(!Tolerance::Relative(1e9).allows(&found));
        }
    }

    #[test]
    fn sums_may_be_off_by_what_does_not_cancel() {
        let allows = |actual: f64, expected| {
            Tolerance::Mixed(1e-4).allows(&quantity("g", "bptt", &[actual], &[expected], 1))
        };
        assert!(allows(9e-5, 0.0) && allows(100.009, 100.0));
        assert!(!allows(1.1e-4, 0.0) && !allows(100.011, 100.0) && !allows(f64::NAN, 0.0));
    }

    #[test]
    fn nothing_is_near_a_zero_reference_but_zero() {
        assert!(Tolerance::Relative(2e-5).allows(&quantity("g", "bptt", &[0.0], &[0.0], 1)));
        assert!(!Tolerance::Relative(2e-5).allows(&quantity("g", "bptt", &[1e-30], &[0.0], 1)));
    }
}
