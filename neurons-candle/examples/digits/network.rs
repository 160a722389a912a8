//! The network: two convolutions and two dense layers, with spiking neurons in between.
//!
//! Images are `[B, height, width, channels]`. What happens at every time step in the same way, convolutions
//! and pooling, sees time as part of the batch, `[T B, ...]`; only neurons see it as time, `[T, B, ...]`.

use candle_core::{Device, Result, Tensor, Var};
use neurons_candle::{Gradient, MultiStep};
use rand::rngs::StdRng;

use crate::Lif;
use crate::common::data::SIDE;
use crate::common::device::Devices;
use crate::common::linear::Linear;

const CHANNELS: [usize; 2] = [32, 64];
const DENSE: usize = 128;
pub const CLASSES: usize = 10;

pub struct Network {
    conv1: Linear,
    conv2: Linear,
    dense: Linear,
    readout: Linear,
    lif: MultiStep<Lif>,
}

/// What one layer of neurons gets and gives, both `[T, B, ...]`.
pub struct Activity {
    pub currents: Tensor,
    pub spikes: Tensor,
}

impl Network {
    pub fn new(rng: &mut StdRng, Devices { tensors: device, neurons }: &Devices) -> Result<Self> {
        // Two poolings leave a quarter of the side. Weights are larger than in a network without spikes, so
        // that the neurons fire from the first update on.
        let flat = CHANNELS[1] * (SIDE / 4) * (SIDE / 4);
        Ok(Self {
            conv1: Linear::new(9, CHANNELS[0], 3.0, rng, device)?,
            conv2: Linear::new(9 * CHANNELS[0], CHANNELS[1], 3.0, rng, device)?,
            dense: Linear::new(flat, DENSE, 1.5, rng, device)?,
            readout: Linear::new(DENSE, CLASSES, 1.5, rng, device)?,
            lif: MultiStep::new(Lif::default(), Gradient::default())?.on(neurons.clone()),
        })
    }

    /// What there is to learn.
    pub fn weights(&self) -> Vec<Var> {
        let layers = [&self.conv1, &self.conv2, &self.dense, &self.readout];
        layers.into_iter().flat_map(Linear::variables).collect()
    }

    /// Where it is.
    pub fn device(&self) -> &Device {
        self.readout.weight.device()
    }

    /// The neurons, the same in all layers.
    pub fn lif(&self) -> &MultiStep<Lif> {
        &self.lif
    }

    /// Class scores `[B, 10]` of images `[B, 8, 8, 1]`: the mean over `steps` time steps.
    pub fn scores(&self, images: &Tensor, steps: usize) -> Result<Tensor> {
        self.run(images, steps)?.1.mean(0)
    }

    /// The activity of all three layers of neurons, and the class scores `[T, B, 10]` at every step.
    pub fn run(&self, images: &Tensor, steps: usize) -> Result<([Activity; 3], Tensor)> {
        // The image does not change, so neither does the current into the first layer.
        let current = convolution(images, &self.conv1)?;
        let current = current.broadcast_left(steps)?;
        let first = self.fire(current)?;

        let current = convolution(&pool(&first.spikes.flatten(0, 1)?)?, &self.conv2)?;
        let second = self.fire(split_time(&current, steps)?)?;

        let current = self.dense.forward(&pool(&second.spikes.flatten(0, 1)?)?.flatten_from(1)?)?;
        let third = self.fire(split_time(&current, steps)?)?;

        let scores = self.readout.forward(&third.spikes.flatten(0, 1)?)?;
        Ok(([first, second, third], split_time(&scores, steps)?))
    }

    fn fire(&self, currents: Tensor) -> Result<Activity> {
        let spikes = self.lif.forward(&currents)?;
        Ok(Activity { currents, spikes })
    }
}

/// `[T B, ...]` to `[T, B, ...]`.
fn split_time(x: &Tensor, steps: usize) -> Result<Tensor> {
    let dims = x.dims();
    x.reshape([&[steps, dims[0] / steps], &dims[1..]].concat())
}

/// Convolution of every 3x3 neighbourhood, with zeros around the image: one matrix product for all of them,
/// which is several times as fast on the CPU as candle's general convolution, gradients included.
fn convolution(images: &Tensor, kernel: &Linear) -> Result<Tensor> {
    let (_, height, width, _) = images.dims4()?;
    let padded = images.pad_with_zeros(1, 1, 1)?.pad_with_zeros(2, 1, 1)?;
    let mut neighbours = Vec::with_capacity(9);
    for row in 0..3 {
        let rows = padded.narrow(1, row, height)?;
        for column in 0..3 {
            neighbours.push(rows.narrow(2, column, width)?);
        }
    }
    kernel.forward(&Tensor::cat(&neighbours, 3)?)
}

/// Halves height and width: sums of 2x2 pixels, times a half. Spikes are sparse; a mean would leave the next
/// layer too little to fire.
fn pool(images: &Tensor) -> Result<Tensor> {
    let (count, height, width, channels) = images.dims4()?;
    let rows = images.reshape((count, height / 2, 2, width * channels))?.sum(2)?;
    let columns = rows.reshape((count, height / 2, width / 2, 2, channels))?.sum(3)?;
    columns * 0.5
}
