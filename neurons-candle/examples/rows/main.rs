//! Three recurrent spiking networks read handwritten digits row by row, remember them through a delay, and answer when
//! asked. They differ in their neurons only:
//!
//! - LIF: leaky integrate-and-fire;
//! - PLIF: the same with a learned time constant for each neuron (Fang et al., 2021);
//! - ALIF: with a threshold that every spike raises and that recovers slowly (Bellec et al., 2018), time constants and
//!   strength learned for each neuron.
//!
//!     cargo run --release -p neurons-candle --example rows
//!
//! It prints their test accuracies and draws how they learned, over several seeds. A draft: the settings are not tuned, so
//! which neuron is better cannot be read off them yet.

#[path = "../common/mod.rs"]
mod common;
mod network;
mod picture;
mod train;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, available_parallelism};

use anyhow::{Result, anyhow};
use clap::{Parser, ValueEnum};
use indicatif::ProgressBar;
use neuron_runtime::{Reset, neuron};
use neurons::{Lif, Plif};

use common::data::{self, Digits};
use common::training::{calm_candle, progress_bar};
use network::{Settings, Task};
use picture::Curves;
use train::{Run, train, updates};

neuron! {
    /// Adaptive leaky integrate-and-fire (Bellec et al., 2018), of which every neuron learns its time constants and how
    /// strongly it adapts.
    pub struct Alif {
        /// The membrane's time constant in steps is `1 + exp(-w)`.
        learnable w = 0.0;
        /// That of the threshold is `1 + exp(-w_a)`.
        learnable w_a = -ln(239.0);
        /// How much the threshold would rise if the neuron fired all the time.
        learnable beta = 80.0;
        /// Trace of the spikes, 0 to 1.
        state a = 0.0;

        charge = v + (x - (v - v_reset)) * sigmoid(w);
        threshold = v_threshold + beta * a;
        update a = a + (spike - a) * sigmoid(w_a);
        reset hard | soft;
    }
}

/// Train recurrent networks of different spiking neurons to remember digits.
#[derive(Parser)]
struct Args {
    /// The neurons of the network, or all, one after the other
    #[arg(long, value_enum, default_value_t = Choice::All)]
    neuron: Choice,
    /// The first seed of weights and order; the same seed gives the same network
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds, from the first on
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Passes over the training digits
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// Steps between the last row and the question
    #[arg(long, default_value_t = 60)]
    delay: usize,
    /// Train without the last fifth of the training digits and test with it, as it was done to choose the settings
    #[arg(long)]
    validate: bool,
    /// Where the picture goes
    #[arg(long, default_value = "rows.svg")]
    out: PathBuf,
}

/// What is inside the network.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Choice {
    Alif,
    Plif,
    Lif,
    All,
}

impl Choice {
    /// The networks to train, best remembered first.
    fn networks(self) -> Vec<Self> {
        let all = [Self::Alif, Self::Plif, Self::Lif];
        all.into_iter().filter(|one| self == Self::All || self == *one).collect()
    }

    fn name(self) -> &'static str {
        match self {
            Self::Alif => "ALIF",
            Self::Plif => "PLIF",
            Self::Lif => "LIF",
            Self::All => "all",
        }
    }
}

fn main() -> Result<()> {
    calm_candle();
    let args = Args::parse();
    let mut digits = data::load()?;
    if args.validate {
        digits = digits.0.split();
    }
    let task = Task { delay: args.delay };
    let seeds = args.seed..args.seed.saturating_add(args.seeds);
    let networks = args.neuron.networks();
    let jobs: Vec<(Choice, u64)> =
        networks.iter().flat_map(|&network| seeds.clone().map(move |seed| (network, seed))).collect();

    let bar = progress_bar(updates(&digits.0, args.epochs) * jobs.len());
    let mut runs = on_all_cores(&jobs, |&(network, seed)| {
        bar.set_message(format!("{} seed {seed}", network.name()));
        run(network, task, &digits, args.epochs, seed, &bar)
    })?;
    bar.finish();

    let mut results = Vec::new();
    for network in networks {
        let others = runs.split_off(args.seeds as usize);
        results.push(Curves { name: network.name(), runs });
        runs = others;
    }
    println!("after {} epochs, {} seeds, {:.0?}:", args.epochs, args.seeds, bar.elapsed());
    for curves in &results {
        let (lowest, mean, highest) = curves.at(args.epochs as usize - 1);
        println!(
            "{:<5} {} accuracy {mean:.3} ({lowest:.3} to {highest:.3}), {} numbers learned",
            curves.name,
            if args.validate { "validation" } else { "test" },
            curves.runs[0].learned
        );
    }
    picture::draw(&results, task, digits.1.get(0)?, &args.out)?;
    println!("picture: {}", args.out.display());
    Ok(())
}

/// Trains one network.
fn run(
    network: Choice,
    task: Task,
    digits: &(Digits, Digits),
    epochs: u32,
    seed: u64,
    bar: &ProgressBar,
) -> Result<Run> {
    let update = || bar.inc(1);
    let settings =
        |learning_rate, input_gain, recurrent_gain| Settings { learning_rate, input_gain, recurrent_gain };
    match network {
        Choice::Alif | Choice::All => {
            let neuron = Alif { reset: Reset::Soft, ..Alif::default() };
            train(neuron, settings(0.02, 4.0, 0.7), task, digits, epochs, seed, update)
        }
        Choice::Plif => {
            let neuron = Plif { w: -f64::ln(95.0), ..Plif::default() };
            train(neuron, settings(0.01, 60.0, 5.0), task, digits, epochs, seed, update)
        }
        Choice::Lif => {
            let neuron = Lif { tau: 96.0, ..Lif::default() };
            train(neuron, settings(0.01, 60.0, 5.0), task, digits, epochs, seed, update)
        }
    }
}

/// Does all jobs, each on one core, and returns what they gave in their order.
fn on_all_cores<J: Sync, R: Send>(jobs: &[J], work: impl Fn(&J) -> Result<R> + Sync) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(i) else { return Ok(done) };
            done.push((i, work(job)?));
        }
    };
    let cores = available_parallelism()?.get();
    let done: Result<Vec<_>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores.min(jobs.len())).map(|_| scope.spawn(take)).collect();
        workers.into_iter().map(|worker| worker.join().map_err(|_| anyhow!("a thread panicked"))?).collect()
    });
    let mut done: Vec<(usize, R)> = done?.into_iter().flatten().collect();
    done.sort_by_key(|(i, _)| *i);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}
