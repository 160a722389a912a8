//! Packs and unpacks spikes with kernels that are in the module of every neuron that fires.

use neuron_abi::WORD;

use super::arguments::Arguments;
use super::context::Current;
use super::kernel::{BLOCK, Purpose, grid};
use super::loading::find;
use super::{CudaArray, CudaDevice};
use crate::{Class, Element, Error, Spec};

/// Packs rows of `neurons` spikes each.
pub fn pack<E: Element>(
    spec: &'static Spec,
    spikes: &CudaArray<E>,
    neurons: usize,
) -> Result<CudaArray<u32>, Error> {
    let rows = spikes.len() / neurons;
    let words = CudaArray::uninitialised(spikes.device(), rows.saturating_mul(Class::Bits.columns(neurons)))?;
    let arguments = Arguments::of_bits(rows, neurons, spikes.address(), words.address());
    launch::<E>(spec, spikes.device(), Purpose::Pack, words.len() * WORD, arguments)?;
    Ok(words)
}

/// Unpacks them.
pub fn unpack<E: Element>(
    spec: &'static Spec,
    words: &CudaArray<u32>,
    neurons: usize,
) -> Result<CudaArray<E>, Error> {
    let rows = words.len() / Class::Bits.columns(neurons);
    let spikes = CudaArray::uninitialised(words.device(), rows.saturating_mul(neurons))?;
    let arguments = Arguments::of_bits(rows, neurons, words.address(), spikes.address());
    launch::<E>(spec, words.device(), Purpose::Unpack, spikes.len(), arguments)?;
    Ok(spikes)
}

fn launch<E: Element>(
    spec: &'static Spec,
    device: &CudaDevice,
    purpose: Purpose,
    threads: usize,
    mut arguments: Arguments,
) -> Result<(), Error> {
    device.refuse_capture()?;
    let kernel = find::<E>(device, spec, purpose, None)?;
    let blocks = grid(threads.div_ceil(BLOCK), threads)?;
    let _current = Current::enter(device.context())?;
    // SAFETY: the arguments are the kernel's, with arrays on this device that are as long as it expects; memory is freed in
    // order on the same stream.
    Ok(unsafe { kernel.launch(blocks, device.stream().cu_stream(), &mut arguments) }?)
}
