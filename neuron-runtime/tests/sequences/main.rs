//! Random sequences of calls, right and wrong ones, against a simple model of what each has to do: no call panics, one that
//! is wrong says so by an error of the expected kind, and nothing has changed then.
//!
//! The sequences are the same in every run; `NEURON_FUZZ_CASES` says how many, for longer runs than by default.
#![allow(missing_docs)]

mod model;
mod nodes;
mod steps;

use neuron_runtime::{Array, Element, Real, neuron};
use proptest::test_runner::{Config, RngSeed};

neuron! {
    /// Two inputs, two states, parameters of each kind; the initial states depend on one that is learned.
    pub struct Rich {
        param tau = 2.0 where tau > 1.0;
        array gain = 1.0 where gain > 0.0;
        learnable w = 0.25;
        learnable v_reset = 0.1;
        input x, y;
        state a = w;
        charge = v + (gain * x - w * y * v - (v - v_reset)) / tau;
        threshold = v_threshold + 0.1 * a;
        update a = 0.9 * a + w * spike;
        reset hard | soft;
    }
}

neuron! {
    /// One input, no spikes.
    pub struct Readout {
        array gain = 1.0 where gain > 0.0;
        learnable tau = 2.0 where tau > 1.0;
        charge = v + (gain * x - v) / tau;
        output = h * h;
    }
}

/// How many cases a test has: `by_default`, or as the environment says.
fn config(by_default: u32) -> Config {
    let cases = std::env::var("NEURON_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok());
    Config {
        cases: cases.unwrap_or(by_default),
        rng_seed: RngSeed::Fixed(0x5eed),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    }
}

/// Numbers of an array in -1..3, the same for the same seed.
fn numbers<E: Element>(shape: &[usize], seed: u64) -> Array<E> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        E::store(E::Real::from_f64((state >> 11) as f64 * (4.0 / (1u64 << 53) as f64) - 1.0))
    };
    let values = (0..shape.iter().product()).map(next).collect();
    Array::from_vec(shape, values).expect("as many as the shape has")
}

/// The shape and the bits of an array.
type Bits = (Vec<usize>, Vec<u64>);

fn bits<E: Element>(array: &Array<E>) -> Bits {
    let values = array.as_slice().expect("an array of the CPU");
    (array.shape().to_vec(), values.iter().map(|value| value.load().to_f64().to_bits()).collect())
}
