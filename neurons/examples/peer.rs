//! A layer of LIF neurons, measured the way `scripts/peers` measures other software, which calls this:
//!
//! `cargo run --release -p spiking-neurons --example peer -- --device cuda --t 16 --n 16777216`
//!
//! It times inference and training (forward and backward pass) through the public operation, outputs allocated
//! anew in each call, and prints one JSON object. Inputs follow from their index alone, so that other software
//! computes the same ones.

mod common;
#[path = "common/exit.rs"]
mod exit;
#[path = "common/inputs.rs"]
mod inputs;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use common::{Place, copies_on_cuda, copy_on_cpu, times};
use inputs::{grad_spike, hash, x};
use neurons::{Array, Device, Element, Lif, MultiStep, Real, Surrogate};
use rayon::prelude::*;
use serde_json::json;

/// Measures inference and training of a layer of LIF neurons: tau 2, hard reset to 0, ATan with alpha 2.
#[derive(Parser)]
struct Args {
    /// Where to run
    #[arg(long, value_enum, default_value = "cpu")]
    device: Place,
    /// Format of inputs and spikes
    #[arg(long, default_value = "f32", value_parser = ["f32", "f16", "bf16"])]
    dtype: String,
    /// Steps
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    t: u32,
    /// Neurons
    #[arg(long, default_value_t = 1 << 20, value_parser = clap::value_parser!(u64).range(1..=1 << 31))]
    n: u64,
    /// Measurements, of which the median counts
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,
    /// Calls a measurement
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    calls: u32,
    /// Folder for `spike_seq.f32` and `grad_x_seq.f32`, as raw little-endian float32
    #[arg(long)]
    write: Option<PathBuf>,
}

type AnyError = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let args = Args::parse();
    let measured = match args.dtype.as_str() {
        "f16" => measure::<half::f16>(&args),
        "bf16" => measure::<half::bf16>(&args),
        _ => measure::<f32>(&args),
    };
    exit::code(measured.map(|report| println!("{report}")))
}

fn measure<E: Element>(args: &Args) -> Result<serde_json::Value, AnyError> {
    let (steps, neurons) = (args.t as usize, usize::try_from(args.n)?);
    if steps.checked_mul(neurons).is_none_or(|elements| elements > 1 << 31) {
        return Err(format!("expected T x N to be at most 2^31, found {steps} x {neurons}").into());
    }
    let (repeat, calls) = (args.repeat as usize, args.calls as usize);
    let device = if args.device == Place::Cuda { Device::cuda(0)? } else { Device::Cpu };
    let x_seq = on::<E>(&device, steps, neurons, x)?;
    let grad_spike_seq = on::<E>(&device, steps, neurons, grad_spike)?;
    let v = Array::<E::Real>::zeros([neurons]).to(&device)?;
    let grad_v = v.clone();

    let layer = MultiStep::new(Lif { tau: 2.0, ..Lif::default() }, Surrogate::atan(2.0));
    let inference = || layer.inference(&x_seq, &v);
    let train = || {
        let (spike_seq, v, context) = layer.forward(&x_seq, &v)?;
        let (grad_x_seq, grad_v) = context.backward(&grad_spike_seq, &grad_v)?;
        Ok::<_, neurons::Error>((spike_seq, v, grad_x_seq, grad_v))
    };
    let wait = || match &device {
        Device::Cuda(device) => Ok(device.synchronize()?),
        _ => Ok(()),
    };
    let sequence = steps * neurons * size_of::<E>();
    // First of all: later the allocator has memory at hand that was freed, and on the CPU that is not seen.
    let (_, inference_peak) = peak_of(&device, inference)?;
    let ((spike_seq, _, grad_x_seq, _), train_peak) = peak_of(&device, train)?;
    let inference_s = median(times(repeat, || {
        (0..calls).try_for_each(|_| inference().map(drop))?;
        wait()
    })?);
    let train_s = median(times(repeat, || {
        (0..calls).try_for_each(|_| train().map(drop))?;
        wait()
    })?);
    // `grad_v` is counted too: other software makes its own.
    let grad_v_bytes = neurons * size_of::<E::Real>();
    let (spike_seq, grad_x_seq) = (spike_seq.into_vec()?, grad_x_seq.into_vec()?);
    if let Some(folder) = &args.write {
        write(&folder.join("spike_seq.f32"), &spike_seq)?;
        write(&folder.join("grad_x_seq.f32"), &grad_x_seq)?;
    }
    let copy_s = match &device {
        Device::Cuda(device) => {
            median(times(repeat, copies_on_cuda(device, 2 * sequence, calls)?)?) / calls as f64
        }
        _ => median(times(repeat, copy_on_cpu(2 * sequence))?),
    };
    Ok(json!({
        "device": name(&device),
        "inference_s": inference_s / calls as f64,
        "train_s": train_s / calls as f64,
        "copy_s": copy_s,
        "inference_extra_bytes": inference_peak.saturating_sub(sequence),
        "train_extra_bytes": (train_peak + grad_v_bytes).saturating_sub(2 * sequence),
        "sums": sums(&spike_seq, &grad_x_seq),
    }))
}

/// The driver's name of a GPU; of a CPU, how many threads compute.
fn name(device: &Device) -> String {
    match device {
        Device::Cuda(device) => device.name(),
        _ => format!("{} threads", rayon::current_num_threads()),
    }
}

fn on<E: Element>(
    device: &Device,
    steps: usize,
    neurons: usize,
    value: fn(u32) -> f64,
) -> Result<Array<E>, neurons::Error> {
    let values = (0..steps * neurons).into_par_iter();
    let values = values.map(|index| E::store(E::Real::from_f64(value(index as u32))));
    let array = Array::from_vec([steps, neurons], values.collect())?;
    if *device == Device::Cpu { Ok(array) } else { array.to(device) }
}

/// What `run` returns, and the most memory that was taken at a time meanwhile, in bytes.
fn peak_of<T>(
    device: &Device,
    run: impl FnOnce() -> Result<T, neurons::Error>,
) -> Result<(T, usize), AnyError> {
    if let Device::Cuda(device) = device {
        device.reset_memory_peak()?;
        let before = device.memory_use()?.current;
        let returned = run()?;
        return Ok((returned, usize::try_from(device.memory_use()?.peak - before)?));
    }
    // Makes the memory that is resident now the peak, `VmHWM`; see proc(5).
    std::fs::write("/proc/self/clear_refs", "5")?;
    let before = resident("VmRSS:")?;
    let returned = run()?;
    Ok((returned, resident("VmHWM:")?.saturating_sub(before)))
}

/// Bytes, from a line of `/proc/self/status` in kilobytes.
fn resident(line: &str) -> Result<usize, AnyError> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let found =
        status.lines().find_map(|l| l.strip_prefix(line)?.split_whitespace().next()?.parse::<usize>().ok());
    Ok(found.ok_or_else(|| format!("/proc/self/status has no number for {line}"))? * 1024)
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    let middle = seconds.len() / 2;
    if seconds.len() % 2 == 1 { seconds[middle] } else { (seconds[middle - 1] + seconds[middle]) / 2.0 }
}

/// Sums by which results of any size can be compared: spikes are weighted by whole numbers, so that theirs is exact.
fn sums<E: Element>(spike_seq: &[E], grad_x_seq: &[E]) -> serde_json::Value {
    let (mut spikes, mut weighted_spikes) = (0u64, 0u64);
    let (mut weighted_grad, mut absolute_grad) = (0.0, 0.0);
    for (index, (spike, grad)) in spike_seq.iter().zip(grad_x_seq).enumerate() {
        let (weight, grad) = (hash(index as u32), grad.load().to_f64());
        if spike.load() != E::Real::ZERO {
            spikes += 1;
            weighted_spikes += u64::from(weight);
        }
        weighted_grad += grad * f64::from(weight) / 4_294_967_296.0;
        absolute_grad += grad.abs();
    }
    json!({
        "spikes": spikes,
        "weighted_spikes": weighted_spikes,
        "weighted_grad": weighted_grad,
        "absolute_grad": absolute_grad,
    })
}

fn write<E: Element>(path: &Path, values: &[E]) -> Result<(), AnyError> {
    let create = || File::create(path);
    let mut file = BufWriter::new(create().map_err(|error| format!("{}: {error}", path.display()))?);
    for value in values {
        file.write_all(&(value.load().to_f64() as f32).to_le_bytes())?;
    }
    Ok(file.flush()?)
}
