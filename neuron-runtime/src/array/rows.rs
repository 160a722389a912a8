//! Rows of arrays: the steps of a sequence, one by one.

use super::{Array, Data};
use crate::number::Plain;
use crate::{Element, Error, Real};

impl<E: Element> Array<E> {
    /// Row `index` of a sequence `[T, ...]`. `index` must be less than `T`.
    pub(crate) fn row(&self, index: usize) -> Result<Self, Error> {
        let shape = self.shape.get(1..).unwrap_or_default();
        let width: usize = shape.iter().product();
        Ok(Self { shape: shape.to_vec(), data: self.data.part(index * width, width)? })
    }

    /// The sequence `[T, ...]` of at least one row, all of one shape and on one device.
    pub(crate) fn stack(rows: &[Self]) -> Result<Self, Error> {
        let shape = [&[rows.len()], rows[0].shape()].concat();
        let data: Vec<&Data<E>> = rows.iter().map(Self::data).collect();
        Self::new(shape, Data::concat(&data)?)
    }
}

impl<R: Real> Array<R> {
    /// The sum of two arrays of one shape, on the device of the first. Those on a GPU are added on the CPU.
    pub(crate) fn plus(&self, other: &Self) -> Result<Self, Error> {
        let mut sum = self.to_vec()?;
        match other.as_slice() {
            Some(values) => add(&mut sum, values),
            None => add(&mut sum, &other.to_vec()?),
        }
        Self::from_vec(self.shape.clone(), sum)?.to(&self.device())
    }

    /// Adds an array of the same shape in place and returns true, if both are in the memory of the CPU.
    pub(crate) fn add_in_place(&mut self, other: &Self) -> bool {
        match (self.as_mut_slice(), other.as_slice()) {
            (Some(sum), Some(values)) => {
                add(sum, values);
                true
            }
            _ => false,
        }
    }
}

fn add<R: Real>(sum: &mut [R], values: &[R]) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum = *sum + *value;
    }
}

impl<E: Plain> Data<E> {
    /// A copy of `len` elements.
    fn part(&self, start: usize, len: usize) -> Result<Self, Error> {
        Ok(match self {
            Self::Cpu(data) => Self::cpu(data[start..start + len].to_vec()),
            #[cfg(feature = "cuda")]
            Self::Cuda(data) => Self::Cuda(data.part(start, len)?),
        })
    }

    /// The elements of all, which are on the device of the first.
    fn concat(parts: &[&Self]) -> Result<Self, Error> {
        #[cfg(feature = "cuda")]
        if let Self::Cuda(first) = parts[0] {
            let on_gpu = parts.iter().filter_map(|part| match part {
                Self::Cuda(data) => Some(data),
                Self::Cpu(_) => None,
            });
            let on_gpu: Vec<_> = on_gpu.collect();
            return Ok(Self::Cuda(crate::cuda::CudaArray::concat(first.device(), &on_gpu)?));
        }
        let mut elements = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
        for part in parts {
            match part {
                Self::Cpu(data) => elements.extend_from_slice(data),
                #[cfg(feature = "cuda")]
                Self::Cuda(data) => elements.extend(data.to_vec()?),
            }
        }
        Ok(Self::cpu(elements))
    }
}
