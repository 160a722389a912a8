//! Launches a kernel on data that is already on the GPU.

use std::sync::Arc;

use cudarc::driver::{result, sys};

use super::arguments::Arguments;
use super::image::{ImageKinds, ImageSource, Module};
use super::{CudaDevice, CudaError};
use crate::{Element, Error, Gradient, Neuron, Template};

/// Threads of a block. Kernels use no shared memory, so it only has to fill a processor evenly.
const BLOCK: usize = 256;

/// A call on raw device memory.
#[derive(Clone, Copy, Debug)]
pub struct RawCall<'a> {
    /// What to compute.
    pub template: Template,
    /// Number of steps; 1 for the single-step templates.
    pub steps: usize,
    /// Number of neurons.
    pub neurons: usize,
    /// How spikes are differentiated; read by the with-grad templates only.
    pub gradient: Gradient,
    /// CudaDevice addresses of the arrays to read, in the order of the signature.
    pub inputs: &'a [u64],
    /// CudaDevice addresses of the arrays to write, in the order of the signature.
    pub outputs: &'a [u64],
    /// The stream (`cudaStream_t`, as a number) to launch on, or `None` for the device's own.
    pub stream: Option<u64>,
}

/// Loads the kernels of a neuron for data of format `E`, unless they are loaded already, and says where they
/// came from. The first launch does it by itself; to do it before saves that one the time.
///
/// # Errors
/// [`CudaError::NoImage`], with what was tried.
pub fn load<N: Neuron, E: Element>(device: &CudaDevice) -> Result<ImageSource, CudaError> {
    Ok(module::<N, E>(device)?.source.clone())
}

/// As [`load`], from images of some kinds only: to find out how each does.
///
/// # Errors
/// As [`load`].
pub fn load_from<N: Neuron, E: Element>(
    device: &CudaDevice,
    kinds: ImageKinds,
) -> Result<ImageSource, CudaError> {
    let key = (std::ptr::from_ref(N::SPEC.cuda).addr(), E::NAME);
    Ok(device.module(key, || Module::load(device, N::SPEC, E::NAME, kinds))?.source.clone())
}

fn module<N: Neuron, E: Element>(device: &CudaDevice) -> Result<Arc<Module>, CudaError> {
    let key = (std::ptr::from_ref(N::SPEC.cuda).addr(), E::NAME);
    device.module(key, || Module::load(device, N::SPEC, E::NAME, ImageKinds::Any))
}

/// Launches one template on device memory, without copies, allocations or synchronisation.
///
/// `E` is the format of inputs and spikes. The first call for a neuron and format on a device loads its
/// kernels.
///
/// # Errors
/// Parameters, counts of arrays, sizes that are 0: as [`Neuron::run`], before anything is launched; and
/// [`Error::Cuda`].
///
/// # Safety
/// Every address is one of the given device's context, aligned for its format, of as many elements as the
/// signature says for `steps` and `neurons`; outputs do not overlap with anything else. All of it stays
/// allocated until the stream has got there, and the stream belongs to the device's context.
pub unsafe fn launch<N: Neuron, E: Element>(
    device: &CudaDevice,
    neuron: &N,
    call: RawCall<'_>,
) -> Result<(), Error> {
    let spec = N::SPEC;
    let RawCall { template, steps, neurons, gradient, inputs, outputs, stream } = call;
    neuron.validate()?;
    let signature = spec.signature(template);
    for (role, expected, actual) in
        [("input", signature.inputs.len(), inputs.len()), ("output", signature.outputs.len(), outputs.len())]
    {
        if expected != actual {
            return Err(Error::BufferCount { neuron: spec.name, template, role, expected, actual });
        }
    }
    if matches!(template, Template::ForwardWithGrad | Template::FpttWithGrad) {
        gradient.surrogate.validate()?;
    }
    for (what, size) in [("N", neurons), ("T", steps)] {
        if size == 0 {
            return Err(Error::Empty { neuron: spec.name, template, what });
        }
    }
    let blocks = neurons.div_ceil(BLOCK);
    let limit = i32::MAX.unsigned_abs();
    let grid = u32::try_from(blocks).ok().filter(|grid| *grid <= limit);
    let grid = grid.ok_or(CudaError::TooLarge { neurons, blocks, limit: limit as usize })?;

    let module = module::<N, E>(device)?;
    let reset = match template {
        Template::Backward | Template::Bptt => String::new(),
        _ => format!("{}_reset_", neuron.reset()),
    };
    let name = format!("{}_{reset}{}_{}", spec.module, template.name(), E::NAME);
    let function = module.function(&name)?;
    let arrays = inputs.iter().chain(outputs).copied();
    let mut arguments = Arguments::new::<N, E>(neuron, template, gradient, steps, neurons, arrays);
    let stream = stream.map_or(device.stream().cu_stream(), |raw| raw as sys::CUstream);
    device.context().bind_to_thread().map_err(|e| CudaError::driver("binding the context", e))?;
    // SAFETY: the arguments are those of the kernel, which was printed from the same signature; the caller
    // answers for the memory and the stream.
    unsafe {
        result::launch_kernel(
            function.0,
            (grid, 1, 1),
            (BLOCK as u32, 1, 1),
            0,
            stream,
            &mut arguments.pointers(),
        )
    }
    .map_err(|e| CudaError::driver(format!("launching `{name}`"), e))?;
    Ok(())
}
