//! `exprel` and its derivatives by series of positive terms, which lose no digits.

/// The integral of `t^n exp(a t)` over `t` from 0 to 1: the `n`th derivative of `exprel` at `a`.
pub fn moment(n: u32, a: f64) -> f64 {
    let n = f64::from(n);
    if a >= 0.0 {
        // The sum of a^k / (k! (n + 1 + k)).
        return sum(|k| a / (k + 1.0), |term, k| term / (n + 1.0 + k));
    }
    if a < -300.0 {
        // What the integral to infinity has more is below its last digit.
        return libm::tgamma(n + 1.0) / (-a).powf(n + 1.0);
    }
    // exp(a) times the sum of (-a)^k / ((n + 1) (n + 2) ... (n + 1 + k)).
    libm::exp(a) * sum(|k| -a / (n + 2.0 + k), |term, _| term / (n + 1.0))
}

/// The sum of `value(term, k)`, where the first term is 1 and each next one `ratio(k)` times as large.
fn sum(ratio: impl Fn(f64) -> f64, value: impl Fn(f64, f64) -> f64) -> f64 {
    let (mut sum, mut term, mut k) = (0.0, 1.0, 0.0);
    loop {
        let next = sum + value(term, k);
        // Terms fall once their ratio is below 1.
        if (next == sum && ratio(k) < 1.0) || !next.is_finite() {
            return next;
        }
        (sum, term, k) = (next, term * ratio(k), k + 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn moments_are_those_of_closed_formulas() {
        for a in [-1000.0, -250.0, -30.0, -7.0, -3.0, 3.0, 12.0, 80.0, 650.0f64] {
            let e = a.exp();
            let formulas = [
                (e - 1.0) / a,
                ((a - 1.0) * e + 1.0) / a.powi(2),
                ((a * a - 2.0 * a + 2.0) * e - 2.0) / a.powi(3),
            ];
            for (n, expected) in (0..).zip(formulas) {
                let actual = moment(n, a);
                assert!((actual / expected - 1.0).abs() < 1e-13, "{n}, {a}: {actual}, not {expected}");
            }
        }
        for n in 0..3 {
            assert_eq!(moment(n, 0.0), 1.0 / f64::from(n + 1));
            // Across 0, there is no jump.
            assert!((moment(n, -1e-9) - moment(n, 1e-9)).abs() < 2e-9);
        }
        assert!(moment(1, f64::NAN).is_nan() && moment(1, 1e300).is_infinite());
    }
}
