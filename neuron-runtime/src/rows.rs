//! Views of the columns of `[T, N]` arrays that one tile works on.

use std::marker::PhantomData;

use crate::{Element, Real};

/// Neurons that a kernel computes together: the width of a tile.
pub const LANES: usize = 64;

/// A value for each neuron of a tile, all zero.
#[inline(always)]
pub fn lanes<R: Real>() -> [R; LANES] {
    [R::ZERO; LANES]
}

/// A tile's columns of an array that is read.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, T: Element> {
    /// The tile's first column in the first row.
    first: *const T,
    shape: Columns,
    array: PhantomData<&'a [T]>,
}

/// A tile's columns of an array that is written.
#[derive(Debug)]
pub struct RowsMut<'a, T: Element> {
    first: *mut T,
    shape: Columns,
    array: PhantomData<&'a mut [T]>,
}

/// Which part of an array a tile works on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns {
    /// Rows of the array: `T` or 1.
    pub rows: usize,
    /// Elements of a row: `N`.
    pub stride: usize,
    /// Columns of the tile, at most [`LANES`].
    pub width: usize,
}

impl Columns {
    /// Where row `row` begins, in elements from the tile's first.
    #[inline(always)]
    fn offset(&self, row: usize) -> usize {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        row * self.stride
    }
}

impl<T: Element> Rows<'_, T> {
    /// # Safety
    /// From `first` on there are `(rows - 1) * stride + width` elements, borrowed for the lifetime.
    pub(crate) unsafe fn new(first: *const T, shape: Columns) -> Self {
        Self { first, shape, array: PhantomData }
    }

    /// Row `row`; lanes beyond the last column are 0.
    #[inline(always)]
    pub fn load(&self, row: usize) -> [T::Real; LANES] {
        let offset = self.shape.offset(row);
        // SAFETY: the row is inside the array, by the condition of `new` and the check in `offset`.
        let row = unsafe { std::slice::from_raw_parts(self.first.add(offset), self.shape.width) };
        match row.try_into() {
            Ok(full) => T::load_lanes(full),
            Err(_) => partial(row),
        }
    }
}

/// A row of the last tile, which may have fewer columns.
#[inline(never)]
fn partial<T: Element>(row: &[T]) -> [T::Real; LANES] {
    let mut padded = [T::default(); LANES];
    padded[..row.len()].copy_from_slice(row);
    T::load_lanes(&padded)
}

impl<T: Element> RowsMut<'_, T> {
    /// # Safety
    /// From `first` on there are `(rows - 1) * stride + width` elements, and for the lifetime nothing but
    /// this thread touches the tile's columns.
    pub(crate) unsafe fn new(first: *mut T, shape: Columns) -> Self {
        Self { first, shape, array: PhantomData }
    }

    /// Writes row `row`; lanes beyond the last column are dropped.
    #[inline(always)]
    pub fn store(&mut self, row: usize, values: &[T::Real; LANES]) {
        let offset = self.shape.offset(row);
        // SAFETY: the row is inside the array, by the condition of `new` and the check in `offset`, and no
        // other reference to these columns exists while this one does.
        let row = unsafe { std::slice::from_raw_parts_mut(self.first.add(offset), self.shape.width) };
        match row.try_into() {
            Ok(full) => T::store_lanes(values, full),
            Err(_) => store_partial(values, row),
        }
    }
}

#[inline(never)]
fn store_partial<T: Element>(values: &[T::Real; LANES], row: &mut [T]) {
    let mut padded = [T::default(); LANES];
    T::store_lanes(values, &mut padded);
    row.copy_from_slice(&padded[..row.len()]);
}
