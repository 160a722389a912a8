//! Values of a surrogate as kernels compute them, to find where it is not finite before anybody trains with it.

use std::collections::HashMap;

use super::Surrogate;
use crate::evaluate::Evaluator;
use crate::ir::Id;

/// Where a surrogate is not finite.
pub struct Failure {
    /// `gradient` or `primitive`.
    pub what: &'static str,
    /// At which distance from the threshold.
    pub u: f64,
    /// What it is there.
    pub value: f64,
    /// In which format of the arithmetic.
    pub format: &'static str,
}

/// A format of the arithmetic: its name, the distance that stands for all larger ones, how it rounds.
type Format = (&'static str, f64, fn(f64) -> f64);

/// The bounds are those of the runtime.
const FORMATS: [Format; 2] = [("float32", 1e18, |x| f64::from(x as f32)), ("float64", 1e150, |x| x)];

const PLACES: [f64; 12] = [0.0, 1e-30, 1e-3, 0.1, 0.5, 1.0, 3.0, 10.0, 50.0, 200.0, 1e4, 1e9];

/// The first place at which the gradient or the primitive is not finite, with the default parameters.
pub fn failure(surrogate: &Surrogate) -> Option<Failure> {
    let Surrogate { graph, params, .. } = surrogate;
    for (format, bound, round) in FORMATS {
        let mut values: HashMap<Id, f64> =
            params.iter().map(|param| (param.leaf, round(param.default))).collect();
        for place in PLACES.into_iter().chain([bound]) {
            for u in [round(place), -round(place)] {
                values.insert(surrogate.u, u);
                for (what, id) in [("gradient", surrogate.gradient), ("primitive", surrogate.primitive)] {
                    let value = Evaluator::rounding(graph, &values, round).number(id);
                    if !value.is_finite() {
                        return Some(Failure { what, u, value, format });
                    }
                }
            }
        }
    }
    None
}
