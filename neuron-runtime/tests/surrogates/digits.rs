//! In float32, gradients keep their digits far from the threshold, and are the same on both of its sides.

use neuron_runtime::{Surrogate, surrogate};

use crate::every_surrogate;

surrogate! {
    /// The same as `Sigmoid` with `alpha = 4`.
    surrogate Tanh { primitive = 0.5 + 0.5 * tanh(2.0 * u); }
}

/// Those whose gradient has an axis, at `u = 0`.
const SYMMETRIC: [&str; 12] = [
    "ATan",
    "Sigmoid",
    "PiecewiseQuadratic",
    "PiecewiseExp",
    "SoftSign",
    "SuperSpike",
    "Erf",
    "QPseudoSpike",
    "Rect",
    "FakeNumericalGradient",
    "NonzeroSignLogAbs",
    "SquarewaveFourierSeries",
];

/// From 1e-6 to 100, densely.
fn places() -> impl Iterator<Item = f32> {
    (0..20_000).map(|k| (f64::from(k) * (100.0f64 / 1e-6).ln() / 20_000.0).exp() as f32 * 1e-6)
}

/// The same surrogate with parameters that float32 has.
fn rounded(surrogate: &Surrogate) -> Surrogate {
    let values: Vec<f64> = surrogate.parameters().map(|(_, value)| f64::from(value as f32)).collect();
    Surrogate::from_name(surrogate.name(), &values).unwrap()
}

#[test]
fn both_sides_are_the_same() {
    for surrogate in every_surrogate().into_iter().filter(|it| SYMMETRIC.contains(&it.name())) {
        for u in places() {
            let [below, above] = [-u, u].map(|u| surrogate.gradient_in(u));
            assert_eq!(below.to_bits(), above.to_bits(), "{surrogate} at {u}: {below} below, {above} above");
            let [below, above] = [-u, u].map(|u| surrogate.gradient_in(f64::from(u)));
            assert_eq!(below.to_bits(), above.to_bits(), "{surrogate} at {u}: {below} below, {above} above");
        }
    }
}

/// A gradient of `exp(-y)` is `y` times as sensitive to its exponent, which is rounded, as to itself; that `y` is the
/// logarithm of how far the gradient has fallen.
#[test]
fn relative_errors_are_bounded() {
    for surrogate in every_surrogate().iter().map(rounded) {
        let parameters: Vec<f64> = surrogate.parameters().map(|(_, value)| value).collect();
        let all = || places().flat_map(|u| [u, -u]);
        let largest = all().map(|u| surrogate.gradient(f64::from(u)).abs()).fold(0.0, f64::max);
        let mut worst = (0.0f64, 0.0);
        for u in all() {
            let (actual, expected) = (f64::from(surrogate.gradient_in(u)), surrogate.gradient(f64::from(u)));
            let error = (actual - expected).abs();
            let bound = match surrogate.name() {
                // They cross 0: a difference of rounded numbers, a cosine of a rounded angle.
                "PiecewiseQuadratic" => 2e-7 * largest,
                "SquarewaveFourierSeries" => 2e-6 * f64::from(u.abs()).max(1.0) * largest * parameters[0],
                // On which side of an edge a number is may depend on its last digit.
                "Rect" if (f64::from(u.abs()) * 2.0 * parameters[0] - 1.0).abs() < 1e-6 => continue,
                // Kept as far as float32 has normal numbers.
                _ if expected.abs() < 1e-36 => 1e-36,
                _ => (1e-6 + 2e-7 * (largest / expected.abs()).ln()) * expected.abs(),
            };
            if error > worst.0 * bound {
                worst = (error / bound, f64::from(u));
            }
            assert!(error <= bound, "{surrogate} at {u}: {actual}, not {expected}");
        }
        println!("{surrogate}: {:.2} of the bound, at {}", worst.0, worst.1);
    }
}

/// The logistic function at the places of which its gradient had been wrong, or 0.
#[test]
fn the_logistic_function_far_above_the_threshold() {
    let [sigmoid, tanh] = [Surrogate::sigmoid(4.0), Tanh.into()];
    for u in [3.0f32, 4.0, 4.2, 10.0, 20.0] {
        let e = (-4.0 * f64::from(u)).exp();
        let expected = 4.0 * e / (1.0 + e).powi(2);
        for u in [u, -u] {
            for surrogate in [sigmoid, tanh] {
                let actual = f64::from(surrogate.gradient_in(u));
                assert!(
                    (actual / expected - 1.0).abs() < 5e-6,
                    "{surrogate} at {u}: {actual}, not {expected}"
                );
            }
        }
    }
}
