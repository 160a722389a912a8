//! Gradients of parameters: threads of the backward kernels add up those of the neurons that they compute, and kernels of the same
//! module continue, in the order of [`crate::summation`].

use cudarc::driver::sys::CUstream;
use neuron_abi::SUM_PARAMETERS;
use neuron_abi::kernel::{SUM_ROWS, SUM_SEGMENTS};
use smallvec::SmallVec;

use super::arguments::Arguments;
use super::kernel::{self, Sums};
use super::{CudaError, RawArray, RawParameter};
use crate::parameter::Layout;
use crate::summation::{LANES, Pass, SEGMENT, columns, groups, passes};
use crate::{ParamKind, Spec, Template};

/// The layout of the workspace: for each learnable parameter what the backward kernel writes, then two alternating areas, each with
/// partial sums of all parameters.
pub(super) struct Workspace {
    /// Values that the backward kernel writes of a parameter: a sum for each column, or the gradient of each neuron.
    pub columns: usize,
    /// Whether they are sums, in float64, rather than gradients in the format of the arithmetic.
    is_partial: bool,
    /// Values from those of one parameter to those of the next.
    stride: usize,
    /// Partial sums of a parameter after the first pass, at most.
    partial: usize,
    /// Bytes of each value that the backward kernel writes.
    value: usize,
    learnables: SmallVec<[RawParameter; 8]>,
    neurons: usize,
    pub bytes: usize,
    /// Blocks of the largest grid that [`Workspace::add_up`] launches.
    pub blocks: usize,
}

impl Workspace {
    /// The workspace for parameters whose layouts match `neurons`, in an arithmetic format of `real` bytes. `None` if its
    /// size overflows.
    pub fn new(
        spec: &'static Spec,
        template: Template,
        real: usize,
        neurons: usize,
        parameters: &[RawParameter],
    ) -> Option<Self> {
        let learnables: SmallVec<[_; 8]> = Self::learnables_of(spec, template, parameters).collect();
        let columns = match learnables.is_empty() {
            true => neurons,
            false => columns(parameters.iter().map(RawParameter::layout), neurons),
        };
        let is_partial = columns < neurons;
        let value = if is_partial { size_of::<f64>() } else { real };
        let part = columns.checked_mul(value)?.checked_next_multiple_of(size_of::<f64>())?;
        // The first pass has the most outputs. Those of the last one are the gradients.
        let outputs = |parameter: &RawParameter| {
            let passes = passes(parameter.layout(), columns);
            if passes.len() > 1 { passes[0].outputs() } else { 0 }
        };
        let partial = learnables.iter().map(outputs).max().unwrap_or(0);
        let areas = partial.checked_mul(2 * size_of::<f64>())?;
        let bytes = part.checked_add(areas)?.checked_mul(learnables.len())?;
        let blocks = learnables.iter().map(|parameter| grid(parameter.layout(), columns)).max().unwrap_or(0);
        let stride = part / value;
        Some(Self { columns, is_partial, stride, partial, value, learnables, neurons, bytes, blocks })
    }

    /// The parameters whose gradients `template` returns.
    pub fn learnables_of(
        spec: &'static Spec,
        template: Template,
        parameters: &[RawParameter],
    ) -> impl Iterator<Item = RawParameter> {
        let arrays = spec.arrays().zip(parameters).filter(move |_| template.is_backward());
        arrays.filter(|(param, _)| param.kind == ParamKind::Learnable).map(|(_, parameter)| *parameter)
    }

    /// The number of learnable parameters.
    pub fn learnables(&self) -> usize {
        self.learnables.len()
    }

    /// Where the backward kernel writes, for each learnable parameter.
    pub fn parts(&self, workspace: u64) -> impl Iterator<Item = u64> {
        (0..self.learnables.len()).map(move |i| workspace + (i * self.stride * self.value) as u64)
    }

    /// Sums what the backward kernel has written into `sums`: neighbouring parameters of one layout together.
    ///
    /// # Safety
    /// As [`super::PreparedCall::launch`], after its kernel has been launched on the same stream, in the same context.
    pub unsafe fn add_up(
        &self,
        workspace: u64,
        sums: &[RawArray],
        kernels: Sums,
        stream: CUstream,
    ) -> Result<(), CudaError> {
        let mut first = 0;
        let groups = self.learnables.chunk_by(|one, next| one.layout() == next.layout());
        for group in groups.flat_map(|group| group.chunks(SUM_PARAMETERS)) {
            let sums = &sums[first..first + group.len()];
            // SAFETY: guaranteed by the caller.
            unsafe { self.add_up_group(workspace, first, group[0].layout(), sums, kernels, stream)? };
            first += group.len();
        }
        Ok(())
    }

    /// Sums the gradients of up to [`SUM_PARAMETERS`] parameters of one layout, from number `first` on.
    ///
    /// # Safety
    /// As [`Workspace::add_up`].
    unsafe fn add_up_group(
        &self,
        workspace: u64,
        first: usize,
        layout: Layout,
        sums: &[RawArray],
        kernels: Sums,
        stream: CUstream,
    ) -> Result<(), CudaError> {
        let areas = workspace + (self.learnables.len() * self.stride * self.value) as u64;
        let area = self.learnables.len() * self.partial * size_of::<f64>();
        let mut totals = [0; SUM_PARAMETERS];
        totals.iter_mut().zip(sums).for_each(|(total, sum)| *total = sum.address);
        let parts = workspace + (first * self.stride * self.value) as u64;
        let (mut from, mut is_partial, mut stride) = (parts, self.is_partial, self.stride);
        let passes = passes(layout, self.columns);
        let last = passes.len() - 1;
        for (i, pass) in passes.into_iter().enumerate() {
            // The last pass writes totals instead.
            let to = if i == last { 0 } else { areas + (i % 2 * area) as u64 };
            let (name, kernel, sizes) = match pass {
                Pass::Rows { rows, columns } => {
                    (SUM_ROWS, kernels.rows, &[stride, rows, columns, groups(rows)][..])
                }
                Pass::Segments { inner, .. } => {
                    (SUM_SEGMENTS, kernels.segments, &[stride, inner, inner.div_ceil(SEGMENT)][..])
                }
            };
            let mut arguments = Arguments::of_sum(from, is_partial, sizes, [to, self.partial as u64], totals);
            let blocks = [kernel::grid(blocks(pass), self.neurons)?, sums.len() as u32];
            // SAFETY: the arguments are the kernel's, the workspace is large enough, and the caller guarantees that `sums` are valid.
            unsafe { kernel::launch(name, kernel, blocks, stream, &mut arguments)? };
            (from, is_partial, stride) = (to, true, self.partial);
        }
        Ok(())
    }
}

/// Blocks of the kernel of a pass.
fn blocks(pass: Pass) -> usize {
    match pass {
        // A block adds up as many columns as each of its groups has threads.
        Pass::Rows { rows, columns } => pass.outputs() / columns * columns.div_ceil(LANES / groups(rows)),
        Pass::Segments { .. } => pass.outputs(),
    }
}

/// Blocks of the largest grid that adds up `columns` values of a parameter.
fn grid(layout: Layout, columns: usize) -> usize {
    passes(layout, columns).into_iter().map(blocks).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_grid_is_known_before_any_is_launched() {
        assert_eq!(grid(Layout::SHARED, 1 << 20), (1 << 20) / SEGMENT);
        // A block for each pair.
        assert_eq!(grid(Layout { count: 1 << 32, inner: 2 }, 1 << 33), 1 << 32);
        // Rows of 512 values, 256 at a time: a block for 32 columns of them.
        assert_eq!(grid(Layout { count: 512, inner: 1 }, 512 << 10), (1 << 10) / 256 * 512 / 32);
        // One row: a block for 256 columns.
        assert_eq!(grid(Layout { count: 512, inner: 1 }, 512), 2);
    }
}
