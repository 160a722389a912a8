//! Sums over neurons, for the gradients of parameters.
//!
//! The order of summation depends on the number of values alone, neither on threads nor on the device: the
//! kernels in the generator's `sums.cu` go through the same passes, in float64 like these, and get the same
//! bits.

pub(crate) use neuron_abi::{SUM_ROWS as ROWS, SUM_SEGMENT as SEGMENT, THREADS as LANES};
use rayon::prelude::*;
use smallvec::SmallVec;

use crate::Real;
use crate::parameter::Layout;

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

/// The passes that add up `neurons` values, seen as `[batch, count, inner]`, over `batch` and `inner`.
pub(crate) fn passes(layout: Layout, neurons: usize) -> SmallVec<[Pass; 8]> {
    // One value for all: all are neighbours.
    let shared = Layout { count: 1, inner: neurons };
    let Layout { count, inner } = if layout == Layout::SHARED { shared } else { layout };
    let mut passes = SmallVec::new();
    let columns = count * inner;
    let mut rows = neurons / columns;
    while rows > 1 {
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

/// Sums of `values`, seen as `[batch, count, inner]`, over `batch` and `inner`.
pub(crate) fn sums<R: Real>(values: &[R], layout: Layout, sums: &mut [R]) {
    let mut passes = passes(layout, values.len()).into_iter();
    let Some(first) = passes.next() else { return sums.copy_from_slice(values) };
    let partial = passes.fold(run(first, values), |partial, pass| run(pass, &partial));
    for (sum, value) in sums.iter_mut().zip(partial) {
        *sum = R::from_f64(value);
    }
}

fn run<R: Real>(pass: Pass, values: &[R]) -> Vec<f64> {
    match pass {
        Pass::Rows { columns, .. } => {
            let blocks: Vec<&[R]> = values.chunks(ROWS * columns).collect();
            blocks.into_par_iter().flat_map_iter(|block| rows(block, columns)).collect()
        }
        Pass::Segments { inner, .. } => {
            let segments: Vec<&[R]> =
                values.chunks(inner).flat_map(|channel| channel.chunks(SEGMENT)).collect();
            segments.into_par_iter().map(segment).collect()
        }
    }
}

/// The sum of some rows of `columns` values.
fn rows<R: Real>(block: &[R], columns: usize) -> Vec<f64> {
    let mut sum = vec![0.0; columns];
    for row in block.chunks(columns) {
        for (sum, value) in sum.iter_mut().zip(row) {
            *sum += value.to_f64();
        }
    }
    sum
}

/// The sum of neighbours: lanes first, then lanes by halves.
fn segment<R: Real>(values: &[R]) -> f64 {
    let mut lanes = [0.0; LANES];
    for row in values.chunks(LANES) {
        for (lane, value) in lanes.iter_mut().zip(row) {
            *lane += value.to_f64();
        }
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_every_layout() {
        for (batch, count, inner) in
            [(1, 1, 1), (1, 1, 10_000), (7, 3, 5), (130, 4, 1), (5000, 1, 1), (3, 1, 9000), (1, 5, 1)]
        {
            let values: Vec<f32> = (0..batch * count * inner).map(|i| (i % 11) as f32 - 5.0).collect();
            let mut expected = vec![0.0f32; count];
            for (i, value) in values.iter().enumerate() {
                expected[i / inner % count] += value;
            }
            let mut actual = vec![f32::NAN; count];
            sums(&values, Layout { count, inner }, &mut actual);
            assert_eq!(actual, expected, "{batch} {count} {inner}");
        }
    }
}
