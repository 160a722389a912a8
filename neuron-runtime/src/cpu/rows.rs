//! Views of the columns of `[T, N]` arrays that one tile works on.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};

use neuron_abi::{STEPS, WORD};

use crate::cpu::copier::Copier;
use crate::cpu::prefetch::prefetch;
use crate::number::LANES;
use crate::{Element, Real};

/// A value for each neuron of a tile.
///
/// Aligned to cache lines: kernels keep more values than there are registers, and an access to parts of two lines takes as long as
/// two.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct LaneArray<R>([R; LANES]);

impl<R> Deref for LaneArray<R> {
    type Target = [R; LANES];

    #[inline(always)]
    fn deref(&self) -> &[R; LANES] {
        &self.0
    }
}

impl<R> DerefMut for LaneArray<R> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [R; LANES] {
        &mut self.0
    }
}

/// Zero for each neuron of a tile.
#[inline(always)]
pub fn lanes<R: Real>() -> LaneArray<R> {
    LaneArray([R::ZERO; LANES])
}

/// The same for each of [`STEPS`] steps.
#[inline(always)]
pub fn chunk<R: Real>() -> [LaneArray<R>; STEPS] {
    [lanes(); STEPS]
}

/// A tile's columns of an array that is read.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, T: Element> {
    /// The tile's first column in the first row.
    first: *const T,
    shape: Columns,
    /// What copies other rows as these are loaded.
    copier: Option<&'a Copier<'a, T>>,
    array: PhantomData<&'a [T]>,
}

/// A tile's columns of an array that is written.
#[derive(Debug)]
pub struct RowsMut<'a, T: Element> {
    first: *mut T,
    shape: Columns,
    /// Whether rows are written with non-temporal stores; then they are full tiles, aligned to [`CHUNK`].
    streams: bool,
    array: PhantomData<&'a mut [T]>,
}

/// Which part of an array a tile works on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns {
    /// Rows of the array: `T` or 1.
    pub rows: usize,
    /// Elements of a row: `N`.
    pub stride: usize,
    /// Columns of the tile, at most [`LANES`]; those of all tiles of a group.
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

// The last tile may have fewer columns than lanes. Its rows are copied through a separate block, and only the
// address of the block depends on that: a choice between two loads or stores would keep the kernel's values
// in memory rather than in registers, for all tiles.

impl<'a, T: Element> Rows<'a, T> {
    /// One row, of the first `width` of `lanes`.
    #[inline(always)]
    pub(crate) fn of_lanes(lanes: &'a [T; LANES], width: usize) -> Self {
        let first = lanes[..width].as_ptr();
        Self { first, shape: Columns { rows: 1, stride: 0, width }, copier: None, array: PhantomData }
    }

    /// # Safety
    /// There are no rows, or from `first` on `(rows - 1) * stride + width` elements, borrowed for the lifetime.
    pub(crate) unsafe fn new(first: *const T, shape: Columns) -> Self {
        Self { first, shape, copier: None, array: PhantomData }
    }

    /// The same rows; each load also copies a block by `copier`.
    #[inline(always)]
    pub(crate) fn with(self, copier: &'a Copier<'a, T>) -> Self {
        Self { copier: Some(copier), ..self }
    }

    /// Row `row`; lanes beyond the last column are 0.
    ///
    /// # Panics
    /// If there is no such row.
    #[inline(always)]
    pub fn load(&self, row: usize) -> LaneArray<T::Real> {
        // Before there is a reference to the row: rows of an earlier group may be where the next one is copied to.
        if let Some(copier) = self.copier {
            copier.copy();
        }
        let row = self.row(row);
        if self.copier.is_none() {
            prefetch(row.as_ptr().wrapping_add(LANES));
        }
        let mut space = MaybeUninit::uninit();
        LaneArray(T::load_lanes(match row.try_into() {
            Ok(full) => full,
            Err(_) => padded(row, &mut space),
        }))
    }

    /// Row `row` of all tiles of a group, each in its place.
    ///
    /// # Panics
    /// If there is no such row, or not a place for each tile.
    #[inline(always)]
    pub fn load_tiles(&self, row: usize, to: &mut [[T::Real; LANES]]) {
        let row = self.row(row);
        let (full, rest) = row.as_chunks::<LANES>();
        for (block, lanes) in full.iter().zip(&mut *to) {
            prefetch(block.as_ptr().wrapping_add(row.len()));
            *lanes = T::load_lanes(block);
        }
        if !rest.is_empty() {
            let mut space = MaybeUninit::uninit();
            to[full.len()] = T::load_lanes(padded(rest, &mut space));
        }
    }

    #[inline(always)]
    fn row(&self, row: usize) -> &[T] {
        let offset = self.shape.offset(row);
        // SAFETY: the row is inside the array, by the condition of `new` and the check in `offset`.
        unsafe { std::slice::from_raw_parts(self.first.add(offset), self.shape.width) }
    }
}

impl<T: Element> RowsMut<'_, T> {
    /// # Safety
    /// There are no rows, or from `first` on `(rows - 1) * stride + width` elements, and for the lifetime nothing
    /// but this thread touches the tile's columns.
    pub(crate) unsafe fn new(first: *mut T, shape: Columns) -> Self {
        let bytes = size_of::<T>().saturating_mul(shape.rows).saturating_mul(shape.stride);
        let is_aligned = (first.addr() | (shape.stride * size_of::<T>())).is_multiple_of(CHUNK);
        let is_full = shape.width.is_multiple_of(LANES);
        let streams = cfg!(target_arch = "x86_64") && bytes >= STREAMED && is_aligned && is_full;
        Self { first, shape, streams, array: PhantomData }
    }

    /// A row without columns, in place of an array that is left out: what is written to it is dropped.
    #[inline(always)]
    pub(crate) fn absent() -> Self {
        let shape = Columns { rows: 1, stride: 0, width: 0 };
        Self { first: std::ptr::dangling_mut(), shape, streams: false, array: PhantomData }
    }

    /// Writes row `row`; lanes beyond the last column are dropped.
    ///
    /// # Panics
    /// If there is no such row.
    #[inline(always)]
    pub fn store(&mut self, row: usize, values: &[T::Real; LANES]) {
        let offset = self.shape.offset(row);
        // SAFETY: the row is inside the array, by the condition of `new` and the check in `offset`.
        let start = unsafe { self.first.add(offset) };
        if self.streams {
            let mut block = [T::default(); LANES];
            T::store_lanes(values, &mut block);
            // SAFETY: the row is as long as a block, aligned, and accessed by nothing else; see `new`. Kernels can only
            // write it: views of outputs have no loads.
            return unsafe { stream(&block, start) };
        }
        prefetch(self.first.wrapping_add(offset + LANES));
        let is_full = self.shape.width == LANES;
        let mut space = MaybeUninit::uninit();
        let block = match is_full {
            // SAFETY: the row is as long as a block, and accessed by nothing else; see `new`.
            true => unsafe { &mut *start.cast::<[T; LANES]>() },
            false => blank(&mut space),
        };
        T::store_lanes(values, block);
        if !is_full {
            // SAFETY: as above; `block` is not in the array here.
            cut(block, unsafe { std::slice::from_raw_parts_mut(start, self.shape.width) });
        }
    }

    /// Writes row `row` of all tiles of a group.
    ///
    /// # Panics
    /// If there is no such row, or not a value for each tile.
    #[inline(always)]
    pub fn store_tiles(&mut self, row: usize, values: &[[T::Real; LANES]]) {
        let offset = self.shape.offset(row);
        // SAFETY: the row is inside the array, by the condition of `new` and the check in `offset`; nothing else accesses
        // it.
        let row = unsafe { std::slice::from_raw_parts_mut(self.first.add(offset), self.shape.width) };
        let width = row.len();
        let (full, rest) = row.as_chunks_mut::<LANES>();
        let tiles = full.len();
        if self.streams {
            for (to, values) in full.iter_mut().zip(values) {
                let mut block = [T::default(); LANES];
                T::store_lanes(values, &mut block);
                // SAFETY: as in `store`.
                unsafe { stream(&block, to.as_mut_ptr()) };
            }
            return;
        }
        for (block, values) in full.iter_mut().zip(values) {
            prefetch(block.as_ptr().wrapping_add(width));
            T::store_lanes(values, block);
        }
        if !rest.is_empty() {
            let mut space = MaybeUninit::uninit();
            let block = blank(&mut space);
            T::store_lanes(&values[tiles], block);
            cut(block, rest);
        }
    }
}

/// A tile's columns of an array of bits that is written.
#[derive(Debug)]
pub struct BitRowsMut<'a> {
    first: *mut u32,
    shape: Columns,
    array: PhantomData<&'a mut [u32]>,
}

// A tile's bits are whole words.
const _: () = assert!(LANES == 2 * WORD);

impl BitRowsMut<'_> {
    /// # Safety
    /// There are no rows, or from `first` on `rows - 1` times `stride` words and those of `width` bits, and for the
    /// lifetime nothing but this thread touches the tile's.
    pub(crate) unsafe fn new(first: *mut u32, shape: Columns) -> Self {
        Self { first, shape, array: PhantomData }
    }

    /// Writes which lanes of row `row` are not 0.
    ///
    /// # Panics
    /// If there is no such row.
    #[inline(always)]
    pub fn store<R: Real>(&mut self, row: usize, values: &[R; LANES]) {
        let width = self.shape.width;
        write_bits(self.words(row), values, width);
    }

    /// As [`BitRowsMut::store`], of all tiles of a group.
    ///
    /// # Panics
    /// If there is no such row.
    #[inline(always)]
    pub fn store_tiles<R: Real>(&mut self, row: usize, values: &[[R; LANES]]) {
        let width = self.shape.width;
        for (tile, (words, values)) in self.words(row).chunks_mut(LANES / WORD).zip(values).enumerate() {
            write_bits(words, values, LANES.min(width - tile * LANES));
        }
    }

    #[inline(always)]
    fn words(&mut self, row: usize) -> &mut [u32] {
        let offset = self.shape.offset(row);
        let words = self.shape.width.div_ceil(WORD);
        // SAFETY: the words are inside the array, by the condition of `new` and the check in `offset`.
        unsafe { std::slice::from_raw_parts_mut(self.first.add(offset), words) }
    }
}

/// Writes which of the first `width` values are not 0.
#[inline(always)]
fn write_bits<R: Real>(words: &mut [u32], values: &[R; LANES], width: usize) {
    let bits = packed(values) & (u64::MAX >> (LANES - width));
    for (word, half) in words.iter_mut().zip([bits as u32, (bits >> WORD) as u32]) {
        *word = half;
    }
}

/// Bit `n` says whether value `n` is not 0.
#[inline(always)]
pub(crate) fn packed<R: Real>(values: &[R; LANES]) -> u64 {
    let mut bits = 0;
    for (lane, value) in values.iter().enumerate() {
        bits |= u64::from(*value != R::ZERO) << lane;
    }
    bits
}

#[cold]
#[inline(never)]
fn padded<'s, T: Element>(row: &[T], space: &'s mut MaybeUninit<[T; LANES]>) -> &'s [T; LANES] {
    let block = blank(space);
    block[..row.len()].copy_from_slice(row);
    block
}

#[cold]
#[inline(never)]
fn blank<T: Element>(space: &mut MaybeUninit<[T; LANES]>) -> &mut [T; LANES] {
    space.write([T::default(); LANES])
}

#[cold]
#[inline(never)]
fn cut<T: Element>(block: &[T; LANES], row: &mut [T]) {
    row.copy_from_slice(&block[..row.len()]);
}

/// The size in bytes from which an array is written with non-temporal stores. It would not stay in the caches until it is
/// read, and a line that is not cached need not be read before it is written, which saves a third of the traffic.
const STREAMED: usize = 32 << 20;

/// Bytes of a non-temporal store.
const CHUNK: usize = 16;

/// Writes `block` to `to` with non-temporal stores, which are only ordered with accesses of other threads when
/// [`Streams`] is dropped.
///
/// # Safety
/// `to` is valid for writes of a block and aligned to [`CHUNK`]. Until `Streams` is dropped, only this thread accesses the
/// elements, and only to write them. It may do so repeatedly: stores of one thread to one address keep their order.
#[inline(always)]
unsafe fn stream<T: Element>(block: &[T; LANES], to: *mut T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_stream_si128};
        const { assert!(size_of::<__m128i>() == CHUNK && size_of::<[T; LANES]>().is_multiple_of(CHUNK)) };
        let (from, to) = (block.as_ptr().cast::<__m128i>(), to.cast::<__m128i>());
        for chunk in 0..size_of::<[T; LANES]>() / CHUNK {
            // SAFETY: both are as long as the block, `to` is aligned; every x86-64 processor has the instructions.
            unsafe { _mm_stream_si128(to.add(chunk), _mm_loadu_si128(from.add(chunk))) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    // SAFETY: the condition of this function.
    unsafe {
        to.cast::<[T; LANES]>().write(*block);
    }
}

/// Guard: fences the non-temporal stores of this thread on drop.
pub(crate) struct Streams;

impl Drop for Streams {
    fn drop(&mut self) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: every x86-64 processor has the instruction.
        unsafe {
            std::arch::x86_64::_mm_sfence();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_aligned_arrays_are_streamed() {
        let elements = STREAMED / size_of::<f32>();
        let mut array = vec![0.0f32; elements + 4];
        let aligned = array.as_mut_ptr().align_offset(CHUNK);
        let streams = |offset, rows, stride, width| {
            // SAFETY: the rows are inside the array, which is borrowed by nothing else.
            unsafe { RowsMut::new(array.as_ptr().cast_mut().add(offset), Columns { rows, stride, width }) }
                .streams
        };
        let is_x86_64 = cfg!(target_arch = "x86_64");
        assert_eq!(streams(aligned, 8, elements / 8, LANES), is_x86_64);
        assert!(!streams(aligned, 8, elements / 8, LANES - 1), "a tile of fewer columns");
        assert!(!streams(aligned + 1, 8, elements / 8, LANES), "a row that is not aligned");
        assert!(!streams(aligned, 4, elements / 4 - 1, LANES), "smaller, and rows that are not aligned");
        assert!(!streams(aligned, 7, elements / 8, LANES), "smaller");
    }

    #[test]
    fn the_last_of_two_streamed_stores_counts() {
        let columns = STREAMED / size_of::<f32>() / 8;
        let mut array = vec![0.0f32; STREAMED / size_of::<f32>() + 4];
        let first = array.as_mut_ptr().align_offset(CHUNK);
        let shape = Columns { rows: 8, stride: columns, width: LANES };
        // SAFETY: the rows are inside the array, which nothing else accesses until the views are gone.
        let [mut rows, mut again] =
            [(); 2].map(|()| unsafe { RowsMut::new(array.as_mut_ptr().add(first), shape) });
        {
            let _streams = Streams;
            rows.store(1, &[1.0; LANES]);
            again.store(1, &[2.0; LANES]);
            rows.store(2, &[3.0; LANES]);
        }
        assert_eq!(rows.streams, cfg!(target_arch = "x86_64"));
        let row = |row: usize| &array[first + row * columns..][..LANES + 1];
        assert!(row(1)[..LANES] == [2.0; LANES] && row(2)[..LANES] == [3.0; LANES]);
        assert!(row(0) == [0.0; LANES + 1] && row(1)[LANES] == 0.0);
    }

    /// Rows of a group are those of its tiles.
    #[test]
    fn groups_are_loaded_and_stored_tile_by_tile() {
        let (rows, stride) = (3, 8 * LANES + 5);
        let array: Vec<f32> = (0..rows * stride).map(|i| i as f32).collect();
        for width in [1, LANES - 1, LANES, LANES + 1, 2 * LANES, 2 * LANES + WORD, 8 * LANES] {
            let (shape, tiles) = (Columns { rows, stride, width }, width.div_ceil(LANES));
            // SAFETY: the rows are inside the array.
            let from = unsafe { Rows::<f32>::new(array.as_ptr(), shape) };
            let mut values = vec![[-1.0; LANES]; tiles];
            from.load_tiles(1, &mut values);
            let row = &array[stride..][..width];
            assert!(
                values.as_flattened()[..width] == *row
                    && values.as_flattened()[width..].iter().all(|v| *v == 0.0)
            );
            let mut copy = vec![-1.0f32; rows * stride];
            // SAFETY: the rows are inside the array, which nothing else accesses.
            unsafe { RowsMut::new(copy.as_mut_ptr(), shape) }.store_tiles(2, &values);
            assert!(
                copy[2 * stride..][..width] == *row && copy[2 * stride + width..].iter().all(|v| *v == -1.0)
            );
            assert!(copy[..2 * stride].iter().all(|value| *value == -1.0));
            let odd: Vec<[f32; LANES]> = values.iter().map(|tile| tile.map(|value| value % 2.0)).collect();
            let words = width.div_ceil(WORD);
            let mut bits = vec![u32::MAX; rows * (words + 1)];
            let shape = Columns { stride: words + 1, ..shape };
            // SAFETY: as above.
            unsafe { BitRowsMut::new(bits.as_mut_ptr(), shape) }.store_tiles(1, &odd);
            let bit = |column: usize| bits[words + 1 + column / WORD] >> (column % WORD) & 1;
            assert!(
                (0..words * WORD)
                    .all(|column| bit(column) == u32::from(column < width && row[column] % 2.0 != 0.0))
            );
            assert!(bits[2 * words + 1..].iter().chain(&bits[..words + 1]).all(|word| *word == u32::MAX));
        }
        RowsMut::<f32>::absent().store_tiles(0, &[[0.0; LANES]; 2]);
    }
}
