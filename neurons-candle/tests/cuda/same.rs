//! Calls on both devices, forward and backward, in every format: the same bits.

use candle_core::{DType, Device, Tensor, Var};
use neuron_runtime::{DeclaredNeuron, Reset, neuron};
use neurons_candle::{Gradient, MultiStep, Node, multi_step_with, state_dtype, step_with};

use crate::common::{Lif, Normalised, random};
use crate::gpu;

neuron! {
    /// Two inputs, three states, all of which need a gradient: more than an operation of candle has arguments.
    pub struct Gated {
        input x, gate;
        state a = 0.0;
        state b = 0.5;
        charge = 0.9 * v + x * gate - 0.1 * a;
        threshold = v_threshold + 0.2 * b;
        update a = 0.8 * a + spike;
        update b = 0.7 * b + 0.1 * h;
        reset hard | soft;
    }
}

/// The numbers of a tensor as bits. Candle adds gradients to zeros, which makes 0 of -0; on a CPU it may do so with
/// instructions that know no subnormal bfloat16.
fn bits(tensor: &Tensor) -> Vec<u64> {
    let tiny = if tensor.dtype() == DType::BF16 { f64::from(f32::MIN_POSITIVE) } else { 0.0 };
    let tensor = tensor.to_device(&Device::Cpu).unwrap().to_dtype(DType::F64).unwrap();
    let values: Vec<f64> = tensor.flatten_all().unwrap().to_vec1().unwrap();
    values.into_iter().map(|value| if value.abs() < tiny { 0 } else { (value + 0.0).to_bits() }).collect()
}

/// Results and gradients of a call: output, next states, and gradients of everything that it depends on.
fn results<N: DeclaredNeuron>(
    neuron: &N,
    is_sequence: bool,
    arguments: &[Vec<Tensor>; 3],
    dtype: DType,
    device: &Device,
) -> Vec<Tensor> {
    let real = state_dtype(dtype).unwrap();
    let variables = |tensors: &[Tensor], dtype| -> Vec<Var> {
        let moved = |x: &Tensor| x.to_dtype(dtype).unwrap().to_device(device).unwrap();
        tensors.iter().map(|tensor| Var::from_tensor(&moved(tensor)).unwrap()).collect()
    };
    let (inputs, states) = (variables(&arguments[0], dtype), variables(&arguments[1], real));
    let parameters = variables(&arguments[2], real);
    let tensors = |variables: &[Var]| -> Vec<Tensor> {
        variables.iter().map(|variable| variable.as_tensor().clone()).collect()
    };
    let xs: Vec<&Tensor> = inputs.iter().map(|variable| variable.as_tensor()).collect();
    let run = if is_sequence { multi_step_with } else { step_with };
    let gradient = Gradient::default();
    let (output, next) = run(neuron, gradient, &xs, &tensors(&states), &tensors(&parameters)).unwrap();
    assert!(output.device().same_device(device) && output.dtype() == dtype);

    // Weights that every format holds.
    let weighed = |x: &Tensor, seed: u64| {
        let weights = ((random(x.dims(), -8.0..8.0, seed).round()).unwrap() / 8.0).unwrap();
        let weights = weights.to_dtype(x.dtype()).unwrap().to_device(device).unwrap();
        (x * weights).unwrap().to_dtype(DType::F64).unwrap().sum_all().unwrap()
    };
    let mut loss = weighed(&output, 7);
    for (index, next) in next.iter().enumerate() {
        loss = (loss + weighed(next, 8 + index as u64)).unwrap();
    }
    let grads = loss.backward().unwrap();
    let variables = inputs.iter().chain(&states).chain(&parameters);
    let grads = variables.filter_map(|variable| grads.get(variable).cloned());
    std::iter::once(output).chain(next).chain(grads).collect()
}

fn check<N: DeclaredNeuron>(neuron: &N, dims: &[usize], shapes: &[&[usize]]) {
    let spec = N::SPEC;
    for (is_sequence, steps) in [(false, 1), (true, 1), (true, 7), (true, 21)] {
        let shape = if is_sequence { [&[steps], dims].concat() } else { dims.to_vec() };
        let inputs = (0..spec.inputs.len()).map(|i| random(&shape, -0.5..2.5, i as u64));
        let states = (0..spec.states.len()).map(|i| random(dims, -0.5..0.5, 10 + i as u64));
        let near = |value: f64, shape: &[usize], seed| random(shape, value - 0.2..value + 0.2, seed);
        let parameters = spec.arrays().zip(shapes).enumerate();
        let parameters = parameters.map(|(i, (param, shape))| near(param.default, shape, 20 + i as u64));
        let arguments = [inputs.collect(), states.collect(), parameters.collect()];
        for dtype in [DType::F32, DType::F64, DType::F16, DType::BF16] {
            let run = |device: &Device| results(neuron, is_sequence, &arguments, dtype, device);
            let (on_cpu, on_gpu) = (run(&Device::Cpu), run(&gpu()));
            assert_eq!(on_cpu.len(), on_gpu.len());
            for (index, (expected, actual)) in on_cpu.iter().zip(&on_gpu).enumerate() {
                let what = format!("{} {dtype:?} T = {steps}, result {index}", spec.name);
                assert_eq!((expected.dims(), expected.dtype()), (actual.dims(), actual.dtype()), "{what}");
                assert_eq!(bits(expected), bits(actual), "{what}");
            }
        }
    }
}

#[test]
fn neurons_with_one_state() {
    for reset in [Reset::Hard, Reset::Soft] {
        check(&Lif { reset, ..Lif::default() }, &[5, 31], &[]);
    }
}

#[test]
fn neurons_with_several_inputs_and_states() {
    check(&Gated::default(), &[3, 4, 8], &[]);
}

#[test]
fn neurons_with_parameters() {
    check(&Normalised::default(), &[4, 3, 7], &[&[3, 1], &[], &[3, 7], &[4, 3, 7], &[7]]);
    // So many values of a parameter that the sums over neurons are of several blocks.
    check(&Normalised::default(), &[2, 4096], &[&[], &[4096], &[4096], &[], &[2, 4096]]);
}

/// Contiguous parts of a tensor, and a transposed one.
#[test]
fn parts_of_tensors() {
    let whole = random(&[9, 6, 10], -0.5..2.5, 1).to_dtype(DType::F32).unwrap();
    let layer = MultiStep::new(Lif::default(), Gradient::default()).unwrap();
    let run = |device: &Device| {
        let whole = Var::from_tensor(&whole.to_device(device).unwrap()).unwrap();
        let part = whole.narrow(0, 3, 5).unwrap();
        let outputs = [&part, &part.transpose(1, 2).unwrap(), &part.narrow(2, 1, 7).unwrap()]
            .map(|x_seq| layer.forward(x_seq).unwrap());
        let sums = outputs.each_ref().map(|output| output.sum_all().unwrap());
        let grads = Tensor::stack(&sums, 0).unwrap().sum_all().unwrap().backward().unwrap();
        outputs.into_iter().chain([grads.get(&whole).unwrap().clone()]).collect::<Vec<_>>()
    };
    for (expected, actual) in run(&Device::Cpu).iter().zip(run(&gpu())) {
        assert_eq!(bits(expected), bits(&actual));
    }
}

/// Tensors on the CPU, and neurons on the GPU.
#[test]
fn neurons_on_a_gpu_with_tensors_on_the_cpu() {
    let x_seq = Var::from_tensor(&random(&[12, 50], -0.5..2.5, 1).to_dtype(DType::F32).unwrap()).unwrap();
    let layer = MultiStep::new(Lif::default(), Gradient::default()).unwrap();
    let results = |layer: MultiStep<Lif>| {
        let output = layer.forward(&x_seq).unwrap();
        let grads = output.sum_all().unwrap().backward().unwrap();
        [output, grads.get(&x_seq).unwrap().clone()]
    };
    let on_gpu = layer.clone().on(neuron_runtime::Device::cuda(0).unwrap());
    assert_eq!(results(on_gpu).map(|result| bits(&result)), results(layer).map(|result| bits(&result)));
}

/// Single steps with a state, in training, over more steps than calls between anchors; in evaluation they are part of no graph.
#[test]
fn nodes() {
    let xs: Vec<Tensor> =
        (0..200).map(|t| random(&[6, 5], -0.5..2.5, t).to_dtype(DType::F32).unwrap()).collect();
    let run = |device: &Device, evaluates: bool| {
        let scale = Var::from_tensor(&Tensor::ones(5, DType::F32, device).unwrap()).unwrap();
        let node = Node::new(Normalised::default(), Gradient::default()).unwrap();
        let mut node = node.with_parameter("scale", scale.as_tensor().clone()).unwrap();
        if evaluates {
            node.eval();
        }
        let step = |x: &Tensor| node.step(&x.to_device(device).unwrap()).unwrap();
        let output = Tensor::stack(&xs.iter().map(step).collect::<Vec<_>>(), 0).unwrap();
        let state = node.states().unwrap()[0].clone();
        assert_eq!(output.track_op() || state.track_op(), !evaluates);
        if evaluates {
            return vec![output, state];
        }
        let grads = (output.sum_all().unwrap() + state.sum_all().unwrap()).unwrap().backward().unwrap();
        vec![output, state, grads.get(&scale).unwrap().clone()]
    };
    let (expected, actual) = (run(&Device::Cpu, false), run(&gpu(), false));
    for (expected, actual) in expected.iter().zip(&actual) {
        assert_eq!(bits(expected), bits(actual));
    }
    for (training, evaluating) in actual.iter().zip(run(&gpu(), true)) {
        assert_eq!(bits(training), bits(&evaluating));
    }
}
