//! Packs and unpacks spikes with kernels that are in the module of every neuron that fires.

use std::sync::Arc;

use cudarc::driver::sys;

use super::arguments::Arguments;
use super::context::Current;
use super::kernel::{BLOCK, Kernel, Purpose, grid};
use super::loading::find;
use super::{CudaArray, CudaDevice, RawArray};
use crate::bits::check_rows;
use crate::{Class, Element, Error, Plain, Spec, Template};

/// The conversion of spikes to bits and back for data of one format on one device, prepared for arrays by address.
///
/// Spikes are rows of `neurons` values; bits are rows of `ceil(neurons / 32)` words. The spike of neuron `n` is bit `n % 32` of
/// word `n / 32` of its row.
#[derive(Clone, Debug)]
pub struct PreparedBits {
    device: CudaDevice,
    pack: Arc<Kernel>,
    unpack: Arc<Kernel>,
}

impl PreparedBits {
    /// Prepares the conversion for data of format `E`. Its kernels are among those of `spec`, which are loaded if necessary.
    ///
    /// # Errors
    /// [`Error::NoTemplate`] if the neuron does not fire; [`Error::Cuda`].
    pub fn new<E: Element>(device: &CudaDevice, spec: &'static Spec) -> Result<Self, Error> {
        spec.check_template(Template::PackedFptt)?;
        let kernel = |purpose| find::<E>(device, spec, purpose, None);
        let (pack, unpack) = (kernel(Purpose::Pack)?, kernel(Purpose::Unpack)?);
        Ok(Self { device: device.clone(), pack, unpack })
    }

    /// The device.
    pub fn device(&self) -> &CudaDevice {
        &self.device
    }

    /// Packs spikes: every value other than 0 is one. `stream` is a `cudaStream_t` as an integer, or `None` for the device's own.
    ///
    /// # Errors
    /// [`Error::Bits`] if the arrays do not have the same rows; [`Error::Cuda`].
    ///
    /// # Safety
    /// As [`PreparedCall::launch`](super::PreparedCall::launch), for `spikes`, which are read, and `words`, which are written.
    pub unsafe fn pack(
        &self,
        neurons: usize,
        spikes: RawArray,
        words: RawArray,
        stream: Option<u64>,
    ) -> Result<(), Error> {
        // SAFETY: guaranteed by the caller.
        unsafe { self.launch(&self.pack, neurons, [spikes, words], [spikes, words], stream) }
    }

    /// Unpacks bits into 0 and 1.
    ///
    /// # Errors
    /// As [`PreparedBits::pack`].
    ///
    /// # Safety
    /// As [`PreparedBits::pack`]; `spikes` are written, and `words` are read.
    pub unsafe fn unpack(
        &self,
        neurons: usize,
        words: RawArray,
        spikes: RawArray,
        stream: Option<u64>,
    ) -> Result<(), Error> {
        // SAFETY: guaranteed by the caller.
        unsafe { self.launch(&self.unpack, neurons, [spikes, words], [words, spikes], stream) }
    }

    /// Checks lengths, and launches `kernel` from one array to the other.
    ///
    /// # Safety
    /// As [`PreparedBits::pack`], for the array that the kernel reads and that which it writes.
    unsafe fn launch(
        &self,
        kernel: &Kernel,
        neurons: usize,
        [spikes, words]: [RawArray; 2],
        [from, to]: [RawArray; 2],
        stream: Option<u64>,
    ) -> Result<(), Error> {
        check_rows(neurons, spikes.len, words.len)?;
        let Some(rows) = spikes.len.checked_div(neurons).filter(|rows| *rows > 0) else { return Ok(()) };
        let mut arguments = Arguments::of_bits(rows, neurons, from.address, to.address);
        // A thread has a byte.
        let threads = words.len.saturating_mul(size_of::<u32>());
        let shape = kernel.blocks(threads.div_ceil(BLOCK));
        let blocks = grid(shape.blocks, threads)?;
        let stream = stream.map_or(self.device.stream().cu_stream(), |raw| raw as sys::CUstream);
        let _current = Current::enter(self.device.context())?;
        // SAFETY: guaranteed by the caller; lengths fit, the arguments are the kernel's, and its context is current.
        Ok(unsafe { kernel.launch(shape, blocks, stream, &mut arguments) }?)
    }
}

/// Packs rows of `neurons` spikes each.
pub fn pack<E: Element>(
    spec: &'static Spec,
    spikes: &CudaArray<E>,
    neurons: usize,
) -> Result<CudaArray<u32>, Error> {
    let device = spikes.device();
    device.refuse_capture()?;
    let rows = spikes.len() / neurons;
    let words = CudaArray::uninitialised(device, rows.saturating_mul(Class::Bits.columns(neurons)))?;
    // SAFETY: both arrays are on this device; their memory is freed in order on the same stream.
    unsafe { PreparedBits::new::<E>(device, spec)?.pack(neurons, raw(spikes), raw(&words), None) }?;
    Ok(words)
}

/// Unpacks them.
pub fn unpack<E: Element>(
    spec: &'static Spec,
    words: &CudaArray<u32>,
    neurons: usize,
) -> Result<CudaArray<E>, Error> {
    let device = words.device();
    device.refuse_capture()?;
    let rows = words.len() / Class::Bits.columns(neurons);
    let spikes = CudaArray::uninitialised(device, rows.saturating_mul(neurons))?;
    // SAFETY: both arrays are on this device; their memory is freed in order on the same stream.
    unsafe { PreparedBits::new::<E>(device, spec)?.unpack(neurons, raw(words), raw(&spikes), None) }?;
    Ok(spikes)
}

fn raw<T: Plain>(array: &CudaArray<T>) -> RawArray {
    RawArray { address: array.address(), len: array.len() }
}
