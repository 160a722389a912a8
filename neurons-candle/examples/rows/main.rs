//! Three recurrent spiking networks read handwritten digits row by row, a pixel a step, remember them through a delay, and
//! answer when asked. They differ in their neurons only:
//!
//! - LIF: leaky integrate-and-fire;
//! - PLIF: the same with a learned time constant for each neuron (Fang et al., 2021);
//! - ALIF: with a threshold that every spike raises and that recovers slowly (Bellec et al., 2018), time constants and
//!   strength learned for each neuron.
//!
//! ```sh
//! cargo run --release -p spiking-neurons-candle --example rows
//! cargo run --release -p spiking-neurons-candle --example rows --features cuda -- --device cuda
//! ```
//!
//! It prints their test accuracies and draws how they learned, over several seeds. The settings of each network are the
//! best that `--validate --search 40 --epochs 32 --seeds 2` found; `docs/learning.md` has the results.

#[path = "../common/mod.rs"]
mod common;
mod network;
mod picture;
mod search;
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
use common::device::{self, Devices};
use common::training::{one_thread_a_network, progress_bar};
use network::{Settings, Task};
use picture::Curves;
use search::search;
use train::{Plan, Run, train, updates};

neuron! {
    /// Adaptive leaky integrate-and-fire (Bellec et al., 2018), of which every neuron learns its time constants and how
    /// strongly it adapts.
    pub struct Alif {
        /// The membrane's time constant in steps is `1 + exp(-w)`.
        learnable w = 0.0;
        /// That of the threshold is `1 + exp(-w_a)`.
        learnable w_a = -ln(99.0);
        /// How much a spike raises the threshold.
        learnable beta = 0.3;
        /// Trace of the spikes.
        state a = 0.0;

        charge = v + x - (v - v_reset) * sigmoid(w);
        threshold = v_threshold + beta * a;
        update a = a - a * sigmoid(w_a) + spike;
        reset hard | soft;
    }
}

/// Train recurrent networks of different spiking neurons to remember digits.
#[derive(Parser)]
struct Args {
    /// The neurons of the network; several for several networks
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Kind::Alif, Kind::Plif, Kind::Lif])]
    neuron: Vec<Kind>,
    /// The first seed of weights and order; the same seed gives the same network
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds, from the first on
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Passes over the training digits
    #[arg(long, default_value_t = 48, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// Steps between the last pixel and the question
    #[arg(long, default_value_t = 40)]
    delay: usize,
    /// Train without the last fifth of the training digits and test with it, as it was done to choose the settings
    #[arg(long)]
    validate: bool,
    /// Choose settings: try as many for each network, and the best of them with all seeds
    #[arg(long, requires = "validate")]
    search: Option<u64>,
    /// Where to compute; on a GPU only the neurons, if candle was built without CUDA
    #[arg(long, default_value = "cpu", value_parser = device::NAMES)]
    device: String,
    /// Where the picture goes
    #[arg(long, default_value = "rows.svg")]
    out: PathBuf,
}

/// What is inside the network.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Alif,
    Plif,
    Lif,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Alif => "ALIF",
            Self::Plif => "PLIF",
            Self::Lif => "LIF",
        }
    }

    /// The best that `--search` found; LIF and PLIF have no use for the last two.
    fn settings(self) -> Settings {
        match self {
            Self::Alif => Settings {
                learning_rate: 0.0091,
                input_gain: 4.7,
                recurrent_gain: 0.4,
                tau: 3.1,
                tau_a: 370.0,
                beta: 0.32,
            },
            Self::Plif => Settings {
                learning_rate: 0.0085,
                input_gain: 3.2,
                recurrent_gain: 0.33,
                tau: 50.0,
                tau_a: 150.0,
                beta: 1.9,
            },
            Self::Lif => Settings {
                learning_rate: 0.0052,
                input_gain: 3.9,
                recurrent_gain: 1.8,
                tau: 25.0,
                tau_a: 140.0,
                beta: 0.18,
            },
        }
    }
}

/// A network to train.
#[derive(Clone, Copy)]
struct Job {
    kind: Kind,
    settings: Settings,
    seed: u64,
}

fn main() -> Result<()> {
    // SAFETY: first of all, before there is any other thread.
    unsafe { one_thread_a_network() };
    let args = Args::parse();
    let mut digits = data::load()?;
    if args.validate {
        digits = digits.0.split();
    }
    let task = Task { delay: args.delay };
    let seeds: Vec<u64> = (args.seed..args.seed.saturating_add(args.seeds)).collect();
    if let Some(draws) = args.search {
        let hidden = ProgressBar::hidden();
        return search(&args.neuron, draws, args.epochs, &seeds, |job, epochs| {
            run(job, task, &digits, epochs, &hidden, &args.device)
        });
    }

    let jobs: Vec<Job> = args
        .neuron
        .iter()
        .flat_map(|&kind| seeds.iter().map(move |&seed| Job { kind, settings: kind.settings(), seed }))
        .collect();
    let bar = progress_bar(updates(&digits.0, args.epochs) * jobs.len());
    let mut runs = on_all_cores(&jobs, |job| {
        bar.set_message(format!("{} seed {}", job.kind.name(), job.seed));
        run(job, task, &digits, args.epochs, &bar, &args.device)
    })?
    .into_iter();
    bar.finish();

    let results: Vec<Curves> = args
        .neuron
        .iter()
        .map(|kind| Curves { name: kind.name(), runs: runs.by_ref().take(seeds.len()).collect() })
        .collect();
    println!("after {} epochs, {} seeds, {:.0?}:", args.epochs, args.seeds, bar.elapsed());
    let what = if args.validate { "validation" } else { "test" };
    for curves in &results {
        let (lowest, mean, highest) = curves.at(args.epochs as usize);
        let learned = curves.runs[0].learned;
        println!(
            "{:<5} {what} accuracy {mean:.3} ({lowest:.3} to {highest:.3}), {learned} numbers learned",
            curves.name
        );
    }
    picture::draw(&results, task, what, digits.1.get(0)?, &args.out)?;
    println!("picture: {}", args.out.display());
    Ok(())
}

/// Trains one network.
fn run(
    &Job { kind, settings, seed }: &Job,
    task: Task,
    digits: &(Digits, Digits),
    epochs: u32,
    bar: &ProgressBar,
    device: &str,
) -> Result<Run> {
    let update = || bar.inc(1);
    let plan = Plan { epochs, seed, devices: Devices::new(device)? };
    let Settings { tau, tau_a, beta, .. } = settings;
    let reset = Reset::Soft;
    let w = |tau: f64| -f64::ln(tau - 1.0);
    match kind {
        Kind::Alif => {
            let neuron = Alif { w: w(tau), w_a: w(tau_a), beta, reset, ..Alif::default() };
            train(neuron, settings, task, digits, plan, update)
        }
        Kind::Plif => {
            let neuron = Plif { w: w(tau), decay_input: false, reset, ..Plif::default() };
            train(neuron, settings, task, digits, plan, update)
        }
        Kind::Lif => {
            let neuron = Lif { tau, decay_input: false, reset, ..Lif::default() };
            train(neuron, settings, task, digits, plan, update)
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
