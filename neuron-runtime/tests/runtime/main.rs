//! The executor, its checks and its number formats, with two generated neurons.
#![allow(missing_docs)]

mod extremes;
mod forged;
mod formats;
mod independence;
mod naive;
mod refusals;
mod sizes;
mod special;

use neuron_runtime::{Element, Gradient, Real, neuron};

neuron! {
    /// Leaky integrate-and-fire.
    pub struct Lif {
        /// Membrane time constant in time steps.
        param tau = 2.0 where tau > 1.0;
        /// Whether the input decays with the membrane.
        flag decay_input = true;

        charge = v + if decay_input { (x - (v - v_reset)) / tau } else { x - (v - v_reset) / tau };
        reset hard | soft;
    }
}

neuron! {
    /// Functions of all kinds, two inputs and two states.
    pub struct Mixed {
        param tau = 2.0 where tau > 1.0;
        input x, y;
        state w = 0.25;

        charge = v + (tanh(x) + exp(-abs(v)) + sigmoid(y) * ln(1.0 + w^2) - sqrt(1.0 + y^2) * 0.1) / tau
            + 0.1 * (expm1(-abs(x)) + log1p(abs(v)) * exprel(tanh(y)) + floor(2.0 * x) - trunc(3.0 * y));
        update w = 0.5 * w + min(x, y) * 0.1 + max(h, 0.0) * 0.05 - 0.2 * spike;
        reset hard | soft;
    }
}

/// Deterministic numbers, uniform in `-1.0..1.0`.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// As many as `len`, uniform in `from..to`, rounded to the format.
    pub fn vec<E: Element>(&mut self, len: usize, from: f64, to: f64) -> Vec<E> {
        let mut number = || from + (to - from) * (0.5 + 0.5 * self.draw());
        (0..len).map(|_| E::store(E::Real::from_f64(number()))).collect()
    }
}

/// Outputs of `fptt_with_grad` and `bptt` of LIF.
pub struct Trained<E: Element> {
    pub spike_seq: Vec<E>,
    pub v_next: Vec<E::Real>,
    pub grad_s_to_h: Vec<E::Real>,
    pub grad_v_to_h: Vec<E::Real>,
    pub grad_x_seq: Vec<E>,
    pub grad_v: Vec<E::Real>,
}

/// What goes into them.
pub struct Data<E: Element> {
    pub x_seq: Vec<E>,
    pub v: Vec<E::Real>,
    pub grad_spike_seq: Vec<E>,
    pub grad_v_next: Vec<E::Real>,
}

impl<E: Element> Data<E> {
    pub fn new(steps: usize, neurons: usize) -> Self {
        let mut numbers = Numbers((steps * 1000 + neurons) as u64);
        Self {
            x_seq: numbers.vec(steps * neurons, -1.0, 4.0),
            v: numbers.vec(neurons, -1.0, 1.0),
            grad_spike_seq: numbers.vec(steps * neurons, -1.0, 1.0),
            grad_v_next: numbers.vec(neurons, -1.0, 1.0),
        }
    }
}

pub fn train<E: Element>(neuron: &Lif, gradient: Gradient, data: &Data<E>) -> Trained<E> {
    let (signals, states) = (data.x_seq.len(), data.v.len());
    let mut out = Trained {
        spike_seq: vec![E::default(); signals],
        v_next: vec![E::Real::ZERO; states],
        grad_s_to_h: vec![E::Real::ZERO; signals],
        grad_v_to_h: vec![E::Real::ZERO; signals],
        grad_x_seq: vec![E::default(); signals],
        grad_v: vec![E::Real::ZERO; states],
    };
    let forward = lif::FpttWithGrad {
        x_seq: &data.x_seq,
        v: &data.v,
        spike_seq: &mut out.spike_seq,
        v_next: &mut out.v_next,
        grad_s_to_h: &mut out.grad_s_to_h,
        grad_v_to_h: &mut out.grad_v_to_h,
    };
    neuron.fptt_with_grad(gradient, forward).expect("a valid call");
    let backward = lif::Bptt {
        grad_spike_seq: &data.grad_spike_seq,
        grad_v_next: &data.grad_v_next,
        grad_s_to_h: &out.grad_s_to_h,
        grad_v_to_h: &out.grad_v_to_h,
        grad_x_seq: &mut out.grad_x_seq,
        grad_v: &mut out.grad_v,
    };
    neuron.bptt(backward).expect("a valid call");
    out
}

/// Spikes and last states of `Mixed`, one after another.
pub fn mixed<E: Element>(steps: usize, neurons: usize) -> (Vec<E>, Vec<E::Real>) {
    let mut numbers = Numbers(1);
    let mut spike_seq = vec![E::default(); steps * neurons];
    let (mut v_next, mut w_next) = (vec![E::Real::ZERO; neurons], vec![E::Real::ZERO; neurons]);
    let buffers = mixed::Fptt {
        x_seq: &numbers.vec(steps * neurons, -2.0, 6.0),
        y_seq: &numbers.vec(steps * neurons, -2.0, 6.0),
        v: &vec![E::Real::ZERO; neurons],
        w: &vec![E::Real::from_f64(0.25); neurons],
        spike_seq: &mut spike_seq,
        v_next: &mut v_next,
        w_next: &mut w_next,
    };
    Mixed::default().fptt(buffers).expect("a valid call");
    v_next.append(&mut w_next);
    (spike_seq, v_next)
}
