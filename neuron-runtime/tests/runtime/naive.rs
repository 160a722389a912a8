//! Against the equations of LIF and of its gradient, written as a loop in float64.

use half::{bf16, f16};
use neuron_runtime::{Element, Gradient, Real, Reset, Surrogate};

use crate::{Data, Lif, Trained, train};

/// One neuron after another, one step after another.
fn naive<E: Element>(lif: &Lif, gradient: Gradient, data: &Data<E>) -> Trained<f64> {
    let wide = |values: &[E]| values.iter().map(|x| x.load().to_f64()).collect::<Vec<_>>();
    let (x_seq, grad_spike_seq) = (wide(&data.x_seq), wide(&data.grad_spike_seq));
    let neurons = data.v.len();
    let zeros = || vec![0.0; x_seq.len()];
    let mut out = Trained {
        spike_seq: zeros(),
        v_next: data.v.iter().map(|v| v.to_f64()).collect(),
        grad_s_to_h: zeros(),
        grad_v_to_h: zeros(),
        grad_x_seq: zeros(),
        grad_v: data.grad_v_next.iter().map(|g| g.to_f64()).collect(),
    };
    for n in 0..neurons {
        let v = &mut out.v_next[n];
        for i in (n..x_seq.len()).step_by(neurons) {
            let leak = (*v - lif.v_reset) / lif.tau;
            let h = *v - leak + if lif.decay_input { x_seq[i] / lif.tau } else { x_seq[i] };
            let s = if h >= lif.v_threshold { 1.0 } else { 0.0 };
            let ds = gradient.surrogate.gradient(h - lif.v_threshold);
            let (v_next, jump, direct) = match lif.reset {
                Reset::Hard => (s * lif.v_reset + (1.0 - s) * h, lif.v_reset - h, 1.0 - s),
                Reset::Soft => (h - s * lif.v_threshold, -lif.v_threshold, 1.0),
                Reset::None | Reset::Custom => unreachable!("not declared"),
            };
            out.spike_seq[i] = s;
            out.grad_s_to_h[i] = ds;
            out.grad_v_to_h[i] = direct + if gradient.detach_reset { 0.0 } else { jump * ds };
            *v = v_next;
        }
        let grad_v = &mut out.grad_v[n];
        for i in (n..x_seq.len()).step_by(neurons).rev() {
            let grad_h = grad_spike_seq[i] * out.grad_s_to_h[i] + *grad_v * out.grad_v_to_h[i];
            out.grad_x_seq[i] = if lif.decay_input { grad_h / lif.tau } else { grad_h };
            *grad_v = grad_h * (1.0 - 1.0 / lif.tau);
        }
    }
    out
}

/// Compares with the loop: spikes exactly, all else up to `tolerance` and, what is stored in the data's
/// format, up to `rounding` besides.
fn compare<E: Element>(tolerance: f64, rounding: f64) {
    let gradients = [
        Gradient::default(),
        Gradient { surrogate: Surrogate::sigmoid(4.0), detach_reset: true },
        Surrogate::from_name("piecewise_quadratic", &[0.7]).unwrap().into(),
    ];
    for (reset, decay_input) in [(Reset::Hard, true), (Reset::Hard, false), (Reset::Soft, true)] {
        let v_reset = if reset == Reset::Hard { -0.125 } else { 0.0 };
        let lif = Lif { tau: 3.0, decay_input, v_reset, reset, ..Lif::default() };
        for gradient in gradients {
            // Fewer neurons than a tile has, a tile, one more, and several.
            for (steps, neurons) in [(1, 1), (9, 5), (3, 64), (5, 65), (7, 200)] {
                let data = Data::<E>::new(steps, neurons);
                let (ours, expected) = (train(&lif, gradient, &data), naive(&lif, gradient, &data));
                let case = format!("{lif:?} {gradient:?} T = {steps}, N = {neurons}");
                let near = |what: &str, ours: &[E::Real], expected: &[f64]| {
                    for (i, (a, b)) in ours.iter().zip(expected).enumerate() {
                        assert!((a.to_f64() - b).abs() <= tolerance, "{what}[{i}]: {a}, not {b}: {case}");
                    }
                };
                let spikes: Vec<f64> = ours.spike_seq.iter().map(|s| s.load().to_f64()).collect();
                assert_eq!(spikes, expected.spike_seq, "{case}");
                near("v_next", &ours.v_next, &expected.v_next);
                near("grad_s_to_h", &ours.grad_s_to_h, &expected.grad_s_to_h);
                near("grad_v_to_h", &ours.grad_v_to_h, &expected.grad_v_to_h);
                near("grad_v", &ours.grad_v, &expected.grad_v);
                for (a, b) in ours.grad_x_seq.iter().zip(&expected.grad_x_seq) {
                    let error = (a.load().to_f64() - b).abs();
                    assert!(error <= tolerance + rounding * b.abs(), "grad_x_seq: {a:?}, not {b}: {case}");
                }
            }
        }
    }
}

#[test]
fn f64_agrees_with_a_naive_loop() {
    compare::<f64>(1e-13, 0.0);
}

#[test]
fn f32_agrees_with_a_naive_loop() {
    compare::<f32>(2e-6, 0.0);
}

/// States and factors are as exact as in f32: only what is stored is rounded.
#[test]
fn half_precision_agrees_with_a_naive_loop() {
    compare::<f16>(2e-6, 0.5 / 1024.0);
    compare::<bf16>(2e-6, 0.5 / 128.0);
}
