//! Bit-packed spikes.

use crate::array::Data;
use crate::cpu::memory::Elements;
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::{Array, Class, Device, Element, Error, Spec, Template, bits};

/// The spikes of a sequence, one bit each: 1/32 of the memory of `f32` spikes.
///
/// Spikes of shape `[T, ...]` with `N` neurons per step are `[T, ceil(N / 32)]` words of type `u32`. The spike of neuron `n`
/// is bit `n % 32` of word `n / 32` of its step, where bit 0 is the lowest; bits beyond the last neuron are 0. On a
/// little-endian machine these are the bytes of NumPy's `packbits(..., bitorder="little")` for each step, padded to words.
#[derive(Clone, Debug)]
pub struct PackedSpikes {
    spec: &'static Spec,
    shape: Vec<usize>,
    words: Data<u32>,
}

impl PackedSpikes {
    pub(crate) fn new(spec: &'static Spec, shape: Vec<usize>, words: Data<u32>) -> Self {
        Self { spec, shape, words }
    }

    /// Spikes `[T, ...]` from their words, `[T, ceil(N / 32)]`.
    pub(crate) fn of_words(spec: &'static Spec, shape: Vec<usize>, words: Vec<u32>) -> Self {
        Self::new(spec, shape, Data::cpu(words))
    }

    /// Packs the spikes of a sequence `[T, ...]` on their device: every value other than 0 is a spike.
    ///
    /// `spec` is the neuron that they come from, or any other that fires: on a GPU, packing is one of its kernels, which are
    /// loaded if necessary.
    ///
    /// # Errors
    /// [`Error::Shape`] without a time dimension, [`Error::Empty`] for arrays without elements,
    /// [`Error::NoTemplate`] if the neuron does not fire, [`Error::Cuda`].
    pub fn pack<E: Element>(spec: &'static Spec, spikes: &Array<E>) -> Result<Self, Error> {
        let (neuron, template) = (spec.name, Template::PackedFptt);
        spec.check_template(template)?;
        let Some((&steps, dims)) = spikes.shape().split_first() else {
            let (argument, expected) = (spec.output.to_owned(), "[T, ...]".to_owned());
            return Err(Error::Shape { neuron, argument, expected, actual: Vec::new() });
        };
        // Where one dimension is 0, others are without limit.
        for (what, is_empty) in [("N", dims.contains(&0)), ("T", steps == 0)] {
            if is_empty {
                return Err(Error::Empty { neuron, template, what });
            }
        }
        let neurons = dims.iter().product();
        let words = match spikes.data() {
            Data::Cpu(data) => {
                let mut words = Elements::output(steps * Class::Bits.columns(neurons));
                bits::pack(neurons, data, &mut words)?;
                Data::output(words)
            }
            #[cfg(feature = "cuda")]
            Data::Cuda(data) => Data::Cuda(cuda::pack(spec, data, neurons)?),
        };
        Ok(Self::new(spec, spikes.shape().to_vec(), words))
    }

    /// The spikes as 0 and 1, `[T, ...]`, on the same device.
    ///
    /// # Errors
    /// [`Error::Cuda`]
    pub fn unpack<E: Element>(&self) -> Result<Array<E>, Error> {
        let neurons = self.neurons();
        match &self.words {
            Data::Cpu(words) => {
                let mut spikes = Elements::output(self.shape.iter().product());
                bits::unpack(neurons, words, &mut spikes)?;
                Array::new(self.shape.clone(), Data::output(spikes))
            }
            #[cfg(feature = "cuda")]
            Data::Cuda(words) => {
                Array::from_cuda(self.shape.clone(), cuda::unpack(self.spec, words, neurons)?)
            }
        }
    }

    /// The shape of the spikes: `[T, ...]`.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn neurons(&self) -> usize {
        self.shape[1..].iter().product()
    }

    /// Their device.
    pub fn device(&self) -> Device {
        self.words.device()
    }

    /// The spikes on `device`: a copy, or a clone if they are already there.
    ///
    /// # Errors
    /// [`Error::Cuda`]
    pub fn to(&self, device: &Device) -> Result<Self, Error> {
        Ok(Self { spec: self.spec, shape: self.shape.clone(), words: self.words.to(device)? })
    }

    /// The words, `[T, ceil(N / 32)]`, or `None` if they are on a GPU.
    pub fn as_words(&self) -> Option<&[u32]> {
        match &self.words {
            Data::Cpu(words) => Some(words),
            #[cfg(feature = "cuda")]
            Data::Cuda(_) => None,
        }
    }

    /// A copy of the words in the memory of the CPU.
    ///
    /// # Errors
    /// [`Error::Cuda`], also for errors of earlier work on the GPU.
    pub fn to_words(&self) -> Result<Vec<u32>, Error> {
        self.words.to_vec()
    }
}

/// Equal if shapes and spikes are, on any device. Words on a GPU are copied to be compared; if that fails, they compare
/// unequal.
impl PartialEq for PackedSpikes {
    fn eq(&self, other: &Self) -> bool {
        let same_words = || matches!((self.to_words(), other.to_words()), (Ok(a), Ok(b)) if a == b);
        self.shape == other.shape && same_words()
    }
}
