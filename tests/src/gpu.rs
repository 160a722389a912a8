//! The GPU that tests run on.

use neurons::cuda::{CudaDevice, CudaError};

/// The first GPU, or `None` with the reason printed; with `NEURON_TEST_CUDA=require` that is a failure.
///
/// # Panics
/// Something is wrong with the GPU, or one is required and there is none.
pub fn device() -> Option<CudaDevice> {
    match CudaDevice::new(0) {
        Ok(device) => Some(device),
        Err(error @ (CudaError::NoDriver | CudaError::NoDevice { .. })) => {
            assert!(std::env::var_os("NEURON_TEST_CUDA").is_none_or(|v| v != "require"), "{error}");
            println!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}
