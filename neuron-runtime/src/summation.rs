//! The order in which the gradients of parameters are added up over neurons.
//!
//! It depends on the number of values alone, neither on threads nor on the device: the kernels in the generator's
//! `sums.cu` go through the same passes, in float64 like the CPU, and get the same bits.

pub(crate) use neuron_abi::{SUM_ROWS as ROWS, SUM_SEGMENT as SEGMENT, THREADS as LANES};
use smallvec::SmallVec;

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
