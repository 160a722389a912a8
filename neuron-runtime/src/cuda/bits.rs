//! Spikes to bits and back, by kernels that every neuron that fires has in its module.

use neuron_abi::{WORD, kernel};

use super::arguments::Arguments;
use super::launch::{BLOCK, Launcher};
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
    launch::<E>(spec, spikes.device(), kernel::PACK_SPIKES, words.len() * WORD, arguments)?;
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
    launch::<E>(spec, words.device(), kernel::UNPACK_SPIKES, spikes.len(), arguments)?;
    Ok(spikes)
}

fn launch<E: Element>(
    spec: &'static Spec,
    device: &CudaDevice,
    name: &str,
    threads: usize,
    arguments: Arguments,
) -> Result<(), Error> {
    let launcher = Launcher::new::<E>(spec, device, None, threads, None)?;
    // SAFETY: the arguments are the kernel's, of arrays on this device of the lengths that it reads and writes;
    // freeing memory waits its turn on the same stream.
    Ok(unsafe { launcher.launch(name, threads.div_ceil(BLOCK), arguments) }?)
}
