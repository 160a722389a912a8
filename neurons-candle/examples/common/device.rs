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
        match name {
            #[cfg(feature = "cuda")]
            "cuda" => Ok(Self::with_tensors_on(gpu(0)?)),
            #[cfg(not(feature = "cuda"))]
            "cuda" => Ok(Self { tensors: Device::Cpu, neurons: neuron_runtime::Device::cuda(0)? }),
            _ => Ok(Self::with_tensors_on(Device::Cpu)),
        }
    }

    /// With neurons where their tensors are.
    pub fn with_tensors_on(tensors: Device) -> Self {
        Self { tensors, neurons: neuron_runtime::Device::Cpu }
    }
}

/// A GPU with a stream of its own, which keeps the memory of freed tensors for others. By default it goes back to the driver
/// whenever the program waits for the GPU, and getting it again takes longer than most kernels. Tensors have no events for work
/// on other streams: those of this device are only used on its own.
#[cfg(feature = "cuda")]
pub fn gpu(index: usize) -> Result<Device> {
    use candle_core::cuda_backend::cudarc::driver::result;
    use candle_core::cuda_backend::cudarc::driver::sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;

    let device = Device::new_cuda_with_stream(index)?;
    let context = device.as_cuda_device()?.cuda_stream().context().clone();
    let mut threshold = u64::MAX;
    // SAFETY: the context keeps the GPU initialised; the attribute is an integer of 64 bits, which is copied. No tensor is used
    // on two streams.
    unsafe {
        device.as_cuda_device()?.disable_event_tracking();
        let pool = result::device::get_default_mem_pool(context.cu_device())?;
        result::mem_pool::set_attribute(
            pool,
            CU_MEMPOOL_ATTR_RELEASE_THRESHOLD,
            (&raw mut threshold).cast(),
        )?;
    }
    Ok(device)
}
