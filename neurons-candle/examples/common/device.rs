//! Where an example computes.

use anyhow::Result;
use candle_core::Device;

/// The values of the option `--device`.
pub const NAMES: [&str; 2] = ["cpu", "cuda"];

/// The devices of tensors and of neurons.
pub struct Devices {
    pub tensors: Device,
    /// Of neurons whose tensors are on the CPU.
    pub neurons: neuron_runtime::Device,
}

impl Devices {
    /// By one of the [`NAMES`]: in a build of candle without CUDA, only neurons can be on the GPU. Each call makes devices with
    /// streams of their own.
    pub fn new(name: &str) -> Result<Self> {
        let mut devices = Self { tensors: Device::Cpu, neurons: neuron_runtime::Device::Cpu };
        if name == "cuda" && candle_core::utils::cuda_is_available() {
            devices.tensors = Device::new_cuda_with_stream(0)?;
        } else if name == "cuda" {
            devices.neurons = neuron_runtime::Device::cuda(0)?;
        }
        Ok(devices)
    }
}
