//! Launches a kernel on data that is already on the GPU.

use std::sync::Arc;

use cudarc::driver::{result, sys};
use neuron_abi::{Format, kernel};

use super::arguments::Arguments;
use super::device::ModuleKey;
use super::image::{ImageKinds, ImageSource, Module};
use super::sums::Workspace;
use super::{CudaDevice, CudaError};
use crate::parameter::{Layout, misfit};
use crate::{Element, Error, Extent, Gradient, Neuron, Spec, Surrogate, Template};

/// Threads of a block, of every kernel.
pub use neuron_abi::THREADS as BLOCK;

/// A parameter that may differ between neurons, on raw device memory: value number `n / inner % count` is that of
/// neuron `n`, as in [`Parameter`](crate::Parameter).
///
/// Ranges are checked where parameters come from the memory of the CPU, not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawParameter {
    /// Address of its values, in the format of the arithmetic.
    pub address: u64,
    /// How many there are.
    pub count: usize,
    /// How many neurons next to each other have the same.
    pub inner: usize,
}

impl RawParameter {
    pub(super) fn layout(&self) -> Layout {
        Layout { count: self.count, inner: self.inner }
    }
}

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
    /// Addresses of the arrays to read, in the order of the signature, but for parameters.
    pub inputs: &'a [u64],
    /// Parameters that may differ between neurons, in the order of the signature.
    pub parameters: &'a [RawParameter],
    /// Addresses of the arrays to write, in the order of the signature.
    pub outputs: &'a [u64],
    /// Address of [`workspace_bytes`](super::workspace_bytes) bytes, aligned to 8; not read if that is 0.
    pub workspace: u64,
    /// The stream (`cudaStream_t`, as a number) to launch on, or `None` for the device's own.
    pub stream: Option<u64>,
}

/// Loads the kernels of a neuron for data of format `E`, unless they are loaded already, and says where they
/// came from. The first launch does it by itself; to do it before saves that one the time.
///
/// # Errors
/// [`CudaError::NoImage`], with what was tried.
pub fn load<N: Neuron, E: Element>(device: &CudaDevice) -> Result<ImageSource, CudaError> {
    Ok(module::<E>(N::SPEC, device, None)?.source.clone())
}

/// As [`load`], from images of some kinds only: to find out how each does.
///
/// # Errors
/// As [`load`].
pub fn load_from<N: Neuron, E: Element>(
    device: &CudaDevice,
    kinds: ImageKinds,
) -> Result<ImageSource, CudaError> {
    let key = key::<E>(N::SPEC, None);
    Ok(device.module(key, || Module::load(device, N::SPEC, E::FORMAT, kinds))?.source.clone())
}

fn key<E: Element>(spec: &'static Spec, surrogate: Option<usize>) -> ModuleKey {
    ModuleKey { neuron: std::ptr::from_ref(spec.cuda).addr(), format: E::FORMAT, surrogate }
}

/// The kernels of a neuron; `own` is the surrogate of the call, if they are not compiled with it anyway.
fn module<E: Element>(
    spec: &'static Spec,
    device: &CudaDevice,
    own: Option<Surrogate>,
) -> Result<Arc<Module>, CudaError> {
    device.module(key::<E>(spec, own.map(|surrogate| surrogate.address())), || match own {
        None => Module::load(device, spec, E::FORMAT, ImageKinds::Any),
        Some(surrogate) => Module::load_with(device, spec, E::FORMAT, surrogate),
    })
}

/// Launches one template on device memory, without copies, allocations or synchronisation.
///
/// `E` is the format of inputs and spikes. The first call for a neuron and format on a device loads its
/// kernels.
///
/// # Errors
/// Parameters, counts of arrays, sizes that are 0: as [`Neuron::run`]; and [`Error::Cuda`]. Only of an error of the
/// driver, [`CudaError::Driver`], something may have been launched before.
///
/// Afterwards the device's context is the current one of this thread, whichever was before.
///
/// # Safety
/// - Every address is one of the given device's context, aligned for its format, of as many elements as the
///   signature says for `steps` and `neurons`; outputs and workspace do not overlap with anything else.
/// - The stream belongs to the device's context.
/// - All of that memory stays allocated until the stream has got there. So does a clone of the device, which has the
///   code of the kernels.
/// - If the stream is being captured as a graph, both hold until the graph is gone. The kernels have to be loaded
///   before (by [`load`], or an earlier launch with the same surrogate), since the driver may refuse that during a capture.
pub unsafe fn launch<N: Neuron, E: Element>(
    device: &CudaDevice,
    neuron: &N,
    call: RawCall<'_>,
) -> Result<(), Error> {
    let spec = N::SPEC;
    let RawCall { template, steps, neurons, inputs, outputs, parameters, .. } = call;
    neuron.validate_in::<E::Real>()?;
    let signature = spec.checked_signature(template)?;
    let arrays = signature.inputs.iter().filter(|buffer| buffer.extent == Extent::Parameter).count();
    for (role, expected, actual) in [
        ("input", signature.inputs.len() - arrays, inputs.len()),
        ("parameter", arrays, parameters.len()),
        ("output", signature.outputs.len(), outputs.len()),
    ] {
        if expected != actual {
            return Err(Error::BufferCount { neuron: spec.name, template, role, expected, actual });
        }
    }
    let mut own = None;
    if template.takes_gradient() {
        call.gradient.surrogate.validate_in::<E::Real>()?;
        own = Some(call.gradient.surrogate).filter(|surrogate| surrogate.index().is_none());
    }
    for (what, size) in [("N", neurons), ("T", steps)] {
        if size == 0 {
            return Err(Error::Empty { neuron: spec.name, template, what });
        }
    }
    for (array, parameter) in spec.arrays().zip(parameters) {
        misfit(spec.name, array.name, parameter.layout(), neurons)?;
    }
    let too_large = CudaError::ArrayTooLarge { elements: neurons, size: size_of::<E::Real>() };
    let workspace = Workspace::new::<E>(spec, template, neurons, parameters).ok_or(too_large)?;
    let sums = outputs.len() - signature.outputs.iter().filter(|b| b.extent == Extent::Parameter).count();
    let (outputs, sums) = outputs.split_at(sums);
    let arrays = outputs.iter().copied().chain(workspace.parts(call.workspace));
    let arguments = Arguments::new::<N, E>(neuron, &call, arrays)?;
    let launcher = Launcher::new::<E>(spec, device, own, neurons, call.stream)?;
    let blocks = neurons.div_ceil(BLOCK * signature.lanes.of(E::FORMAT));
    launcher.grid(blocks.max(workspace.blocks))?;
    // SAFETY: the arguments are those of the kernel, which was printed from the same signature; the caller
    // answers for the memory and the stream.
    unsafe {
        launcher.launch(&kernel::name(template, neuron.reset()), blocks, arguments)?;
        workspace.add_up(call.workspace, sums, &launcher)
    }
}

/// Launches kernels of one module on one stream.
pub(super) struct Launcher<'a> {
    module: Arc<Module>,
    neuron: &'a str,
    format: Format,
    neurons: usize,
    stream: sys::CUstream,
}

impl Launcher<'_> {
    pub(super) fn new<E: Element>(
        spec: &'static Spec,
        device: &CudaDevice,
        own: Option<Surrogate>,
        neurons: usize,
        stream: Option<u64>,
    ) -> Result<Self, CudaError> {
        let module = module::<E>(spec, device, own)?;
        let stream = stream.map_or(device.stream().cu_stream(), |raw| raw as sys::CUstream);
        device.context().bind_to_thread().map_err(|e| CudaError::driver("binding the context", e))?;
        Ok(Self { module, neuron: spec.module, format: E::FORMAT, neurons, stream })
    }

    /// The size of a grid of so many blocks.
    fn grid(&self, blocks: usize) -> Result<u32, CudaError> {
        let limit = i32::MAX.unsigned_abs();
        let grid = u32::try_from(blocks).ok().filter(|grid| *grid <= limit);
        grid.ok_or(CudaError::TooLarge { neurons: self.neurons, blocks, limit: limit as usize })
    }

    /// Launches the neuron's kernel called `name`.
    ///
    /// # Safety
    /// The arguments are those of the kernel, the memory they speak of is the caller's to use, and the stream is
    /// one of the device.
    pub unsafe fn launch(
        &self,
        name: &str,
        blocks: usize,
        mut arguments: Arguments,
    ) -> Result<(), CudaError> {
        let grid = (self.grid(blocks)?, 1, 1);
        let symbol = kernel::symbol(self.neuron, name, self.format);
        let function = self.module.function(&symbol)?;
        let (block, stream) = ((BLOCK as u32, 1, 1), self.stream);
        // SAFETY: the caller answers for it.
        unsafe { result::launch_kernel(function.0, grid, block, 0, stream, &mut arguments.pointers()) }
            .map_err(|e| CudaError::driver(format!("launching `{symbol}`"), e))
    }
}
