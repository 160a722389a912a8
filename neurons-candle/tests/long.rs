//! Many steps of a node: gradients through all of them, and graphs that are freed, on a small stack.

mod common;

use candle_core::{DType, Device, Tensor, Var};
use common::{Lif, distance, random};
use neuron_runtime::{Array, MultiStepNode, neuron};
use neurons_candle::{Gradient, Node};

neuron! {
    /// A leaky integrator with an adaptation: two states, no spikes.
    pub struct Readout {
        state a = 0.0;
        charge = 0.999 * v + x - 0.001 * a;
        update a = 0.9 * a + h;
        output = h;
    }
}

/// On the stack that Rust gives to threads.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(2 << 20).spawn(test).unwrap().join().unwrap();
}

fn readout() -> Node<Readout> {
    Node::new(Readout::default(), Gradient::default()).unwrap()
}

/// The loss is the last output: candle's search goes through the states of all steps.
#[test]
fn gradients_of_the_first_step() {
    const STEPS: usize = 12_000;
    on_a_small_stack(|| {
        let x = Var::from_tensor(&random(&[2], 0.0..1.0, 1)).unwrap();
        let zeros = Tensor::zeros(2, DType::F64, &Device::Cpu).unwrap();
        let mut node = readout();
        node.step(&x).unwrap();
        for _ in 2..STEPS {
            node.step(&zeros).unwrap();
        }
        let last = node.step(&zeros).unwrap();
        let grads = last.sum_all().unwrap().backward().unwrap();
        let grad = grads.get(&x).unwrap().to_vec1::<f64>().unwrap();

        let mut runtime = MultiStepNode::<Readout, f64>::default();
        runtime.forward(&Array::zeros([STEPS, 2])).unwrap();
        let mut of_last = Array::zeros([STEPS, 2]);
        of_last.as_mut_slice().unwrap()[2 * (STEPS - 1)..].fill(1.0);
        let expected = runtime.backward(&of_last).unwrap();
        for (grad, expected) in grad.iter().zip(expected.as_slice().unwrap()) {
            assert!(
                *expected != 0.0 && (grad - expected).abs() < 1e-12 * expected.abs(),
                "{grad} {expected}"
            );
        }
    });
}

/// Freed at once, with the node or the last output last; and where only a state in the middle is left.
#[test]
fn graphs_are_freed() {
    on_a_small_stack(|| {
        let x = Var::from_tensor(&random(&[1], 0.0..1.0, 1)).unwrap();
        for keeps_output in [false, true] {
            let mut node = readout();
            let mut last = node.step(&x).unwrap();
            let mut middle = None;
            for step in 0..50_000 {
                last = node.step(&x).unwrap();
                if step == 30_000 {
                    middle = node.states().map(<[_]>::to_vec);
                }
            }
            if keeps_output {
                drop(node);
                drop(last);
            } else {
                drop(last);
                node.detach();
            }
            drop(middle);
        }
    });
}

/// Two layers, of which the first has feedback from the second.
#[test]
fn recurrent_layers() {
    on_a_small_stack(|| {
        let x = Var::from_tensor(&random(&[1], 0.0..1.0, 1)).unwrap();
        let (mut first, mut second) = (readout(), readout());
        let mut feedback = x.zeros_like().unwrap();
        for _ in 0..6000 {
            let hidden = first.step(&(x.as_tensor() + (feedback * 1e-4).unwrap()).unwrap()).unwrap();
            feedback = second.step(&(hidden * 1e-3).unwrap()).unwrap();
        }
        let grads = feedback.sum_all().unwrap().backward().unwrap();
        assert!(grads.get(&x).unwrap().to_vec1::<f64>().unwrap()[0] > 0.0);
    });
}

/// A state is set in between, all states are, or the graph is cut: gradients are those of shorter chains.
#[test]
fn gradients_of_chains_that_are_cut() {
    let x = Var::from_tensor(&random(&[2], 0.0..1.0, 1)).unwrap();
    let zeros = Tensor::zeros(2, DType::F64, &Device::Cpu).unwrap();
    let grad = |cut: &dyn Fn(&mut Node<Readout>)| {
        let mut node = readout();
        node.step(&x).unwrap();
        for step in 0..400 {
            if step == 200 {
                cut(&mut node);
            }
            node.step(&zeros).unwrap();
        }
        let output = node.step(&x).unwrap();
        output.sum_all().unwrap().backward().unwrap().get(&x).unwrap().to_vec1::<f64>().unwrap()[0]
    };
    let whole = grad(&|_| ());
    let without_v = grad(&|node| node.set_state("v", zeros.clone()).unwrap());
    let without_a = grad(&|node| node.set_state("a", zeros.clone()).unwrap());
    let alone = grad(&|node| node.set_states(vec![zeros.clone(); 2]).unwrap());
    assert_eq!(alone, 1.0);
    assert_eq!(grad(&|node| node.detach()), alone);
    let both = grad(&|node| {
        node.set_state("v", zeros.clone()).unwrap();
        node.set_state("a", zeros.clone()).unwrap();
    });
    assert_eq!(both, alone);
    // Linear in the states, so the parts add up.
    assert!((whole - alone - (without_v - alone) - (without_a - alone)).abs() < 1e-12);
    assert!(without_v != alone && without_a != alone);
}

/// Longer than an evaluation with a graph could be.
#[test]
fn evaluation_does_not_grow() {
    on_a_small_stack(|| {
        let x = Var::from_tensor(&random(&[4], 0.5..2.0, 6)).unwrap();
        let mut node = Node::new(Lif::default(), Gradient::default()).unwrap();
        node.eval();
        let mut outputs = Vec::new();
        for _ in 0..1000 {
            outputs.push(node.step(&x).unwrap());
        }
        assert!(outputs.iter().all(|output| !output.track_op()));
        let mut whole = Node::new(Lif::default(), Gradient::default()).unwrap();
        let x_seq = Tensor::stack(&vec![x.as_tensor().clone(); 1000], 0).unwrap();
        let expected = whole.multi_step(&x_seq).unwrap();
        assert_eq!(distance(&Tensor::stack(&outputs, 0).unwrap(), &expected), 0.0);
    });
}
