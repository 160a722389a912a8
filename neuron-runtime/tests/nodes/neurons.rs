//! Neurons of every kind, and data for them.

use neuron_runtime::{Array, neuron};

neuron! {
    /// One state, one input.
    pub struct Leaky {
        param tau = 100.0 where tau > 1.0;
        flag decay_input = true;

        charge = v + if decay_input { (x - (v - v_reset)) / tau } else { x - (v - v_reset) / tau };
        reset hard | soft;
    }
}

neuron! {
    /// Two states.
    pub struct Adaptive {
        param tau = 2.0 where tau > 1.0;
        param jump = 0.5;
        state w = 0.25 * v_reset;

        charge = v + (x - v - w) / tau;
        update w = 0.9 * w + 0.1 * v + jump * spike;
        reset hard | soft;
    }
}

neuron! {
    /// Two inputs.
    pub struct Shunted {
        input x, shunt;

        charge = v + x - shunt * v;
        reset soft;
    }
}

/// Numbers from 0 to `scale` without a pattern, the same in every run.
pub fn numbers(shape: &[usize], scale: f64, seed: u64) -> Array<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64 * scale
    };
    Array::from_vec(shape, (0..shape.iter().product()).map(|_| next()).collect()).unwrap()
}

/// Step `step` of a sequence.
pub fn at(sequence: &Array<f64>, step: usize) -> Array<f64> {
    rows(sequence, step..step + 1, false)
}

/// Some steps of a sequence.
pub fn part(sequence: &Array<f64>, steps: std::ops::Range<usize>) -> Array<f64> {
    rows(sequence, steps, true)
}

fn rows(sequence: &Array<f64>, steps: std::ops::Range<usize>, keeps_time: bool) -> Array<f64> {
    let dims = &sequence.shape()[1..];
    let width: usize = dims.iter().product();
    let mut shape = if keeps_time { vec![steps.len()] } else { vec![] };
    shape.extend(dims);
    let data = &sequence.as_slice().unwrap()[steps.start * width..steps.end * width];
    Array::from_vec(shape, data.to_vec()).unwrap()
}
