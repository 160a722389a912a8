//! Arrays with a shape.

use crate::{Element, Error};

/// A contiguous array, row-major, with the shape that its user gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct Array<E: Element> {
    shape: Vec<usize>,
    data: Vec<E>,
}

impl<E: Element> Array<E> {
    /// Of elements in row-major order.
    ///
    /// # Errors
    /// [`Error::ArrayLength`] if there are more or fewer than the shape has.
    pub fn from_vec(shape: impl Into<Vec<usize>>, data: Vec<E>) -> Result<Self, Error> {
        let shape = shape.into();
        let expected = elements(&shape);
        if expected == Some(data.len()) {
            return Ok(Self { shape, data });
        }
        let expected = expected.map_or_else(|| "too many".to_owned(), |product| product.to_string());
        Err(Error::ArrayLength { shape, expected, actual: data.len() })
    }

    /// Filled with `value`.
    ///
    /// # Panics
    /// If there are more elements than the machine can address, as [`vec!`] does.
    pub fn full(shape: impl Into<Vec<usize>>, value: E) -> Self {
        let shape = shape.into();
        let length = elements(&shape).unwrap_or_else(|| panic!("an array of shape {shape:?} is too large"));
        Self { shape, data: vec![value; length] }
    }

    /// Filled with zeros.
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

    /// Its elements, row-major.
    pub fn as_slice(&self) -> &[E] {
        &self.data
    }

    /// Its elements, row-major.
    pub fn as_mut_slice(&mut self) -> &mut [E] {
        &mut self.data
    }

    /// Its elements, row-major.
    pub fn into_vec(self) -> Vec<E> {
        self.data
    }
}

/// The product of the dimensions, if that is a number.
fn elements(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size))
}
