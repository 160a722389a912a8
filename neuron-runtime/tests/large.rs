//! Arrays that exceed the caches, whose rows are copied before they are computed, give what small ones give.
#![allow(missing_docs)]

use neuron_runtime::{Array, Element, Gradient, MultiStep, Real, Surrogate, neuron};

neuron! {
    /// Leaky integrate-and-fire.
    pub struct Leaky {
        param tau = 2.0 where tau > 1.0;
        charge = v + (x - v) / tau;
        reset hard;
    }
}

neuron! {
    /// Two inputs and two states.
    pub struct Paired {
        param tau = 2.0 where tau > 1.0;
        input x, y;
        state w = 0.0;
        charge = v + (x + 0.5 * y - v - w) / tau;
        update w = 0.75 * w + 0.25 * spike + 0.125 * max(y, 0.0);
        reset soft;
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
    // Windows of all columns, each small enough to be computed without copies.
    for first in (0..columns).step_by(columns / 7) {
        let part = (columns / 7).min(columns - first);
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

/// What `fptt` and `lean_bptt` of a neuron with two inputs write for the columns `first..first + columns`, row by row.
fn paired(steps: usize, first: usize, columns: usize) -> [Vec<f32>; 6] {
    let array = |salt| -> Vec<f32> {
        (0..steps * columns).map(|i| number(i / columns, first + i % columns, salt)).collect()
    };
    let (x_seq, y_seq, grad_spike_seq) = (array(1), array(2), array(3));
    let zeros = vec![0.0; columns];
    let row = || vec![f32::NAN; columns];
    let rows = |steps: usize| vec![f32::NAN; steps * columns];
    let (mut spike_seq, mut v_next, mut w_next) = (rows(steps), row(), row());
    let neuron = Paired::default();
    let buffers = paired::Fptt {
        x_seq: &x_seq,
        y_seq: &y_seq,
        v: &zeros,
        w: &zeros,
        spike_seq: &mut spike_seq,
        v_next: &mut v_next,
        w_next: &mut w_next,
    };
    neuron.fptt(buffers).unwrap();
    let chunks = (steps - 1) / 8;
    let (mut v_checkpoints, mut w_checkpoints) = (rows(chunks), rows(chunks));
    let (mut lean_seq, mut lean_v, mut lean_w) = (rows(steps), row(), row());
    let buffers = paired::LeanFptt {
        x_seq: &x_seq,
        y_seq: &y_seq,
        v: &zeros,
        w: &zeros,
        spike_seq: &mut lean_seq,
        v_next: &mut lean_v,
        w_next: &mut lean_w,
        v_checkpoints: &mut v_checkpoints,
        w_checkpoints: &mut w_checkpoints,
    };
    neuron.lean_fptt(buffers).unwrap();
    assert!(lean_seq == spike_seq && lean_v == v_next && lean_w == w_next, "the pair's spikes and states");
    let (mut grad_x_seq, mut grad_y_seq, mut grad_v, mut grad_w) = (rows(steps), rows(steps), row(), row());
    let buffers = paired::LeanBptt {
        x_seq: &x_seq,
        y_seq: &y_seq,
        grad_spike_seq: &grad_spike_seq,
        v: &zeros,
        w: &zeros,
        v_checkpoints: &v_checkpoints,
        w_checkpoints: &w_checkpoints,
        grad_v_next: &zeros,
        grad_w_next: &zeros,
        grad_x_seq: &mut grad_x_seq,
        grad_y_seq: &mut grad_y_seq,
        grad_v: &mut grad_v,
        grad_w: &mut grad_w,
    };
    neuron.lean_bptt(Gradient::default(), buffers).unwrap();
    [spike_seq, w_next, grad_x_seq, grad_y_seq, grad_v, grad_w]
}

/// Forward passes read two signals here, too, and are staged as the backward pass is.
#[test]
fn with_two_inputs_and_states() {
    let (steps, columns) = (16, (1 << 19) + 130);
    let whole = paired(steps, 0, columns);
    for first in (0..columns).step_by(columns / 7) {
        let part = (columns / 7).min(columns - first);
        for (index, (whole, part_of)) in whole.iter().zip(paired(steps, first, part)).enumerate() {
            for step in 0..whole.len() / columns {
                let row = &whole[step * columns + first..][..part];
                assert_eq!(
                    row,
                    &part_of[step * part..][..part],
                    "array {index}, step {step}, columns from {first}"
                );
            }
        }
    }
}
