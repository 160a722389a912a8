//! Quotients with a finite limit where both of their parts are 0, in every format.

use half::{bf16, f16};
use neuron_runtime::{Array, Element, Real, Step, Surrogate, gradcheck, neuron};

neuron! {
    /// A rate of Hodgkin and Huxley (1952), `0.1 (h + 40) / (1 - exp(-(h + 40) / 10))`, and what comes of a small current.
    pub struct Rate {
        input x, current;
        charge = 0.5 * v + x;
        output = 1.0 / exprel(-(h + 40.0) / 10.0) + expm1(current) + log1p(max(current, -0.5));
    }
}

/// The rate and its slope by their series around -40.
fn expected(h: f64) -> [f64; 2] {
    let z = (h + 40.0) / 10.0;
    [1.0 + z / 2.0 + z.powi(2) / 12.0 - z.powi(4) / 720.0, (0.5 + z / 6.0 - z.powi(3) / 180.0) / 10.0]
}

fn check<E: Element>(precision: f64) {
    let places = [0.0, 1e-6, 1e-4, 0.0625, 0.5, 1.0, 2.0].into_iter().flat_map(|d| [-40.0 - d, -40.0 + d]);
    let stored: Vec<E> = places.map(|place| E::store(E::Real::from_f64(place))).collect();
    let array = |values: Vec<E>| Array::from_vec([stored.len()], values).unwrap();
    let zeros = || array(vec![E::default(); stored.len()]);
    let (x, ones) = (array(stored.clone()), array(vec![E::store(E::Real::ONE); stored.len()]));
    let state = Array::from_vec([stored.len()], vec![E::Real::default(); stored.len()]).unwrap();
    let step = Step::new(Rate::default(), Surrogate::default());
    let (stepped, context) = step.forward_all(&[&x, &zeros()], &[&state]).unwrap();
    let grads = context.backward_all(&ones, &[&state]).unwrap();
    let number = |value: E| value.load().to_f64();
    for (i, &h) in stored.iter().enumerate() {
        let [value, slope] = expected(number(h));
        let actual = number(stepped.spike.as_slice().unwrap()[i]);
        assert!((actual - value).abs() <= precision * value, "{} at {h:?}: {actual}, not {value}", E::NAME);
        let actual = number(grads.inputs[0].as_slice().unwrap()[i]);
        assert!(
            (actual - slope).abs() <= precision * slope,
            "{} at {h:?}: slope {actual}, not {slope}",
            E::NAME
        );
        assert_eq!(number(grads.inputs[1].as_slice().unwrap()[i]), 2.0);
    }
}

#[test]
fn rates_have_their_limits() {
    check::<f64>(2e-7);
    check::<f32>(1e-6);
    check::<f16>(1e-3);
    check::<bf16>(8e-3);
    let report = gradcheck(&Rate::default()).unwrap();
    assert_eq!(report.skipped, 0, "{report:?}");
}
