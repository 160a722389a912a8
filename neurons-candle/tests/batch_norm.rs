//! Fused batch normalisation: against candle's own before the same neurons, and against finite differences.

mod common;
#[path = "batch_norm/node.rs"]
mod node;
#[path = "batch_norm/refused.rs"]
mod refused;
#[path = "batch_norm/statistics.rs"]
mod statistics;

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{BatchNormConfig, ModuleT, VarBuilder, VarMap, batch_norm};
use common::{distance, random};
use neuron_runtime::{Neuron, neuron};
use neurons::Lif;
use neurons_candle::{BatchNorm, Gradient, MultiStep};

neurons::redeclare! {
    /// LIF with a normalised input.
    pub struct NormLif: Lif {
        array mean = 0.0;
        learnable scale = 1.0;
        learnable shift = 0.0;
        input x = (x - mean) * scale + shift;
    }
}

neuron! {
    /// No spikes, so that finite differences are exact up to rounding.
    pub struct Graded {
        array mean = 0.0;
        learnable scale = 1.0;
        learnable shift = 0.0;
        learnable leak = 0.5;
        let y = (x - mean) * scale + shift;
        charge = leak * v + y;
        output = h * h;
    }
}

/// Fast, and with a low threshold, for inputs of unit variance.
fn norm_lif() -> NormLif {
    NormLif { tau: 2.0, v_threshold: 0.5, ..NormLif::default() }
}

/// The same without the transformation.
fn lif() -> Lif {
    Lif { tau: 2.0, v_threshold: 0.5, ..Lif::default() }
}

/// Variables of a normalisation whose weight and bias are not 1 and 0.
fn variables(channels: usize, dtype: DType) -> VarMap {
    let variables = VarMap::new();
    let vb = VarBuilder::from_varmap(&variables, dtype, &Device::Cpu);
    batch_norm(channels, BatchNormConfig::default(), vb).unwrap();
    for (name, range, seed) in [("weight", 0.5..1.5, 91), ("bias", -0.2..0.5, 92)] {
        let values = random(&[channels], range, seed).to_dtype(dtype).unwrap();
        variables.data().lock().unwrap()[name].set(&values).unwrap();
    }
    variables
}

fn get(variables: &VarMap, name: &str) -> Var {
    variables.data().lock().unwrap()[name].clone()
}

fn fused<N: Neuron + Clone>(
    neuron: N,
    variables: &VarMap,
    channels: usize,
    dtype: DType,
    config: BatchNormConfig,
) -> BatchNorm<N> {
    let vb = VarBuilder::from_varmap(variables, dtype, &Device::Cpu);
    let layer = MultiStep::new(neuron, Gradient::default()).unwrap();
    BatchNorm::new(layer, channels, config, vb).unwrap()
}

/// A loss in which every value counts, with its own weight.
fn loss(output: &Tensor) -> Tensor {
    let weights = random(output.dims(), -1.0..1.0, 11).to_dtype(output.dtype()).unwrap();
    (output * weights).unwrap().to_dtype(DType::F64).unwrap().sum_all().unwrap()
}

/// `[T, B, C, ...]` as candle's normalisation takes it.
fn normalised(norm: &candle_nn::BatchNorm, x_seq: &Tensor, train: bool) -> Tensor {
    let flat = x_seq.flatten(0, 1).unwrap();
    norm.forward_t(&flat, train).unwrap().reshape(x_seq.dims()).unwrap()
}

/// Results are equal up to this, relative to the largest.
fn check(name: &str, actual: &Tensor, expected: &Tensor, tolerance: f64) {
    let largest: f64 =
        expected.to_dtype(DType::F64).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap();
    let distance = distance(actual, expected);
    assert!(distance <= tolerance * largest.max(1.0), "{name}: {distance}, of {largest}");
}

/// Output, gradients and running statistics of a few batches, in training or not, fused and not.
fn compare(dims: &[usize], dtype: DType, affine: bool, trains: bool, tolerance: f64) {
    let (channels, config) = (dims[2], BatchNormConfig { affine, ..BatchNormConfig::default() });
    let both = [variables(channels, dtype), variables(channels, dtype)];
    let layer = fused(norm_lif(), &both[0], channels, dtype, config);
    let norm = batch_norm(channels, config, VarBuilder::from_varmap(&both[1], dtype, &Device::Cpu)).unwrap();
    let plain = MultiStep::new(lif(), Gradient::default()).unwrap();
    for batch in 0..3 {
        let x_seq = Var::from_tensor(&random(dims, -1.0..2.0, batch).to_dtype(dtype).unwrap()).unwrap();
        // The last batch is that of interest; the ones before give it running statistics.
        let train = trains || batch < 2;
        let output = layer.forward_t(&x_seq, train).unwrap();
        let expected = plain.forward(&normalised(&norm, &x_seq, train)).unwrap();
        let case = format!("{dims:?} {dtype:?} affine {affine}, batch {batch} in training {train}");
        let spikes = expected.to_dtype(DType::F64).unwrap().mean_all().unwrap().to_scalar::<f64>().unwrap();
        assert!(spikes > 0.02 && spikes < 0.9, "a case that says little: {spikes} ({case})");
        assert_eq!(distance(&output, &expected), 0.0, "{case}");
        let (grads, expected) = (loss(&output).backward().unwrap(), loss(&expected).backward().unwrap());
        check(&case, grads.get(&x_seq).unwrap(), expected.get(&x_seq).unwrap(), tolerance);
        for name in ["weight", "bias"].into_iter().filter(|_| affine) {
            let [actual, expected] = [(&grads, &both[0]), (&expected, &both[1])]
                .map(|(grads, variables)| grads.get(&get(variables, name)).unwrap().clone());
            check(&format!("{name}, {case}"), &actual, &expected, tolerance);
        }
        for name in ["running_mean", "running_var"] {
            let [actual, expected] = both.each_ref().map(|variables| get(variables, name));
            check(&format!("{name}, {case}"), &actual, &expected, tolerance);
        }
    }
}

#[test]
fn it_is_the_normalisation_before_the_neurons() {
    // The last two are large enough for several threads.
    let shapes: [&[usize]; 6] =
        [&[5, 3, 4, 6, 5], &[12, 3, 7], &[1, 2, 70, 3], &[2, 40, 3, 1, 2], &[4, 16, 8, 9, 9], &[40, 120, 7]];
    for dims in shapes {
        for (dtype, tolerance) in [(DType::F64, 1e-9), (DType::F32, 1e-5)] {
            for affine in [true, false] {
                for trains in [true, false] {
                    compare(dims, dtype, affine, trains, tolerance);
                }
            }
        }
    }
}

/// The same values with channels in the last dimension, strided and not.
#[test]
fn channels_are_last_or_not() {
    let x_seq = Var::from_tensor(&random(&[6, 4, 5, 3, 2], -1.0..2.0, 3)).unwrap();
    let run = |is_last: bool, contiguous: bool| {
        let variables = variables(5, DType::F64);
        let layer = fused(norm_lif(), &variables, 5, DType::F64, BatchNormConfig::default());
        let output = if is_last {
            let x_seq = x_seq.permute((0, 1, 3, 4, 2)).unwrap();
            let x_seq = if contiguous { x_seq.contiguous().unwrap() } else { x_seq };
            layer.channels_last().forward_t(&x_seq, true).unwrap().permute((0, 1, 4, 2, 3)).unwrap()
        } else {
            layer.forward_t(&x_seq, true).unwrap()
        };
        let grads = loss(&output.contiguous().unwrap()).backward().unwrap();
        let grad = |variable: &Var| grads.get(variable).unwrap().clone();
        let [weight, bias] = ["weight", "bias"].map(|name| grad(&get(&variables, name)));
        [output, grad(&x_seq), weight, bias, get(&variables, "running_var").as_tensor().clone()]
    };
    let expected = run(false, true);
    for contiguous in [true, false] {
        for (actual, expected) in run(true, contiguous).iter().zip(&expected) {
            check("channels last", actual, expected, 1e-12);
        }
    }
}

/// Data in half precision, against the same numbers in float64; variables are in float32.
#[test]
fn half_precision_follows() {
    for (dtype, tolerance) in [(DType::F16, 2e-3), (DType::BF16, 2e-2)] {
        let data = random(&[6, 8, 5, 4], -1.0..2.0, 4).to_dtype(dtype).unwrap();
        let run = |data: &Tensor, dtype: DType| {
            let variables = variables(5, dtype);
            let x_seq = Var::from_tensor(data).unwrap();
            let output = fused(Graded::default(), &variables, 5, dtype, BatchNormConfig::default());
            let output = output.forward_t(&x_seq, true).unwrap();
            assert_eq!(output.dtype(), data.dtype());
            let grads = loss(&output.to_dtype(DType::F64).unwrap()).backward().unwrap();
            let [weight, bias] =
                ["weight", "bias"].map(|name| grads.get(&get(&variables, name)).unwrap().clone());
            let running =
                ["running_mean", "running_var"].map(|name| get(&variables, name).as_tensor().clone());
            let [mean, var] = running;
            [output, grads.get(&x_seq).unwrap().clone(), weight, bias, mean, var]
        };
        let (actual, exact) = (run(&data, DType::F32), run(&data.to_dtype(DType::F64).unwrap(), DType::F64));
        for (index, (actual, exact)) in actual.iter().zip(&exact).enumerate() {
            check(
                &format!("{dtype:?}, result {index}"),
                actual,
                exact,
                if index < 4 { tolerance } else { 1e-6 },
            );
        }
    }
}

/// Of the input, weight, bias and a parameter of the neuron itself.
#[test]
fn gradients_are_finite_differences() {
    let variables = variables(3, DType::F64);
    let x_seq = Var::from_tensor(&random(&[4, 2, 3, 2], -1.0..2.0, 5)).unwrap();
    let leak = Var::from_tensor(&random(&[3, 1], 0.2..0.8, 6)).unwrap();
    let layer = MultiStep::new(Graded::default(), Gradient::default()).unwrap();
    let layer = layer.with_parameter("leak", leak.as_tensor().clone()).unwrap();
    let vb = VarBuilder::from_varmap(&variables, DType::F64, &Device::Cpu);
    let layer = BatchNorm::new(layer, 3, BatchNormConfig::from(0.01), vb).unwrap();
    for train in [true, false] {
        let value = || loss(&layer.forward_t(&x_seq, train).unwrap());
        let grads = value().backward().unwrap();
        for variable in [&x_seq, &leak, &get(&variables, "weight"), &get(&variables, "bias")] {
            let grad: Vec<f64> = grads.get(variable).unwrap().flatten_all().unwrap().to_vec1().unwrap();
            let original: Vec<f64> = variable.flatten_all().unwrap().to_vec1().unwrap();
            for (index, grad) in grad.into_iter().enumerate() {
                let moved = |by: f64| {
                    let mut values = original.clone();
                    values[index] += by;
                    let values = Tensor::from_vec(values, variable.shape(), &Device::Cpu).unwrap();
                    variable.set(&values).unwrap();
                    value().to_scalar::<f64>().unwrap()
                };
                let numeric = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                moved(0.0);
                assert!((grad - numeric).abs() < 1e-7, "{:?}, {index}: {grad} {numeric}", variable.dims());
            }
        }
    }
}

/// A mean a thousand deviations from 0: statistics and gradients keep the digits that the input has.
#[test]
fn a_large_mean_costs_no_accuracy() {
    let data = (random(&[6, 10, 3, 8], -1.0..1.0, 7) + 1000.0).unwrap().to_dtype(DType::F32).unwrap();
    let run = |dtype: DType| {
        let x_seq = Var::from_tensor(&data.to_dtype(dtype).unwrap()).unwrap();
        let variables = variables(3, dtype);
        let output = fused(Graded::default(), &variables, 3, dtype, BatchNormConfig::default());
        let output = output.forward_t(&x_seq, true).unwrap();
        let grads = loss(&output).backward().unwrap();
        let grad = |variable: &Var| grads.get(variable).unwrap().clone();
        let [weight, bias] = ["weight", "bias"].map(|name| grad(&get(&variables, name)));
        [output, grad(&x_seq), weight, bias]
    };
    for (actual, exact) in run(DType::F32).iter().zip(&run(DType::F64)) {
        check("large mean", actual, exact, 1e-3);
    }
}
