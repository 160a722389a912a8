//! Gradients against the closed formulas of the literature, and primitives against the gradients.

use std::f64::consts::{FRAC_PI_2, PI};

use neuron_runtime::Surrogate;

use crate::every_surrogate;

/// The gradient as SpikingJelly's documentation has it.
fn formula(name: &str, p: &[f64], u: f64) -> f64 {
    let a = p[0];
    let logistic = |x: f64| 1.0 / (1.0 + (-x).exp());
    match name {
        "ATan" => a / 2.0 / (1.0 + (FRAC_PI_2 * a * u).powi(2)),
        "Sigmoid" => a * logistic(a * u) * logistic(-a * u),
        "PiecewiseQuadratic" => (a - a * a * u.abs()).max(0.0),
        "PiecewiseExp" => a / 2.0 * (-a * u.abs()).exp(),
        "SoftSign" => 1.0 / (2.0 * a * (1.0 / a + u.abs()).powi(2)),
        "SuperSpike" => a / (1.0 + u.abs()).powi(2),
        "Erf" => a / PI.sqrt() * (-(a * u).powi(2)).exp(),
        "QPseudoSpike" => (1.0 + 2.0 * u.abs() / (a - 1.0)).powf(-a),
        "Rect" => f64::from(u8::from(u.abs() < 0.5 / a)) * a,
        "LeakyKReLU" => p[usize::from(u >= 0.0)],
        "PiecewiseLeakyReLU" => {
            if (-p[0]..p[0]).contains(&u) {
                0.5 / p[0]
            } else {
                p[1]
            }
        }
        "FakeNumericalGradient" => (1.0 / u.abs()).min(a),
        "LogTailedReLU" => match u {
            _ if u <= 0.0 => a,
            _ if u <= 1.0 => 1.0,
            _ => 1.0 / u,
        },
        "NonzeroSignLogAbs" => 1.0 / (1.0 / a + u.abs()),
        "SquarewaveFourierSeries" => {
            let term = |i: i32| (f64::from(2 * i - 1) * 2.0 * PI * u / p[1]).cos();
            4.0 / p[1] * (1..=p[0] as i32).map(term).sum::<f64>()
        }
        "S2NN" if u < 0.0 => a * logistic(a * u) * logistic(-a * u),
        "S2NN" => p[1] / (1.0 + u),
        "FastSigmoid" => (1.0 + p[0] * u.abs()).powi(-2),
        _ => panic!("no formula for {name}"),
    }
}

/// From -4 to 4, 0 and the kinks of the default parameters included.
fn places() -> impl Iterator<Item = f64> {
    (-256..=256).map(|k| f64::from(k) / 64.0)
}

#[test]
fn gradients() {
    for surrogate in every_surrogate() {
        let values: Vec<f64> = surrogate.parameters().map(|(_, value)| value).collect();
        let largest = places().map(|u| formula(surrogate.name(), &values, u).abs()).fold(0.0, f64::max);
        // Numbers that float32 has, so that both formats are asked for the same.
        let single: Vec<f64> = values.iter().map(|&value| f64::from(value as f32)).collect();
        for u in places() {
            let (expected, actual) = (formula(surrogate.name(), &values, u), surrogate.gradient(u));
            assert!(
                (expected - actual).abs() <= 1e-14 * largest,
                "{surrogate} at {u}: {actual}, not {expected}"
            );
            let actual = f64::from(surrogate.gradient_in(u as f32));
            let expected = formula(surrogate.name(), &single, u);
            // Of an angle of many turns, float32 has fewer digits behind the point.
            let turns = if surrogate.name() == "SquarewaveFourierSeries" {
                2.0 * values[0] * 4.0 / values[1]
            } else {
                1.0
            };
            let is_edge = surrogate.name().starts_with("Rect") && (u.abs() - 0.5 / values[0]).abs() < 1e-6
                || surrogate.name() == "PiecewiseLeakyReLU" && (u.abs() - values[0]).abs() < 1e-6;
            assert!(
                (expected - actual).abs() <= 4e-6 * largest * turns.max(1.0) || is_edge,
                "{surrogate} at {u} in float32: {actual}, not {expected}"
            );
        }
    }
}

#[test]
fn gradients_at_the_edges() {
    let at = |name: &str, u: f64| Surrogate::from_name(name, &[]).unwrap().gradient(u);
    // As SpikingJelly has them: what `<` and `<=` mean.
    assert_eq!([at("Rect", -0.5), at("Rect", 0.5)], [0.0, 0.0]);
    assert_eq!([at("PiecewiseLeakyReLU", -1.0), at("PiecewiseLeakyReLU", 1.0)], [0.5, 0.01]);
    assert_eq!([at("LogTailedReLU", 0.0), at("LogTailedReLU", 1.0)], [0.0, 1.0]);
    assert_eq!([at("LeakyKReLU", 0.0), at("S2NN", 0.0)], [1.0, 1.0]);
    // `abs` has a slope at 0.
    for (name, expected) in [
        ("SoftSign", 1.0),
        ("SuperSpike", 1.0),
        ("PiecewiseExp", 0.5),
        ("QPseudoSpike", 1.0),
        ("NonzeroSignLogAbs", 1.0),
    ] {
        assert_eq!([at(name, 0.0), at(name, -0.0)], [expected; 2], "{name}");
    }
}

#[test]
fn primitives_have_these_gradients() {
    for surrogate in every_surrogate() {
        let mut compared = 0;
        for k in -400..=400 {
            // Off the kinks of the piecewise ones.
            let u = f64::from(k) * 0.00813 + 0.0010791;
            let step = 1e-6;
            let [before, after] = [u - step, u + step];
            let numeric = (surrogate.primitive(after) - surrogate.primitive(before)) / (2.0 * step);
            let exact = surrogate.gradient(u);
            // Next to a kink, the difference is over both sides of it.
            let kinked =
                (surrogate.gradient(before) - surrogate.gradient(after)).abs() > 1e-2 * exact.abs().max(1.0);
            if kinked {
                continue;
            }
            compared += 1;
            let bound = 1e-8
                * exact.abs().max(1.0)
                * surrogate.parameters().map(|(_, p)| p.abs()).fold(1.0, f64::max);
            assert!((numeric - exact).abs() <= bound, "{surrogate} at {u}: {exact}, numerically {numeric}");
        }
        assert!(compared > 780, "{surrogate}: only {compared} places compared");
    }
}

#[test]
fn primitives_are_steps() {
    // Whatever they are at the threshold, they do not fall; those that are bounded go from 0 to 1.
    let bounded =
        ["ATan", "Sigmoid", "PiecewiseQuadratic", "PiecewiseExp", "SoftSign", "Erf", "QPseudoSpike", "Rect"];
    for surrogate in Surrogate::all().filter(|surrogate| surrogate.name() != "SquarewaveFourierSeries") {
        let mut before = surrogate.primitive(-1e9);
        for u in places() {
            let value = surrogate.primitive(u);
            assert!(value >= before, "{surrogate} falls before {u}: from {before} to {value}");
            before = value;
        }
        assert!(surrogate.primitive(1e9) >= before);
        if bounded.contains(&surrogate.name()) {
            let [first, middle, last] =
                [f64::NEG_INFINITY, 0.0, f64::INFINITY].map(|u| surrogate.primitive(u));
            assert!(
                first.abs() < 1e-15 && (middle - 0.5).abs() < 1e-15 && (last - 1.0).abs() < 1e-15,
                "{surrogate}"
            );
        }
    }
}
