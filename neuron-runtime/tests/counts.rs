//! Counts of spikes as steps of binary spikes.
#![allow(missing_docs)]

use half::f16;
use neuron_runtime::{Array, DeclaredNeuron, Element, Error, PackedSpikes, Real, counts, neuron};

neuron! {
    /// For packed spikes.
    pub struct Leaky { charge = 0.5 * v + x; reset soft; }
}

neuron! {
    /// Has none.
    pub struct Readout { charge = 0.5 * v + x; output = h; }
}

fn integers<E: Element>(shape: &[usize], levels: usize) -> Array<E> {
    let value = |i: usize| E::store(E::Real::from_f64((i * 7 % 11 % (levels + 1)) as f64));
    Array::from_vec(shape, (0..shape.iter().product()).map(value).collect()).unwrap()
}

fn check<E: Element + PartialEq>(shape: &[usize], levels: usize) {
    let counts = integers::<E>(shape, levels);
    let spikes = counts::unroll(&counts, levels).unwrap();
    assert_eq!(spikes.shape(), [&[shape[0] * levels], &shape[1..]].concat());
    let width: usize = shape[1..].iter().product();
    let values: Vec<f64> = spikes.to_vec().unwrap().into_iter().map(|value| value.load().to_f64()).collect();
    assert!(values.iter().all(|value| [0.0, 1.0].contains(value)));
    for (i, count) in counts.to_vec().unwrap().into_iter().enumerate() {
        let sum: f64 =
            (0..levels).map(|level| values[(i / width * levels + level) * width + i % width]).sum();
        assert_eq!(sum, count.load().to_f64(), "{shape:?} {levels} {i}");
    }
    let packed = counts::unroll_packed(Leaky::SPEC, &counts, levels).unwrap();
    assert_eq!(packed, PackedSpikes::pack(Leaky::SPEC, &spikes).unwrap());
    assert!(packed.unpack::<E>().unwrap() == spikes);
}

#[test]
fn sums_are_the_counts() {
    for shape in [&[3, 2, 5][..], &[1, 1], &[4], &[2, 31], &[2, 32], &[3, 33], &[2, 2, 50]] {
        for levels in [1, 2, 4, 9] {
            check::<f32>(shape, levels);
            check::<f64>(shape, levels);
            check::<f16>(shape, levels);
        }
    }
}

#[test]
fn what_is_no_count_is_refused() {
    for value in [-1.0, 0.5, 5.0, f64::NAN, f64::INFINITY] {
        let mut counts = Array::<f64>::zeros([2, 3, 4]);
        counts.as_mut_slice().unwrap()[12 + 2 * 4 + 1] = value;
        for error in [
            counts::unroll(&counts, 4).unwrap_err(),
            counts::unroll_packed(Leaky::SPEC, &counts, 4).unwrap_err(),
        ] {
            let expected = format!("expected an integer from 0 to 4 at [1, 2, 1], found {value}");
            assert_eq!(error.to_string(), expected);
        }
    }
    let counts = Array::<f32>::zeros([3, 2]);
    let error = counts::unroll(&counts, 0).unwrap_err();
    assert!(matches!(error, Error::Levels { levels: 0, .. }), "{error}");
    let error = counts::unroll(&counts, usize::MAX / 2).unwrap_err();
    assert!(matches!(error, Error::Levels { .. }), "{error}");
    assert!(matches!(counts::unroll(&Array::<f32>::zeros([]), 2), Err(Error::Shape { .. })));
    let error = counts::unroll_packed(Readout::SPEC, &counts, 2).unwrap_err();
    assert!(matches!(error, Error::NoTemplate { .. }));
    for (shape, missing) in [([0, 3], "T"), ([3, 0], "N")] {
        let counts = Array::<f32>::zeros(shape);
        assert_eq!(counts::unroll(&counts, 2).unwrap().shape(), [shape[0] * 2, shape[1]]);
        let error = counts::unroll_packed(Leaky::SPEC, &counts, 2).unwrap_err();
        assert!(matches!(error, Error::Empty { what, .. } if what == missing));
    }
}
