//! Rows of large arrays, copied for several tiles at once while those before are computed.
//!
//! A tile's part of a row is a few cache lines, and the same part of the next row is far away. Read tile by tile, memory is read in
//! pieces that no processor foresees, and where rows are a power of two apart, they compete for the same places in the caches:
//! what was prefetched for the next tile is gone before it is needed. Copied row by row, each piece is several times as long, and
//! prefetched just ahead. A load of the tile that is being computed copies a block for later, so that memory and arithmetic overlap.

use std::cell::Cell;
use std::ops::Range;

use crate::cpu::copier::{Copier, TILES};
use crate::cpu::rows::{Columns, Rows};
use crate::cpu::work::{Input, Work, wrong_class};
use crate::number::LANES;
use crate::{ByClass, Class, Element};

/// Bytes of the rows of a group, at most: with those of the next one they have to stay in the second-level cache. In float32 that is
/// enough for two signals of 32 steps.
const MOST: usize = 128 << 10;

/// Bytes of an array from which its rows are copied. Smaller ones are in the caches already.
const LARGE: usize = 32 << 20;

/// The rows of all signals that a call reads, for the columns of a group and of the next one.
#[derive(Debug)]
pub(crate) struct Stage<'a, E: Element> {
    /// Those of two groups, one row after the other.
    _values: [Vec<E>; 2],
    /// Those of the group that is being computed.
    current: Cell<*const E>,
    copier: Copier<'a, E>,
    /// For each input the numbers of its rows, none for those that are not signals.
    rows: Vec<Range<usize>>,
    neurons: usize,
}

impl<'a, E: Element> Stage<'a, E> {
    /// Tiles of a group.
    pub const TILES: usize = TILES;

    /// Columns of a group.
    pub const COLUMNS: usize = TILES * LANES;

    /// A stage for calls that read several large signals; `None` for others.
    pub fn new(work: &Work<'a, E>) -> Option<Self> {
        Self::of_arrays(work, LARGE)
    }

    /// The same, where arrays of `least` bytes are large.
    fn of_arrays(work: &Work<'a, E>, least: usize) -> Option<Self> {
        let neurons = work.neurons();
        let (mut from, mut rows, mut large) = (Vec::new(), Vec::new(), 0);
        for input in work.inputs() {
            let first = from.len();
            if let Input::Rows(ByClass::Signal(array), count) = *input {
                from.extend(array.chunks_exact(neurons).take(count).map(<[E]>::as_ptr));
                large += usize::from(size_of_val(array) >= least);
            }
            rows.push(first..from.len());
        }
        let len = from.len() * Self::COLUMNS;
        if large < 2 || len * size_of::<E>() > MOST {
            return None;
        }
        let mut values = [vec![E::default(); len], vec![E::default(); len]];
        let [current, next] = values.each_mut().map(|values| values.as_mut_ptr());
        let copier = Copier::new(from, next);
        Some(Self { _values: values, current: Cell::new(current), copier, rows, neurons })
    }

    /// Begins to copy the group whose first column is `column`.
    pub fn begin(&self, column: usize) {
        assert!(column + Self::COLUMNS <= self.neurons, "a group without columns");
        // SAFETY: every row has these columns, as checked; there is a place for each in both groups of values.
        unsafe { self.copier.begin(column) };
    }

    /// Completes the copy of the group whose first column is `column`, which is computed from then on.
    pub fn complete(&self, column: usize) {
        if !self.copier.has_begun(column) {
            self.begin(column);
        }
        let next = self.copier.complete(self.current.get().cast_mut());
        self.current.set(next);
    }

    /// The rows of input `index` for a tile of the group.
    #[inline(always)]
    pub fn rows(&self, index: usize, member: usize) -> Rows<'_, E> {
        let rows = self.rows[index].clone();
        if rows.is_empty() {
            wrong_class(Class::State);
        }
        assert!(member < TILES, "tile {member} of a group");
        let shape = Columns { rows: rows.len(), stride: Self::COLUMNS, width: LANES };
        // SAFETY: there are as many rows, each with the columns of all tiles. `Rows` refers to them only while it loads one, and
        // copies before it does. Loaded after the next call of `complete`, they would be those of another group.
        unsafe { Rows::new(self.current.get().add(rows.start * Self::COLUMNS + member * LANES), shape) }
            .with(&self.copier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::isa::Isa;
    use crate::cpu::tile::Tiles;
    use crate::{Gradient, Source, TileGradient};

    #[test]
    fn every_tile_has_its_own_rows() {
        let (steps, neurons) = (3, 37 * LANES + 5);
        let x: Vec<f32> = (0..steps * neurons).map(|i| i as f32).collect();
        let grad: Vec<f32> = x.iter().map(|x| -x).collect();
        let inputs = [&x, &grad].map(|signal| Input::Rows(Source::Signal(signal), steps));
        let state = Input::Rows(Source::State(&x[..neurons]), 1);
        let [first, second] = inputs;
        let inputs = [first, state, second].into_iter();
        let work = Work::new(steps, neurons, Gradient::default(), inputs, std::iter::empty());
        assert!(Stage::new(&work).is_none(), "small arrays");
        let stage = Stage::of_arrays(&work, 1).unwrap();
        let gradient = TileGradient::new(Gradient::default(), Isa::BASELINE);
        // One stage serves ranges one after the other; only full groups of it are staged.
        for range in [0..38, 5..30, 0..7, 29..38, 3..11] {
            let mut seen = 0;
            for (tile, number) in Tiles::new(&work, gradient, range.clone(), Some(&stage)).zip(range.clone())
            {
                let first = number * LANES;
                let width = LANES.min(neurons - first);
                for step in 0..steps {
                    // Several loads of a row copy blocks ahead, which may not disturb those in use.
                    for _ in 0..2 {
                        let (x, grad) = (tile.signal(0).load(step), tile.signal(2).load(step));
                        for lane in 0..width {
                            let expected = (step * neurons + first + lane) as f32;
                            assert_eq!(
                                (x[lane], grad[lane]),
                                (expected, -expected),
                                "tile {number} of {range:?}"
                            );
                        }
                    }
                }
                assert_eq!(tile.state(1).load(0)[0], first as f32);
                seen += 1;
            }
            assert_eq!(seen, range.len());
        }
    }

    #[test]
    fn long_sequences_are_not_staged() {
        let (steps, neurons) = (64, 8 * LANES);
        let x = vec![0.0f32; steps * neurons];
        let stage = |signals: usize, steps: usize| {
            let inputs = (0..signals).map(|_| Input::Rows(Source::Signal(&x[..steps * neurons]), steps));
            let work = Work::new(steps, neurons, Gradient::default(), inputs, std::iter::empty());
            Stage::of_arrays(&work, 1).is_some()
        };
        assert!(stage(2, 32) && !stage(2, 33) && !stage(1, 8));
    }

    #[test]
    fn large_arrays_are_staged() {
        let (steps, len) = (16, LARGE / size_of::<f32>());
        let x = vec![0.0f32; len];
        let stage = |len: usize| {
            let inputs = (0..2).map(|_| Input::Rows(Source::Signal(&x[..len]), steps));
            let work = Work::new(steps, len / steps, Gradient::default(), inputs, std::iter::empty());
            Stage::new(&work).is_some()
        };
        assert!(stage(len) && !stage(len - steps));
    }
}
