//! The order in which the gradients of parameters are added up over neurons.
//!
//! It depends on the number of neurons and the layouts of parameters alone, neither on threads nor on the device nor on the format:
//! kernels go through the same passes, in float64 like the CPU, and get the same bits.
//!
//! First, neurons that are [`columns`] apart are added up, in order: by threads of the backward kernels, each of which computes
//! such neurons one after the other, so that only sums are written. [`passes`] add up what that leaves.
//!
//! Sums begin at -0.0: unlike 0.0, it leaves every number that is added to it as it is.

pub(crate) use neuron_abi::{SUM_ROWS as ROWS, SUM_SEGMENT as SEGMENT, THREADS as LANES};
use smallvec::SmallVec;

use crate::parameter::Layout;

/// What sums begin at.
pub(crate) const START: f64 = -0.0;

/// Columns from which on a GPU is busy with a thread for each, or one for two of them. Twice as many keep its processors more evenly
/// busy, which is worth more than to write fewer sums once each is of [`SOME`] neurons (docs/benchmarks.md).
const BUSY: usize = 3 << 17;

/// Neurons of a column for which there are [`BUSY`] columns only.
const SOME: usize = 4;

/// Neurons of a column, at most.
const MOST: usize = 32;

/// What the number of columns is a multiple of: the rows of arrays stay aligned.
const ALIGNMENT: usize = 64;

/// How far neurons are apart that are added up first, of parameters with such layouts; `neurons` if that is not worth while.
///
/// A multiple of each layout's `count * inner`: neurons that are that far apart have the same values of parameters.
pub(crate) fn columns(layouts: impl IntoIterator<Item = Layout>, neurons: usize) -> usize {
    let rows = (neurons / BUSY).min(SOME).max(neurons / (2 * BUSY)).min(MOST);
    if rows < 2 {
        return neurons;
    }
    let unit = layouts.into_iter().try_fold(ALIGNMENT, common_multiple);
    let columns = unit.and_then(|unit| neurons.div_ceil(rows).checked_next_multiple_of(unit));
    columns.map_or(neurons, |columns| columns.min(neurons))
}

/// The least common multiple of `unit` and the layout's `count * inner`, if there is one and it can be represented.
fn common_multiple(unit: usize, layout: Layout) -> Option<usize> {
    let block = layout.count.checked_mul(layout.inner).filter(|block| *block > 0)?;
    let (mut divisor, mut rest) = (unit, block);
    while rest > 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    unit.checked_mul(block / divisor)
}

/// One pass over values, which leaves fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Over blocks of [`ROWS`] rows.
    Rows { rows: usize, columns: usize },
    /// Over segments of [`SEGMENT`] neighbours in each channel.
    Segments { channels: usize, inner: usize },
}

#[cfg(feature = "cuda")]
impl Pass {
    /// How many values it leaves.
    pub fn outputs(self) -> usize {
        match self {
            Self::Rows { rows, columns } => rows.div_ceil(ROWS) * columns,
            Self::Segments { channels, inner } => channels * inner.div_ceil(SEGMENT),
        }
    }
}

/// Groups in which the rows of a block are added up: every so many rows are one.
pub(crate) fn groups(rows: usize) -> usize {
    if rows > ROWS / 8 { 8 } else { 1 }
}

/// The passes that add up `values` values, seen as `[batch, count, inner]`, over `batch` and `inner`. There is at least one: values
/// that are sums already are one row.
pub(crate) fn passes(layout: Layout, values: usize) -> SmallVec<[Pass; 8]> {
    // One value for all: all are neighbours.
    let shared = Layout { count: 1, inner: values };
    let Layout { count, inner } = if layout == Layout::SHARED { shared } else { layout };
    let mut passes = SmallVec::new();
    let columns = count * inner;
    let mut rows = values / columns;
    while rows > 1 || (inner == 1 && passes.is_empty()) {
        passes.push(Pass::Rows { rows, columns });
        rows = rows.div_ceil(ROWS);
    }
    let mut inner = inner;
    while inner > 1 {
        passes.push(Pass::Segments { channels: count, inner });
        inner = inner.div_ceil(SEGMENT);
    }
    passes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_keep_channels_apart() {
        let of = |layouts: &[(usize, usize)], neurons| {
            columns(layouts.iter().map(|&(count, inner)| Layout { count, inner }), neurons)
        };
        // ResNet-18, channels last: the first layer, and the last one.
        assert_eq!(of(&[(64, 1)], 64 * 112 * 112 * 32), 64 * 112 * 112);
        assert_eq!(of(&[(512, 1)], 512 * 7 * 7 * 32), 512 * 7 * 7 * 16);
        // The same, channels first: whole images.
        assert_eq!(of(&[(64, 112 * 112)], 64 * 112 * 112 * 32), 64 * 112 * 112);
        // Too few neurons; nothing to add up; less than an image.
        for (layout, neurons) in
            [((64, 1), 2 * BUSY - 64), ((64, 1 << 20), 64 << 20), ((1, BUSY + 1), 2 * BUSY + 2)]
        {
            assert_eq!(of(&[layout], neurons), neurons, "{layout:?}");
        }
        // Numbers that have no common divisor with the alignment.
        for (layouts, unit) in
            [(&[(1, 1)][..], 64), (&[(7, 1), (3, 49)], 3 * 49 * 64), (&[(96, 1), (160, 1)], 960)]
        {
            let neurons = unit * 99_991;
            let columns = of(layouts, neurons);
            assert!(columns < neurons && columns.is_multiple_of(unit), "{layouts:?}: {columns}");
            assert!(columns >= BUSY && neurons.div_ceil(columns) <= MOST, "{layouts:?}: {columns}");
        }
        // What can be no layout of that many.
        for layout in [(0, 1), (usize::MAX, 2), (usize::MAX, 1)] {
            assert_eq!(of(&[layout], 1 << 24), 1 << 24);
        }
    }

    #[test]
    fn there_is_a_last_pass() {
        for (layout, values) in
            [((1, 1), 1), ((5, 1), 5), ((5, 1), 10), ((1, 7), 7), ((3, 7), 42), ((1, 1), 9)]
        {
            let passes = passes(Layout { count: layout.0, inner: layout.1 }, values);
            assert!(!passes.is_empty(), "{layout:?} {values}");
        }
    }
}
