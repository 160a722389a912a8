//! Trains the network of the example `digits` on several GPUs of one machine: a replica on each, in a thread of its own, with a
//! part of every batch; NCCL averages the gradients.
//!
//! ```sh
//! cargo run --release -p spiking-neurons-candle --example parallel --features nccl -- --gpus 2
//! ```
//!
//! Replicas start from the same seed and make the same updates, so that they stay the same, bit by bit, which is checked in the
//! end.

#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code, reason = "the example digits uses the rest")]
#[path = "../digits/network.rs"]
mod network;
mod reduce;

use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use candle_core::{Device, Tensor};
use candle_nn::{AdamW, Optimizer, ParamsAdamW, loss};
use clap::Parser;
use neuron_runtime::cuda::CudaDevice;
use neuron_runtime::neuron;
use rand::SeedableRng;
use rand::rngs::StdRng;

use common::data::{self, Digits};
use common::device::Devices;
use common::training::{fraction_right, learning_rate};
use network::Network;
use reduce::{Id, Mean};

neuron! {
    /// Leaky integrate-and-fire, forward Euler, unit time step.
    pub struct Lif {
        /// Membrane time constant in time steps.
        param tau = 2.0 where tau > 1.0;
        charge = v + (x - (v - v_reset)) / tau;
        reset hard | soft;
    }
}

/// Train a spiking network on handwritten digits, on several GPUs.
#[derive(Parser)]
struct Args {
    /// How many GPUs; all by default
    #[arg(long)]
    gpus: Option<usize>,
    /// Seed of weights, shuffling and shifts
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Passes over the training digits
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// Time steps the network has for one digit
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
    steps: u16,
}

const BATCH: usize = 64;
const LEARNING_RATE: f64 = 1e-2;

/// A replica after training.
struct Trained {
    weights: Vec<u32>,
    accuracy: f32,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let there = CudaDevice::count()?;
    let gpus = args.gpus.unwrap_or(there);
    ensure!((1..=there).contains(&gpus), "expected 1 to {there} GPUs, found --gpus {gpus}");
    ensure!(BATCH.is_multiple_of(gpus), "a batch of {BATCH} digits is not divisible by {gpus}");
    let (train, test) = data::load()?;
    let (id, start) = (Id::new()?, Instant::now());
    let replicas: Vec<Result<Trained>> = thread::scope(|scope| {
        let (train, test, args, id) = (&train, &test, &args, &id);
        let replica = |rank| scope.spawn(move || fit(Mean::new(rank, gpus, id)?, train, test, args));
        let threads: Vec<_> = (0..gpus).map(replica).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("a thread panicked"))?).collect()
    });
    let replicas = replicas.into_iter().collect::<Result<Vec<_>>>()?;
    let first = &replicas[0];
    println!("{gpus} GPUs, {:.1?}, test accuracy {:.3}", start.elapsed(), first.accuracy);
    for (rank, other) in replicas.iter().enumerate() {
        ensure!(
            other.weights == first.weights,
            "the weights of replica {rank} differ from those of replica 0"
        );
    }
    println!("replicas are the same: {} weights", first.weights.len());
    Ok(())
}

/// Trains one replica.
fn fit(mean: Mean, train: &Digits, test: &Digits, args: &Args) -> Result<Trained> {
    // All replicas draw the same numbers.
    let mut rng = StdRng::seed_from_u64(args.seed);
    let devices = Devices::with_tensors_on(mean.device().clone());
    let (network, device) = (Network::new(&mut rng, &devices)?, mean.device());
    let (weights, steps) = (network.weights(), args.steps.into());
    let mut optimizer = AdamW::new(weights.clone(), ParamsAdamW::default())?;
    let updates = (train.len() / BATCH) * args.epochs as usize;
    let (mut update, part) = (0, BATCH / mean.size());
    for _ in 0..args.epochs {
        for batch in train.shuffled(&mut rng).chunks_exact(BATCH) {
            let (images, labels) = train.shifted(batch, &mut rng, &Device::Cpu)?;
            let own = |batch: &Tensor| batch.narrow(0, mean.rank() * part, part)?.to_device(device);
            let loss = loss::cross_entropy(&network.scores(&own(&images)?, steps)?, &own(&labels)?)?;
            let mut grads = loss.backward()?;
            for weight in &weights {
                if let Some(grad) = grads.remove(weight) {
                    grads.insert(weight, mean.of(&grad)?);
                }
            }
            optimizer.set_learning_rate(learning_rate(LEARNING_RATE, update as f64, updates as f64));
            optimizer.step(&grads)?;
            update += 1;
        }
    }
    let (images, labels) = test.all(device)?;
    let accuracy = fraction_right(&network.scores(&images, steps)?, &labels)?;
    let mut bits = Vec::new();
    for weight in &weights {
        bits.extend(weight.flatten_all()?.to_vec1::<f32>()?.into_iter().map(f32::to_bits));
    }
    Ok(Trained { weights: bits, accuracy })
}
