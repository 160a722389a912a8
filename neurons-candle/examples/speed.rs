//! How long the forward and the backward pass of a layer take, and the memory traffic that this would be if they moved no more than
//! what `docs/candle.md` counts; and with batch normalisation before it, fused and not.
//!
//! ```sh
//! cargo run --release -p spiking-neurons-candle --example speed -- --t 16 --n 1048576
//! cargo run --release -p spiking-neurons-candle --example speed --features cuda -- --device cuda --n 16777216
//! ```

#[path = "common/mod.rs"]
mod common;

use std::time::Instant;

use anyhow::{Context, Result};
use candle_core::{DType, Tensor, Var};
use candle_nn::{BatchNormConfig, VarBuilder, VarMap, batch_norm};
use clap::Parser;
use neurons::Lif;
use neurons_candle::{BatchNorm, Gradient, MultiStep, state_dtype};

use common::device::{self, Devices};

neurons::redeclare! {
    /// LIF with a normalised input.
    struct NormLif: Lif {
        array mean = 0.0;
        learnable scale = 1.0;
        learnable shift = 0.0;
        input x = (x - mean) * scale + shift;
    }
}

/// Measure a layer of LIF neurons.
#[derive(Parser)]
struct Args {
    /// Where to compute; on a GPU only the neurons, if candle was built without CUDA
    #[arg(long, default_value = "cpu", value_parser = device::NAMES)]
    device: String,
    /// Steps
    #[arg(long, default_value_t = 16)]
    t: usize,
    /// Neurons
    #[arg(long, default_value_t = 1 << 20)]
    n: usize,
    /// Channels of the normalisation, of which the number of neurons is a multiple
    #[arg(long, default_value_t = 64)]
    channels: usize,
    /// Formats of the data
    #[arg(long, value_delimiter = ',', default_values_t = ["f32".to_owned(), "f16".to_owned(), "bf16".to_owned()])]
    format: Vec<String>,
    /// Repetitions, of which the fastest counts
    #[arg(long, default_value_t = 20)]
    repeat: usize,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let devices = Devices::new(&args.device)?;
    let layer = MultiStep::new(Lif::default(), Gradient::default())?.on(devices.neurons.clone());
    println!("T = {}, N = {}, {}", args.t, args.n, args.device);
    for format in &args.format {
        let dtype: DType = format.parse()?;
        let shape = (args.t, 1, args.channels, args.n / args.channels);
        let x_seq = Tensor::rand(0f32, 2.0, shape, &devices.tensors)?;
        let x_seq = Var::from_tensor(&x_seq.to_dtype(dtype)?)?;
        let constant = x_seq.as_detached_tensor();
        let forward = fastest(args.repeat, &devices, || layer.forward(&constant).map(drop))?;
        let both = fastest(args.repeat, &devices, || {
            let grads = layer.forward(&x_seq)?.backward()?;
            anyhow::ensure!(grads.get(&x_seq).is_some(), "no gradient");
            Ok(())
        })?;
        // What candle does with the gradient of every argument.
        let sum = fastest(args.repeat, &devices, || constant.zeros_like()?.add(&constant).map(drop))?;
        let bytes = |moves: usize| (moves * dtype.size_in_bytes() * args.t * args.n) as f64;
        // The input and spikes; then ones, the gradient that candle begins with; the input, the gradients of spikes and input;
        // zeros, and their sum with the latter.
        report(format, "forward", forward, bytes(2));
        report(format, "forward and backward", both, bytes(2 + 1 + 3 + 4));
        report(format, "of which a sum with zeros", sum, bytes(4));

        let [fused, plain] = normalised(&args, &devices, &layer, &x_seq)?;
        // Also: the input, for its statistics; the input and the neurons' gradient of it, which is changed.
        report(format, "with a normalisation", fused, bytes(10 + 1 + 3));
        println!("{format:<5} {:<25} {:>9.3} ms", "by candle before it", plain * 1e3);
    }
    Ok(())
}

/// Forward and backward with batch normalisation before the neurons: fused, and as candle's own layer.
fn normalised(args: &Args, devices: &Devices, layer: &MultiStep<Lif>, x_seq: &Tensor) -> Result<[f64; 2]> {
    let (variables, config) = (VarMap::new(), BatchNormConfig::default());
    let dtype = |dtype| VarBuilder::from_varmap(&variables, dtype, &devices.tensors);
    let state_dtype = state_dtype(x_seq.dtype()).context("a format of neurons")?;
    let fused = MultiStep::new(NormLif::default(), Gradient::default())?.on(devices.neurons.clone());
    let fused = BatchNorm::new(fused, args.channels, config, dtype(state_dtype).pp("fused"))?;
    let fused = fastest(args.repeat, devices, || fused.forward_t(x_seq, true)?.backward().map(drop))?;
    // Candle does not mix formats.
    let norm = batch_norm(args.channels, config, dtype(DType::F32).pp("plain"))?;
    let plain = fastest(args.repeat, devices, || {
        let flat = norm.forward_train(&x_seq.flatten(0, 1)?.to_dtype(DType::F32)?)?;
        layer.forward(&flat.to_dtype(x_seq.dtype())?.reshape(x_seq.dims())?)?.backward().map(drop)
    })?;
    Ok([fused, plain])
}

fn report(format: &str, what: &str, seconds: f64, bytes: f64) {
    println!("{format:<5} {what:<25} {:>9.3} ms {:>7.0} GB/s", seconds * 1e3, bytes / seconds / 1e9);
}

/// The shortest time of some runs, in seconds, after two others.
fn fastest<E: Into<anyhow::Error>>(
    runs: usize,
    devices: &Devices,
    run: impl Fn() -> std::result::Result<(), E>,
) -> Result<f64> {
    let mut fastest = f64::INFINITY;
    for number in 0..runs + 2 {
        let start = Instant::now();
        run().map_err(Into::into)?;
        devices.tensors.synchronize()?;
        if number >= 2 {
            fastest = fastest.min(start.elapsed().as_secs_f64());
        }
    }
    Ok(fastest)
}
