//! Shaped arrays in the memory of the CPU or of a GPU.

mod rows;

use std::sync::Arc;

use crate::cpu::memory::Elements;
#[cfg(feature = "cuda")]
use crate::cuda::{CudaArray, CudaDevice};
use crate::number::Plain;
use crate::{Call, Element, Error, Neuron};

/// The device that an array is on, which is also the one that processes it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Device {
    /// The CPU.
    #[default]
    Cpu,
    /// A GPU, with the feature `cuda`.
    #[cfg(feature = "cuda")]
    Cuda(CudaDevice),
}

impl Device {
    /// The GPU with the given index.
    ///
    /// # Errors
    /// [`Error::Cuda`] if there is no driver or no such GPU.
    #[cfg(feature = "cuda")]
    pub fn cuda(index: usize) -> Result<Self, Error> {
        Ok(Self::Cuda(CudaDevice::new(index)?))
    }

    /// Runs a template on arrays in the memory of the CPU. For a GPU, inputs and outputs are copied.
    ///
    /// # Errors
    /// As [`Neuron::run`], and errors of the device.
    pub fn run<N: Neuron, E: Element>(&self, neuron: &N, call: Call<'_, '_, E>) -> Result<(), Error> {
        match self {
            Self::Cpu => neuron.run(call),
            #[cfg(feature = "cuda")]
            Self::Cuda(device) => crate::cuda::run(device, neuron, call),
        }
    }
}

impl std::fmt::Display for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            #[cfg(feature = "cuda")]
            Self::Cuda(device) => device.fmt(f),
        }
    }
}

/// A contiguous, row-major array with a shape.
///
/// Arrays are created in the memory of the CPU and moved with [`Array::to`]. Nodes and training steps run on the device
/// of their inputs. Clones share their elements until one of them is written to, so a backward pass can keep its caller's
/// arrays without copying them.
#[derive(Clone, Debug)]
pub struct Array<E: Element> {
    shape: Vec<usize>,
    data: Data<E>,
}

/// The elements, on either device.
#[derive(Clone, Debug)]
pub(crate) enum Data<E: Plain> {
    Cpu(Arc<Elements<E>>),
    #[cfg(feature = "cuda")]
    Cuda(CudaArray<E>),
}

impl<E: Plain> Data<E> {
    pub fn cpu(elements: Vec<E>) -> Self {
        Self::Cpu(Arc::new(Elements::new(elements)))
    }

    /// Elements that a kernel wrote.
    pub fn output(elements: Elements<E>) -> Self {
        Self::Cpu(Arc::new(elements))
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Cpu(data) => data.len(),
            #[cfg(feature = "cuda")]
            Self::Cuda(data) => data.len(),
        }
    }

    pub fn device(&self) -> Device {
        match self {
            Self::Cpu(_) => Device::Cpu,
            #[cfg(feature = "cuda")]
            Self::Cuda(data) => Device::Cuda(data.device().clone()),
        }
    }

    pub fn to(&self, device: &Device) -> Result<Self, Error> {
        Ok(match (self, device) {
            #[cfg(feature = "cuda")]
            (Self::Cuda(data), Device::Cuda(device)) if data.device() == device => Self::Cuda(data.clone()),
            (Self::Cpu(data), Device::Cpu) => Self::Cpu(data.clone()),
            #[cfg(feature = "cuda")]
            (Self::Cuda(data), Device::Cpu) => Self::cpu(data.to_vec()?),
            #[cfg(feature = "cuda")]
            (Self::Cpu(data), Device::Cuda(device)) => Self::Cuda(CudaArray::from_slice(device, data)?),
            #[cfg(feature = "cuda")]
            (Self::Cuda(data), Device::Cuda(device)) => {
                Self::Cuda(CudaArray::from_slice(device, &data.to_vec()?)?)
            }
        })
    }

    pub fn to_vec(&self) -> Result<Vec<E>, Error> {
        match self {
            Self::Cpu(data) => Ok(data.to_vec()),
            #[cfg(feature = "cuda")]
            Self::Cuda(data) => Ok(data.to_vec()?),
        }
    }
}

impl<E: Element> Array<E> {
    /// An array of elements in row-major order.
    ///
    /// # Errors
    /// [`Error::ArrayLength`] if their number does not match the shape.
    pub fn from_vec(shape: impl Into<Vec<usize>>, data: Vec<E>) -> Result<Self, Error> {
        Self::new(shape.into(), Data::cpu(data))
    }

    /// An array of elements in the memory of a GPU.
    ///
    /// # Errors
    /// As [`Array::from_vec`].
    #[cfg(feature = "cuda")]
    pub fn from_cuda(shape: impl Into<Vec<usize>>, data: CudaArray<E>) -> Result<Self, Error> {
        Self::new(shape.into(), Data::Cuda(data))
    }

    pub(crate) fn new(shape: Vec<usize>, data: Data<E>) -> Result<Self, Error> {
        let expected = elements(&shape);
        let actual = data.len();
        if expected == Some(actual) {
            return Ok(Self { shape, data });
        }
        let expected =
            expected.map_or_else(|| format!("more than {}", usize::MAX), |product| product.to_string());
        Err(Error::ArrayLength { shape, expected, actual })
    }

    /// An array filled with `value`.
    ///
    /// # Panics
    /// If there are more elements than the machine can address, as [`vec!`] does.
    pub fn full(shape: impl Into<Vec<usize>>, value: E) -> Self {
        let shape = shape.into();
        let length = elements(&shape).unwrap_or_else(|| panic!("an array of shape {shape:?} is too large"));
        Self { shape, data: Data::cpu(vec![value; length]) }
    }

    /// An array filled with zeros.
    ///
    /// # Panics
    /// As [`Array::full`].
    pub fn zeros(shape: impl Into<Vec<usize>>) -> Self {
        Self::full(shape, E::default())
    }

    /// The sizes of its dimensions.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Its device.
    pub fn device(&self) -> Device {
        self.data.device()
    }

    /// The array on `device`: a copy, or a clone if it is already there.
    ///
    /// # Errors
    /// [`Error::Cuda`]
    pub fn to(&self, device: &Device) -> Result<Self, Error> {
        Ok(Self { shape: self.shape.clone(), data: self.data.to(device)? })
    }

    /// Its elements, row-major, or `None` if it is on a GPU.
    pub fn as_slice(&self) -> Option<&[E]> {
        match &self.data {
            Data::Cpu(data) => Some(data),
            #[cfg(feature = "cuda")]
            Data::Cuda(_) => None,
        }
    }

    /// Its elements for writing, row-major, or `None` if it is on a GPU. Clones keep their values.
    pub fn as_mut_slice(&mut self) -> Option<&mut [E]> {
        match &mut self.data {
            Data::Cpu(data) => Some(&mut **Arc::make_mut(data)),
            #[cfg(feature = "cuda")]
            Data::Cuda(_) => None,
        }
    }

    /// A copy of its elements in the memory of the CPU, row-major.
    ///
    /// # Errors
    /// [`Error::Cuda`], also for errors of earlier work on the GPU.
    pub fn to_vec(&self) -> Result<Vec<E>, Error> {
        self.data.to_vec()
    }

    /// Its elements in the memory of the CPU, row-major. Those of [`Array::from_vec`] are not copied if there are no clones; those that
    /// a kernel wrote are moved to the start of their memory.
    ///
    /// # Errors
    /// As [`Array::to_vec`].
    pub fn into_vec(self) -> Result<Vec<E>, Error> {
        match self.data {
            Data::Cpu(data) => Ok(Arc::unwrap_or_clone(data).into_vec()),
            #[cfg(feature = "cuda")]
            Data::Cuda(data) => Ok(data.to_vec()?),
        }
    }

    pub(crate) fn data(&self) -> &Data<E> {
        &self.data
    }
}

/// Arrays are equal if their shapes and elements are, on any device. Elements on a GPU are copied to be compared; if that
/// fails, they compare unequal.
impl<E: Element> PartialEq for Array<E> {
    fn eq(&self, other: &Self) -> bool {
        if self.shape != other.shape {
            return false;
        }
        match (&self.data, &other.data) {
            (Data::Cpu(a), Data::Cpu(b)) => a == b,
            #[cfg(feature = "cuda")]
            _ => matches!((self.to_vec(), other.to_vec()), (Ok(a), Ok(b)) if a == b),
        }
    }
}

/// The product of the dimensions, unless it overflows. Zeros do not hide an overflow of the other dimensions.
fn elements(shape: &[usize]) -> Option<usize> {
    // Zeros aside, so that it does not depend on their place whether others are too large.
    let mut sizes = shape.iter().filter(|size| **size > 0);
    let product = sizes.try_fold(1usize, |product, &size| product.checked_mul(size))?;
    Some(if shape.contains(&0) { 0 } else { product })
}
