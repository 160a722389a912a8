//! Arrays that exceed the caches, whose rows are copied before they are computed, give what small ones give.
#![allow(missing_docs)]

use neuron_runtime::{Array, Element, MultiStep, Real, Surrogate, neuron};

neuron! {
    /// Leaky integrate-and-fire.
    pub struct Leaky {
        param tau = 2.0 where tau > 1.0;
        charge = v + (x - v) / tau;
        reset hard;
    }
}

/// A number in -2..2 for each place.
fn number(step: usize, column: usize, salt: usize) -> f32 {
    let hash = (step * 0x9e37 + column * 0x85eb_ca6b + salt).wrapping_mul(0xc2b2_ae35) >> 8;
    (hash % 4096) as f32 / 1024.0 - 2.0
}

/// Gradients of the columns `first..first + columns`, step by step.
fn gradients<E: Element>(steps: usize, first: usize, columns: usize) -> (Vec<E>, Vec<E::Real>) {
    let array = |salt| {
        let numbers = (0..steps * columns).map(|i| number(i / columns, first + i % columns, salt));
        Array::from_vec(
            [steps, columns],
            numbers.map(|x| E::store(E::Real::from_f64(f64::from(x)))).collect(),
        )
        .unwrap()
    };
    let layer = MultiStep::new(Leaky::default(), Surrogate::atan(2.0));
    let v = Array::<E::Real>::zeros([columns]);
    let (_, _, context) = layer.forward(&array(1), &v).unwrap();
    let (grad_x_seq, grad_v) = context.backward(&array(2), &v).unwrap();
    (grad_x_seq.into_vec().unwrap(), grad_v.into_vec().unwrap())
}

fn compare<E: Element>(steps: usize, columns: usize) {
    let (grad_x_seq, grad_v) = gradients::<E>(steps, 0, columns);
    let part = 1000;
    for first in [0, columns / 2 - 500, columns - part] {
        let (part_x, part_v) = gradients::<E>(steps, first, part);
        assert_eq!(grad_v[first..first + part], part_v, "columns from {first}");
        for step in 0..steps {
            let row = &grad_x_seq[step * columns + first..][..part];
            assert_eq!(row, &part_x[step * part..][..part], "columns from {first} of step {step}");
        }
    }
}

#[test]
fn large_arrays_give_what_small_ones_give() {
    // 32 MiB and more, with a last tile that is not full.
    compare::<f32>(16, (1 << 19) + 77);
}

#[test]
fn in_half_precision() {
    compare::<half::f16>(16, (1 << 20) + 2 * 64);
}
