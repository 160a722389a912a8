//! Inputs that are no ordinary numbers, as documented at the top of the crate.

use neuron_runtime::{Gradient, Reset};

use crate::{Data, Lif, train};

const STEPS: usize = 4;

/// Three neurons, of which the second gets `value` at the second step.
fn with(value: f32, reset: Reset) -> (Vec<f32>, Vec<f32>) {
    let mut data = Data::<f32>::new(STEPS, 3);
    data.x_seq.fill(0.5);
    data.v.fill(0.0);
    data.x_seq[3 + 1] = value;
    let out = train(&Lif { reset, ..Lif::default() }, Gradient::default(), &data);
    // The neighbours do not notice.
    for n in [0, 2] {
        assert_eq!(out.v_next[n], 0.46875);
        assert!((0..STEPS).all(|t| out.spike_seq[3 * t + n] == 0.0));
        assert!(out.grad_v[n].is_finite() && (0..STEPS).all(|t| out.grad_x_seq[3 * t + n].is_finite()));
    }
    ((0..STEPS).map(|t| out.spike_seq[3 * t + 1]).collect(), vec![out.v_next[1], out.grad_v[1]])
}

#[test]
fn nan_does_not_fire_and_stays() {
    for reset in [Reset::Hard, Reset::Soft] {
        let (spikes, rest) = with(f32::NAN, reset);
        assert_eq!(spikes, [0.0; STEPS]);
        assert!(rest.iter().all(|x| x.is_nan()));
    }
}

#[test]
fn infinity_fires() {
    let (spikes, rest) = with(f32::INFINITY, Reset::Hard);
    assert_eq!((spikes.as_slice(), rest[0]), (&[0.0, 1.0, 0.0, 0.0][..], 0.375));
    // A soft reset leaves infinity, and infinity less the leak of infinity is NaN.
    let (spikes, rest) = with(f32::INFINITY, Reset::Soft);
    assert!(spikes == [0.0, 1.0, 0.0, 0.0] && rest[0].is_nan());
    let (spikes, rest) = with(f32::NEG_INFINITY, Reset::Hard);
    assert!(spikes == [0.0; STEPS] && rest[0].is_nan());
}
