//! Every surrogate at every input.

use neuron_runtime::{Real, Surrogate};

use crate::every_surrogate;

/// Parameters as far out as anybody may go.
fn extremes() -> Vec<Surrogate> {
    let mut all = every_surrogate();
    for surrogate in Surrogate::all() {
        for value in [1e-30, 1e-6, 1.0 + 1e-6, 1e6, 1e30] {
            let mut changed = vec![value];
            // Both, where there are two.
            changed.resize(surrogate.parameters().count(), value);
            let changed = Surrogate::from_name(surrogate.name(), &changed).unwrap();
            if changed.validate().is_ok() {
                all.push(changed);
            }
        }
    }
    all
}

fn check<R: Real>(tiny: R, largest: R) {
    let places =
        [0.0, 1e-30, 1e-8, 0.1, 0.5, 1.0, 1.5, 10.0, 1e4, 1e9, 1e18, 1e30, f64::INFINITY].map(R::from_f64);
    for surrogate in extremes() {
        for u in places.into_iter().chain([tiny, largest]) {
            for u in [u, -u] {
                let (gradient, primitive) = (surrogate.gradient_in(u), surrogate.primitive_in(u));
                assert!(gradient.to_f64().is_finite(), "gradient of {surrogate} at {u}: {gradient}");
                // Unbounded ones grow with their parameters.
                let is_moderate = surrogate.parameters().all(|(_, value)| value <= 1e6);
                assert!(
                    primitive.to_f64().is_finite() || !is_moderate,
                    "primitive of {surrogate} at {u}: {primitive}"
                );
                assert!(!primitive.to_f64().is_nan(), "primitive of {surrogate} at {u}: {primitive}");
            }
        }
        let nan = R::from_f64(f64::NAN);
        assert!(surrogate.gradient_in(nan).to_f64().is_nan(), "gradient of {surrogate} at NaN");
        assert!(surrogate.primitive_in(nan).to_f64().is_nan(), "primitive of {surrogate} at NaN");
    }
}

#[test]
fn in_single() {
    check::<f32>(f32::from_bits(1), f32::MAX);
}

#[test]
fn in_double() {
    check::<f64>(f64::from_bits(1), f64::MAX);
}
