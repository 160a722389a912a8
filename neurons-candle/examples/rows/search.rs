//! How the settings were chosen: by random search, with as many draws for each network.

use anyhow::Result;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::network::Settings;
use crate::train::Run;
use crate::{Job, Kind, on_all_cores};

/// How many of the drawn settings are trained to the end.
const BEST: usize = 5;

/// Trains each network with `draws` settings, the same for all, for a quarter of the epochs; then with the best of them
/// for all epochs, with each seed. Prints the accuracies.
pub fn search(
    kinds: &[Kind],
    draws: u64,
    epochs: u32,
    seeds: &[u64],
    run: impl Fn(&Job, u32) -> Result<Run> + Sync,
) -> Result<()> {
    for &kind in kinds {
        let drawn = ranked(kind, (0..draws).map(drawn), &[0], epochs.div_ceil(4), &run)?;
        ranked(kind, drawn.into_iter().take(BEST), seeds, epochs, &run)?;
    }
    Ok(())
}

/// Settings by the mean accuracy that they lead to, best first.
fn ranked(
    kind: Kind,
    settings: impl Iterator<Item = Settings>,
    seeds: &[u64],
    epochs: u32,
    run: impl Fn(&Job, u32) -> Result<Run> + Sync,
) -> Result<Vec<Settings>> {
    let jobs: Vec<Job> =
        settings.flat_map(|settings| seeds.iter().map(move |&seed| Job { kind, settings, seed })).collect();
    let accuracies = on_all_cores(&jobs, |job| Ok(run(job, epochs)?.last()))?;
    let mut ranked: Vec<(f32, Settings)> = jobs
        .chunks(seeds.len())
        .zip(accuracies.chunks(seeds.len()))
        .map(|(jobs, accuracies)| (accuracies.iter().sum::<f32>() / seeds.len() as f32, jobs[0].settings))
        .collect();
    ranked.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    println!("{} after {epochs} epochs, seeds: {}", kind.name(), seeds.len());
    for (accuracy, settings) in &ranked {
        println!("  {accuracy:.3} {settings:?}");
    }
    Ok(ranked.into_iter().map(|(_, settings)| settings).collect())
}

/// Settings number `draw`, numbers log-uniform and to two digits.
fn drawn(draw: u64) -> Settings {
    let mut rng = StdRng::seed_from_u64(draw);
    let mut between = |lowest: f64, highest: f64| {
        let value = lowest * (highest / lowest).powf(rng.random());
        let scale = 10f64.powf(1.0 - value.log10().floor());
        (value * scale).round() / scale
    };
    Settings {
        learning_rate: between(0.002, 0.03),
        input_gain: between(1.0, 6.0),
        recurrent_gain: between(0.03, 2.0),
        tau: between(2.0, 500.0),
        tau_a: between(20.0, 500.0),
        beta: between(0.1, 2.0),
    }
}
