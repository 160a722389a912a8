//! Learnable parameters on a GPU: trained, checked when they may have changed, and moved back.

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{Optimizer, SGD, VarBuilder, VarMap};
use neuron_runtime::{Error as NeuronError, neuron};
use neurons_candle::{Error, Gradient, MultiStep, Node, OutOfRange};

use crate::common::random;
use crate::gpu;

neuron! {
    /// A leak that is learned, within a range.
    pub struct Leaky {
        learnable leak = 0.5 where leak > 0.0, leak < 1.0;
        charge = leak * v + x;
        output = h;
    }
}

fn leak(device: &Device) -> Var {
    Var::from_tensor(&Tensor::full(0.5f32, (), device).unwrap()).unwrap()
}

fn is_range(error: &Error) -> bool {
    matches!(error, Error::Neuron(NeuronError::ParameterRange { name: "leak", .. }))
}

#[test]
fn learning_is_that_of_the_cpu() {
    let x_seq = random(&[6, 4, 8], 0.0..1.0, 1).to_dtype(DType::F32).unwrap();
    let learned = |device: &Device| {
        let variables = VarMap::new();
        let vb = VarBuilder::from_varmap(&variables, DType::F32, device);
        let layer = MultiStep::new(Leaky::default(), Gradient::default()).unwrap().learn(8, vb).unwrap();
        let x_seq = x_seq.to_device(device).unwrap();
        let mut optimizer = SGD::new(variables.all_vars(), 0.01).unwrap();
        for _ in 0..5 {
            let loss = layer.forward(&x_seq).unwrap().sqr().unwrap().mean_all().unwrap();
            optimizer.backward_step(&loss).unwrap();
        }
        layer.parameter("leak").unwrap().to_vec1::<f32>().unwrap()
    };
    let (expected, actual) = (learned(&Device::Cpu), learned(&gpu()));
    for (expected, actual) in expected.iter().zip(&actual) {
        // Means of different orders.
        assert!((expected - actual).abs() < 1e-6 && (actual - 0.5).abs() > 1e-4, "{expected} {actual}");
    }
}

#[test]
fn values_out_of_range_are_refused_after_a_backward_pass() {
    let (device, x) = (gpu(), random(&[3], 0.0..1.0, 2).to_dtype(DType::F32).unwrap());
    let (x, leak) = (x.to_device(&device).unwrap(), leak(&device));
    let layer = MultiStep::new(Leaky::default(), Gradient::default()).unwrap();
    let mut node = Node::from(layer.with_parameter("leak", leak.as_tensor().clone()).unwrap());
    node.step(&x).unwrap();
    let output = node.step(&x).unwrap();
    output.sum_all().unwrap().backward().unwrap();
    leak.set(&Tensor::full(2.0f32, (), &device).unwrap()).unwrap();
    let error = node.step(&x).unwrap_err();
    assert!(is_range(&error), "{error}");
    // It is not forgotten.
    assert!(is_range(&node.step(&x).unwrap_err()));

    leak.set(&Tensor::full(0.25f32, (), &device).unwrap()).unwrap();
    node.step(&x).unwrap();
    // Changed by something other than training: only on demand.
    leak.set(&Tensor::full(-1.0f32, (), &device).unwrap()).unwrap();
    node.step(&x).unwrap();
    node.recheck();
    assert!(is_range(&node.step(&x).unwrap_err()));
}

#[test]
fn values_out_of_range_are_moved_back() {
    let (device, leak) = (gpu(), leak(&gpu()));
    let x_seq = random(&[4, 3], 0.0..1.0, 3).to_dtype(DType::F32).unwrap();
    let x_seq = x_seq.to_device(leak.device()).unwrap();
    let layer = MultiStep::new(Leaky::default(), Gradient::default()).unwrap();
    let layer = layer.with_out_of_range(OutOfRange::Clamp);
    let layer = layer.with_parameter("leak", leak.as_tensor().clone()).unwrap();
    layer.forward(&x_seq).unwrap().sum_all().unwrap().backward().unwrap();
    leak.set(&Tensor::full(3.0f32, (), leak.device()).unwrap()).unwrap();
    layer.forward(&x_seq).unwrap();
    let moved = leak.to_scalar::<f32>().unwrap();
    assert!(moved < 1.0 && moved > 0.999, "{moved}");
    drop(device);
}
