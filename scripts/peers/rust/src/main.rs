//! LIF neurons of this project next to those of `neuburn`, on the CPU:
//!
//! `cargo run --release --manifest-path scripts/peers/rust/Cargo.toml`
//!
//! neuburn has one LIF, `U' = beta U + I` with the reset outside the gradient; its ATan is a tanh. So both compute that
//! with its sigmoid. Spikes have to be the same, and gradients to agree.

#[path = "../../../../neurons/examples/common/inputs.rs"]
mod inputs;

use std::error::Error;
use std::time::Instant;

use burn::backend::ndarray::NdArrayDevice;
use burn::backend::{Autodiff, NdArray};
use burn::module::Module;
use burn::tensor::{Tensor, TensorData, backend::Backend};
use neuburn::neuron::{Leaky, LeakyConfig};
use neuburn::state::{NeuronState, ResetMode};
use neuburn::surrogate::SigmoidSurrogate;
use neurons::{Array, Gradient, Lif, MultiStep, Surrogate};

type Inference = NdArray<f32>;
type Training = Autodiff<NdArray<f32>>;

const STEPS: usize = 16;
const NEURONS: usize = 1 << 20;
const ALPHA: f64 = 4.0;
const RUNS: usize = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let (x, grad_spike) = inputs();
    let ours = ours(&x, &grad_spike)?;
    let theirs = theirs(&x, &grad_spike)?;

    let differing = ours.spikes.iter().zip(&theirs.spikes).filter(|(a, b)| a != b).count();
    let error = |(a, b): (&f32, &f32)| (a - b).abs() / (1e-2 + a.abs());
    // Not `f32::max`, which passes over NaN.
    let error =
        ours.grads.iter().zip(&theirs.grads).map(error).fold(0.0, |most, e| if e <= most { most } else { e });
    println!("T = {STEPS}, N = {NEURONS}, f32, CPU, {} threads", std::thread::available_parallelism()?);
    println!("| | inference ms | train ms | inference x | train x |\n| --- | --- | --- | --- | --- |");
    for (name, measured) in [("ours", &ours), ("neuburn 0.1.0, burn 0.14, ndarray", &theirs)] {
        let Measured { inference_s, train_s, .. } = measured;
        println!(
            "| {name} | {:.1} | {:.1} | {:.2} | {:.2} |",
            inference_s * 1e3,
            train_s * 1e3,
            inference_s / ours.inference_s,
            train_s / ours.train_s
        );
    }
    println!(
        "spikes that differ: {differing} of {}; largest error of a gradient: {error:.1e}",
        ours.spikes.len()
    );
    if differing > 0 || ours.spikes.len() != theirs.spikes.len() || !(error < 1e-4) {
        return Err("results disagree".into());
    }
    Ok(())
}

struct Measured {
    inference_s: f64,
    train_s: f64,
    spikes: Vec<f32>,
    grads: Vec<f32>,
}

fn ours(x: &[f32], grad_spike: &[f32]) -> Result<Measured, Box<dyn Error>> {
    let x = Array::from_vec([STEPS, NEURONS], x.to_vec())?;
    let grad_spike = Array::from_vec([STEPS, NEURONS], grad_spike.to_vec())?;
    let v = Array::zeros([NEURONS]);
    let gradient = Gradient { surrogate: Surrogate::sigmoid(ALPHA), detach_reset: true };
    let layer = MultiStep::new(Lif { tau: 2.0, decay_input: false, ..Lif::default() }, gradient);
    let (inference_s, _) = median(|| layer.inference(&x, &v))?;
    let (train_s, (spikes, grads)) = median(|| {
        let (spikes, _, context) = layer.forward(&x, &v)?;
        let (grads, _) = context.backward(&grad_spike, &v)?;
        Ok::<_, neurons::Error>((spikes, grads))
    })?;
    Ok(Measured { inference_s, train_s, spikes: spikes.into_vec()?, grads: grads.into_vec()? })
}

fn theirs(x: &[f32], grad_spike: &[f32]) -> Result<Measured, Box<dyn Error>> {
    let device = NdArrayDevice::Cpu;
    let config =
        LeakyConfig { beta_init: 0.5, threshold: 1.0, learn_threshold: false, reset_mode: ResetMode::Zero };
    let surrogate = SigmoidSurrogate::new(ALPHA);

    let layer = Leaky::<Inference>::new(&config, &device);
    let x_seq = steps::<Inference>(x, &device);
    let (inference_s, _) = median(|| Ok::<_, neurons::Error>(forward(&layer, &x_seq, &surrogate)))?;

    // `no_grad`: ours computes no gradient of tau either.
    let layer = Leaky::<Training>::new(&config, &device).no_grad();
    let (x_seq, grad_seq) = (steps::<Training>(x, &device), steps::<Training>(grad_spike, &device));
    let (train_s, (spikes, grads)) = median(|| {
        let x_seq: Vec<_> = x_seq.iter().map(|x| x.clone().require_grad()).collect();
        let spikes = forward(&layer, &x_seq, &surrogate);
        // A given gradient of the spikes: that of their sum, weighted by it.
        let weighted = spikes.iter().zip(&grad_seq).map(|(spike, grad)| (spike.clone() * grad.clone()).sum());
        let gradients = weighted.reduce(|sum, more| sum + more).ok_or("no steps")?.backward();
        let grads = x_seq.iter().map(|x| x.grad(&gradients).ok_or("no gradient"));
        Ok::<_, Box<dyn Error>>((spikes, grads.collect::<Result<Vec<_>, _>>()?))
    })?;
    let spikes = spikes.into_iter().map(Tensor::inner).collect();
    Ok(Measured { inference_s, train_s, spikes: flat(spikes)?, grads: flat(grads)? })
}

/// Of all steps. `LeakyParallel` of neuburn does the same, but takes the time from the second dimension and puts it
/// there again, which costs copies.
fn forward<B: Backend>(
    layer: &Leaky<B>,
    x_seq: &[Tensor<B, 2>],
    surrogate: &SigmoidSurrogate,
) -> Vec<Tensor<B, 2>> {
    let mut state = NeuronState::zeros_mem_only(&x_seq[0].device(), 1, NEURONS);
    let step = |x: &Tensor<B, 2>| {
        let (spike, next) = layer.step(x.clone(), &state, surrogate);
        state = next;
        spike
    };
    x_seq.iter().map(step).collect()
}

fn steps<B: Backend>(sequence: &[f32], device: &B::Device) -> Vec<Tensor<B, 2>> {
    let step = |step: &[f32]| Tensor::from_data(TensorData::new(step.to_vec(), [1, NEURONS]), device);
    sequence.chunks(NEURONS).map(step).collect()
}

fn flat(steps: Vec<Tensor<Inference, 2>>) -> Result<Vec<f32>, Box<dyn Error>> {
    let mut all = Vec::new();
    for step in steps {
        all.extend(step.into_data().to_vec::<f32>().map_err(|error| format!("{error:?}"))?);
    }
    Ok(all)
}

/// Median time of several runs, after one that does not count, and what the last returned.
fn median<T, E>(mut run: impl FnMut() -> Result<T, E>) -> Result<(f64, T), E> {
    let mut returned = run()?;
    let mut seconds = Vec::new();
    for _ in 0..RUNS {
        let start = Instant::now();
        let next = run()?;
        seconds.push(start.elapsed().as_secs_f64());
        returned = next;
    }
    seconds.sort_by(f64::total_cmp);
    Ok((seconds[RUNS / 2], returned))
}

/// This LIF does not divide them by tau.
fn inputs() -> (Vec<f32>, Vec<f32>) {
    let indices = 0..(STEPS * NEURONS) as u32;
    let x = indices.clone().map(|index| inputs::x(index) as f32 / 2.0);
    (x.collect(), indices.map(|index| inputs::grad_spike(index) as f32).collect())
}
