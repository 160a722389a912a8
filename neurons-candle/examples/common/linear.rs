//! Weights that depend on a seed, and nothing else.

use candle_core::{DType, Device, Result, Tensor, Var};
use rand::Rng;
use rand::rngs::StdRng;

/// Random weights `[inputs, outputs]` whose standard deviation is `gain / sqrt(inputs)`. From the generator that is
/// passed in, since candle's own on the CPU cannot be seeded.
pub fn weights(inputs: usize, outputs: usize, gain: f32, rng: &mut StdRng, device: &Device) -> Result<Var> {
    let bound = gain * (3.0 / inputs as f32).sqrt();
    let weights: Vec<f32> = (0..inputs * outputs).map(|_| rng.random_range(-bound..bound)).collect();
    Var::from_tensor(&Tensor::from_vec(weights, (inputs, outputs), device)?)
}

/// `x W + b` over the last dimension.
pub struct Linear {
    pub weight: Var,
    pub bias: Var,
}

impl Linear {
    pub fn new(inputs: usize, outputs: usize, gain: f32, rng: &mut StdRng, device: &Device) -> Result<Self> {
        Ok(Self {
            weight: weights(inputs, outputs, gain, rng, device)?,
            bias: Var::zeros(outputs, DType::F32, device)?,
        })
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (inputs, outputs) = self.weight.dims2()?;
        let y = x.reshape(((), inputs))?.matmul(&self.weight)?.broadcast_add(&self.bias)?;
        let mut dims = x.dims().to_vec();
        if let Some(last) = dims.last_mut() {
            *last = outputs;
        }
        y.reshape(dims)
    }

    /// What there is to learn.
    pub fn variables(&self) -> [Var; 2] {
        [self.weight.clone(), self.bias.clone()]
    }
}
