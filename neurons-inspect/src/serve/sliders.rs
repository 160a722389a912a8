//! How far a slider of a parameter goes: its range is a condition, which is tried out.

use neuron_runtime::{Neuron, Value};

/// Positions of a slider.
const POSITIONS: f64 = 1000.0;

/// Values on both sides of a default that the neuron accepts, with its other parameters as declared.
pub fn bounds(declared: &dyn Neuron, name: &str, default: f64) -> (f64, f64) {
    let (low, high) = match default {
        0.0 => (-1.0, 1.0),
        default if default > 0.0 => (0.0, (4.0 * default).min(f64::MAX)),
        default => ((2.0 * default).max(f64::MIN), 0.0),
    };
    let mut neuron = declared.boxed();
    let mut accepts = |value: f64| neuron.set(name, Value::Real(value)).is_ok() && neuron.validate().is_ok();
    if !accepts(default) {
        return (default, default);
    }
    (accepted(default, low, &mut accepts), accepted(default, high, &mut accepts))
}

/// The accepted position that is closest to `end`, from a value that is accepted.
fn accepted(from: f64, end: f64, accepts: &mut impl FnMut(f64) -> bool) -> f64 {
    if accepts(end) {
        return end;
    }
    let at = |position: f64| from + (end - from) * position / POSITIONS;
    let (mut good, mut bad) = (0.0, POSITIONS);
    while bad - good > 1.0 {
        let middle = f64::midpoint(good, bad).floor();
        *(if accepts(at(middle)) { &mut good } else { &mut bad }) = middle;
    }
    at(good)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Neurons;

    #[test]
    fn bounds_are_accepted() {
        for neuron in Neurons::default().zoo().iter() {
            for param in neuron.spec().params {
                let (low, high) = bounds(neuron, param.name, param.default);
                assert!(low <= param.default && param.default <= high && low < high, "{}", param.name);
                for end in [low, high] {
                    let mut neuron = neuron.boxed();
                    neuron.set(param.name, Value::Real(end)).unwrap();
                    assert!(neuron.validate().is_ok(), "{} {} {end}", neuron.spec().name, param.name);
                }
            }
        }
    }

    #[test]
    fn bounds_are_close_to_the_condition() {
        let neurons = Neurons::default().zoo();
        let (low, high) = bounds(neurons.find("lif").unwrap(), "tau", 2.0);
        assert!(low > 1.0 && low < 1.01 && high == 8.0, "{low} {high}");
    }
}
