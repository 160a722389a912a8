//! Statistics of every shape, read from the running ones of a normalisation whose momentum is 1.

use candle_core::{DType, Device, Tensor};
use candle_nn::{BatchNormConfig, VarBuilder, VarMap};

use crate::common::random;
use crate::{Graded, check, fused, get};

/// Mean and unbiased variance of `[T, B, C, ...]`, by two passes in float64.
fn expected(x_seq: &Tensor) -> [Tensor; 2] {
    let rows = x_seq.to_dtype(DType::F64).unwrap().transpose(0, 2).unwrap().flatten_from(1).unwrap();
    let mean = rows.mean_keepdim(1).unwrap();
    let squares = rows.broadcast_sub(&mean).unwrap().sqr().unwrap().sum(1).unwrap();
    let count = (rows.dim(1).unwrap() - 1) as f64;
    [mean.flatten_all().unwrap(), (squares / count).unwrap()]
}

fn measured(x_seq: &Tensor) -> [Tensor; 2] {
    let (variables, channels) = (VarMap::new(), x_seq.dim(2).unwrap());
    let config = BatchNormConfig { momentum: 1.0, affine: false, ..BatchNormConfig::default() };
    let layer = fused(Graded::default(), &variables, channels, DType::F64, config);
    layer.forward_t(x_seq, true).unwrap();
    ["running_mean", "running_var"].map(|name| get(&variables, name).as_tensor().clone())
}

/// Narrow rows, which are taken several at a time; wide ones, in several tiles; many, in several spans; one.
#[test]
fn of_every_shape() {
    let shapes: [&[usize]; 9] = [
        &[2, 1, 1],
        &[3, 1, 5, 1],
        &[1, 1, 3, 9, 7],
        &[1, 37, 3],
        &[7, 13, 20, 3],
        &[2, 3, 1300],
        &[3, 5, 9, 11, 13],
        &[40, 100, 17],
        &[2, 200, 600],
    ];
    for (seed, dims) in (0..).zip(shapes) {
        for (dtype, tolerance) in [(DType::F64, 1e-13), (DType::F32, 1e-6), (DType::F16, 1e-6)] {
            let x_seq = random(dims, 2.0..5.0, seed).to_dtype(dtype).unwrap();
            for (actual, expected) in measured(&x_seq).iter().zip(&expected(&x_seq)) {
                check(&format!("{dims:?} {dtype:?}"), actual, expected, tolerance);
            }
        }
    }
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let x_seq = random(&[2, 100, 70, 9], 2.0..5.0, 1).to_dtype(DType::F32).unwrap();
    let bits = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let all = pool.install(|| measured(&x_seq));
        all.map(|tensor| tensor.to_vec1::<f64>().unwrap().into_iter().map(f64::to_bits).collect::<Vec<_>>())
    };
    assert_eq!(bits(1), bits(5));
}

/// Running statistics as averages over batches of one size.
#[test]
fn cumulative_averages() {
    let variables = VarMap::new();
    let layer = fused(Graded::default(), &variables, 4, DType::F64, BatchNormConfig::default()).cumulative();
    let batches: Vec<Tensor> =
        (0..3).map(|seed| random(&[2, 5, 4, 3], 0.0..1.0 + seed as f64, seed)).collect();
    for batch in &batches {
        layer.forward_t(batch, true).unwrap();
        // Not a batch of training.
        layer.forward_t(&batches[0], false).unwrap();
    }
    let all: Vec<[Tensor; 2]> = batches.iter().map(expected).collect();
    for (index, name) in ["running_mean", "running_var"].into_iter().enumerate() {
        let batches: Vec<&Tensor> = all.iter().map(|both| &both[index]).collect();
        let average = Tensor::stack(&batches, 0).unwrap().mean(0).unwrap();
        check(name, &get(&variables, name), &average, 1e-12);
    }
}

/// A checkpoint of candle's normalisation, which is not made of variables.
#[test]
fn tensors_that_are_no_variables() {
    let tensors = ["weight", "bias", "running_mean", "running_var"]
        .map(|name| (name.to_owned(), random(&[4], 0.5..1.5, name.len() as u64)));
    let vb = VarBuilder::from_tensors(tensors.into(), DType::F64, &Device::Cpu);
    let layer = neurons_candle::MultiStep::new(Graded::default(), Default::default()).unwrap();
    let layer = neurons_candle::BatchNorm::new(layer, 4, BatchNormConfig::default(), vb).unwrap();
    let before = layer.norm().running_mean().to_vec1::<f64>().unwrap();
    layer.forward_t(&random(&[2, 5, 4], 0.0..1.0, 1), true).unwrap();
    assert_ne!(layer.norm().running_mean().to_vec1::<f64>().unwrap(), before);
}
