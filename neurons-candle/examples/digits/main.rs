//! Trains a spiking network on handwritten digits, through a neuron declared right here, and draws what
//! it does with one of them.
//!
//!     cargo run --release -p spiking-neurons-candle --example digits
//!     cargo run --release -p spiking-neurons-candle --example digits --features cuda -- --device cuda
//!
//! The image is a constant input current for the first layer; after a few time steps the class with the
//! highest mean score is the answer. Gradients come from back-propagation through time, with the derivative
//! of the spike replaced by a surrogate; `neuron!` has derived everything that needs.

mod check;
#[path = "../common/mod.rs"]
mod common;
mod network;
mod raster;
mod recording;

use std::path::PathBuf;

use anyhow::Result;
use candle_nn::{AdamW, Optimizer, ParamsAdamW, loss};
use clap::Parser;
use neuron_runtime::neuron;
use rand::SeedableRng;
use rand::rngs::StdRng;

use common::data::{self, Digits};
use common::device::{self, Devices};
use common::training::{calm_candle, fraction_right, learning_rate, progress_bar};
use network::Network;

neuron! {
    /// Leaky integrate-and-fire, forward Euler, unit time step.
    pub struct Lif {
        /// Membrane time constant in time steps.
        param tau = 2.0 where tau > 1.0;
        /// Whether the input decays with the membrane.
        flag decay_input = true;

        charge = v + if decay_input { (x - (v - v_reset)) / tau } else { x - (v - v_reset) / tau };
        reset hard | soft;
    }
}

/// Train a spiking network on 8x8 handwritten digits.
#[derive(Parser)]
struct Args {
    /// Seed of weights, shuffling and shifts; the same seed gives the same network
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Passes over the training digits
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// Time steps the network has for one digit
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
    steps: u16,
    /// Which of the held-out digits to draw
    #[arg(long, default_value_t = 0)]
    digit: usize,
    /// Where to compute; on a GPU only the neurons, if candle was built without CUDA
    #[arg(long, default_value = "cpu", value_parser = device::NAMES)]
    device: String,
    /// Where the picture goes
    #[arg(long, default_value = "raster.svg")]
    out: PathBuf,
}

const BATCH: usize = 64;
const LEARNING_RATE: f64 = 1e-2;

fn main() -> Result<()> {
    // SAFETY: first of all, before there is any other thread.
    unsafe { calm_candle() };
    let args = Args::parse();
    let (train, test) = data::load()?;
    let digit = test.get(args.digit)?;
    let mut rng = StdRng::seed_from_u64(args.seed);
    let network = Network::new(&mut rng, &Devices::new(&args.device)?)?;
    let steps = args.steps.into();
    if !network.device().is_cpu() {
        println!("first pass: {} spikes, as on the CPU", check::same_spikes(&network, &test, steps)?);
    }

    fit(&network, &train, steps, args.epochs, &mut rng)?;

    raster::draw(&network, digit, steps, &args.out)?;
    println!("picture: {}", args.out.display());
    println!("test accuracy: {:.3}", accuracy(&network, &test, steps)?);
    Ok(())
}

/// Minimises the cross-entropy of the scores, on digits shifted by up to one pixel.
fn fit(network: &Network, train: &Digits, steps: usize, epochs: u32, rng: &mut StdRng) -> Result<()> {
    let mut optimizer = AdamW::new(network.weights(), ParamsAdamW::default())?;
    let updates = (train.len() / BATCH) * epochs as usize;
    let bar = progress_bar(updates);

    // Running means over about an epoch, for the eyes only.
    let (mut shown_loss, mut shown_accuracy) = (f32::ln(10.0), 0.1);
    for epoch in 1..=epochs {
        for batch in train.shuffled(rng).chunks_exact(BATCH) {
            let (images, labels) = train.shifted(batch, rng, network.device())?;
            let scores = network.scores(&images, steps)?;
            let loss = loss::cross_entropy(&scores, &labels)?;

            optimizer.set_learning_rate(learning_rate(LEARNING_RATE, bar.position() as f64, updates as f64));
            optimizer.backward_step(&loss)?;

            shown_loss += 0.05 * (loss.to_scalar::<f32>()? - shown_loss);
            shown_accuracy += 0.05 * (fraction_right(&scores, &labels)? - shown_accuracy);
            bar.inc(1);
            bar.set_message(format!("epoch {epoch:>2}  loss {shown_loss:.3}  accuracy {shown_accuracy:.3}"));
        }
    }
    bar.finish();
    println!("training: loss {shown_loss:.3}, accuracy {shown_accuracy:.3}, {:.0?}", bar.elapsed());
    Ok(())
}

fn accuracy(network: &Network, digits: &Digits, steps: usize) -> Result<f32> {
    let (images, labels) = digits.all(network.device())?;
    fraction_right(&network.scores(&images, steps)?, &labels)
}
