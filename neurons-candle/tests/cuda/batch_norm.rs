//! Batch normalisation on both devices: the same up to rounding, in every format and layout; nothing waits.

use candle_core::cuda_backend::cudarc::driver::sys::CUgraphNodeType_enum as Node;
use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{BatchNormConfig, VarBuilder, VarMap};
use neuron_runtime::neuron;
use neurons_candle::{BatchNorm, Gradient, MultiStep, state_dtype};

use crate::common::{distance, random};
use crate::gpu;
use crate::graph::captured;

neuron! {
    /// No spikes, which rounding could move to another step.
    pub struct Graded {
        array mean = 0.0;
        learnable scale = 1.0;
        learnable shift = 0.0;
        let y = (x - mean) * scale + shift;
        charge = 0.5 * v + y;
        output = h * h;
    }
}

fn layer(variables: &VarMap, channels: usize, dtype: DType, device: &Device) -> BatchNorm<Graded> {
    let vb = VarBuilder::from_varmap(variables, dtype, device);
    let layer = MultiStep::new(Graded::default(), Gradient::default()).unwrap();
    BatchNorm::new(layer, channels, BatchNormConfig::default(), vb).unwrap()
}

/// Output, gradients and running statistics of a batch in training; the output of another one afterwards.
fn results(x_seq: &Tensor, is_last: bool, device: &Device) -> Vec<Tensor> {
    let (variables, dtype) = (VarMap::new(), state_dtype(x_seq.dtype()).unwrap());
    let channels = x_seq.dim(if is_last { x_seq.rank() - 1 } else { 2 }).unwrap();
    let layer = layer(&variables, channels, dtype, device);
    let layer = if is_last { layer.channels_last() } else { layer };
    let get = |name: &str| variables.data().lock().unwrap()[name].clone();
    let bias = random(&[channels], -0.5..0.5, 5).to_dtype(dtype).unwrap().to_device(device).unwrap();
    get("bias").set(&bias).unwrap();

    let x_seq = Var::from_tensor(&x_seq.to_device(device).unwrap()).unwrap();
    let output = layer.forward_t(&x_seq, true).unwrap();
    assert!(output.device().same_device(device) && output.dtype() == x_seq.dtype());
    let weights = random(x_seq.dims(), -1.0..1.0, 6).to_dtype(DType::F64).unwrap().to_device(device).unwrap();
    let loss = (output.to_dtype(DType::F64).unwrap() * weights).unwrap().sum_all().unwrap();
    let grads = loss.backward().unwrap();
    let grads = [&x_seq, &get("weight"), &get("bias")].map(|variable| grads.get(variable).unwrap().clone());
    let running = [get("running_mean"), get("running_var")].map(|running| running.as_tensor().clone());
    let evaluated = layer.forward_t(&x_seq, false).unwrap();
    let results = [output].into_iter().chain(grads).chain(running).chain([evaluated]);
    results.map(|result| result.to_device(&Device::Cpu).unwrap()).collect()
}

fn check(dims: &[usize], is_last: bool) {
    for (dtype, tolerance) in
        [(DType::F64, 1e-11), (DType::F32, 1e-4), (DType::F16, 4e-3), (DType::BF16, 3e-2)]
    {
        // Far from 0 in comparison with the deviations.
        let x_seq = random(dims, 9.0..11.0, 1).to_dtype(dtype).unwrap();
        let (on_cpu, on_gpu) = (results(&x_seq, is_last, &Device::Cpu), results(&x_seq, is_last, &gpu()));
        for (index, (expected, actual)) in on_cpu.iter().zip(&on_gpu).enumerate() {
            let largest = expected.to_dtype(DType::F64).unwrap().abs().unwrap().max_all().unwrap();
            let (largest, distance) = (largest.to_scalar::<f64>().unwrap(), distance(actual, expected));
            let case = format!("{dims:?}, last {is_last}, {dtype:?}, result {index}");
            assert!(largest > 1e-6 && distance <= tolerance * largest, "{case}: {distance}, of {largest}");
        }
    }
}

/// Planes of few and of many values, in one span and in several.
#[test]
fn channels_before_space() {
    for dims in [&[4, 3, 5, 2, 3][..], &[2, 40, 3, 17, 19], &[3, 200, 130, 2], &[1, 2, 3, 300, 100]] {
        check(dims, false);
    }
}

/// Channels that are taken four at a time and not, in one span and in several.
#[test]
fn channels_innermost() {
    for dims in [&[4, 3, 5][..], &[8, 16, 64], &[2, 5000, 12]] {
        check(dims, false);
    }
    for dims in [&[2, 3, 7, 1031][..], &[6, 9, 4, 4, 32]] {
        check(dims, true);
    }
}

/// A part of a tensor whose address is not that of a vector.
#[test]
fn unaligned_inputs() {
    let whole = random(&[1 + 6 * 50 * 8], 9.0..11.0, 2).to_dtype(DType::F32).unwrap();
    let run = |device: &Device| {
        let whole = whole.to_device(device).unwrap();
        let part = whole.narrow(0, 1, 6 * 50 * 8).unwrap().reshape((6, 50, 8)).unwrap();
        let output = layer(&VarMap::new(), 8, DType::F32, device).forward_t(&part, true).unwrap();
        output.to_device(&Device::Cpu).unwrap()
    };
    assert!(distance(&run(&Device::Cpu), &run(&gpu())) < 1e-3);
}

/// The same bits from call to call.
#[test]
fn results_are_deterministic() {
    let x_seq = random(&[4, 60, 20, 9], 9.0..11.0, 3).to_dtype(DType::F32).unwrap();
    let bits = || {
        let flat = |result: &Tensor| result.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let all = results(&x_seq, false, &gpu());
        all.iter().flat_map(flat).map(f32::to_bits).collect::<Vec<_>>()
    };
    assert_eq!(bits(), bits());
}

/// A forward and a backward pass in training, captured as a graph, which fails if anything waits.
#[test]
fn nothing_waits() {
    let device = gpu();
    let x_seq = random(&[8, 16, 12, 5], -1.0..1.0, 4).to_dtype(DType::F32).unwrap();
    let x_seq = Var::from_tensor(&x_seq.to_device(&device).unwrap()).unwrap();
    let layer = layer(&VarMap::new(), 12, DType::F32, &device);
    let run = || layer.forward_t(&x_seq, true).unwrap().backward().unwrap();
    // Kernels are loaded at first use.
    run();
    let kinds = captured(&device, || drop(run()));
    let kernels = kinds.iter().filter(|kind| matches!(kind, Node::CU_GRAPH_NODE_TYPE_KERNEL)).count();
    // The statistics, the neurons, and the backward passes of both at least.
    assert!(kernels >= 5, "{kinds:?}");
}
