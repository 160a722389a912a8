//! Memory of a node over many steps, as the system counts it; alone in its process.
#![cfg(target_os = "linux")]

use candle_core::{DType, Device, Tensor, Var};
use neuron_runtime::neuron;
use neurons_candle::{Gradient, Node};

neuron! {
    /// With a parameter that is learned, so that every step could be part of a graph.
    pub struct Plif {
        learnable w = 0.0;
        charge = v + (x - (v - v_reset)) * sigmoid(w);
        reset hard | soft;
    }
}

const N: usize = 1 << 16;

/// Resident memory, in pages.
fn pages() -> usize {
    let counts = std::fs::read_to_string("/proc/self/statm").unwrap();
    counts.split(' ').nth(1).unwrap().parse().unwrap()
}

/// By how many bytes per step memory grows, with new inputs in each.
fn growth(node: &mut Node<Plif>, steps: usize) -> usize {
    let before = pages();
    for _ in 0..steps {
        node.step(&Tensor::ones(N, DType::F64, &Device::Cpu).unwrap()).unwrap();
    }
    // Pages have at least this size, wherever Linux runs.
    pages().saturating_sub(before) * 4096 / steps
}

#[test]
fn evaluation_does_not_grow() {
    let w = Var::zeros((), DType::F64, &Device::Cpu).unwrap();
    let node = Node::new(Plif::default(), Gradient::default()).unwrap();
    let mut node = node.with_parameter("w", w.as_tensor().clone()).unwrap();
    let array = N * size_of::<f64>();
    // An input and a state at least.
    let training = growth(&mut node, 100);
    assert!(training > 3 * array / 2, "{training} bytes a step in training: this measures nothing");
    node.eval();
    let evaluation = growth(&mut node, 400);
    assert!(evaluation < array / 20, "{evaluation} bytes a step, with arrays of {array}");
}
