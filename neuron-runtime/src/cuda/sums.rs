//! Gradients of parameters: the backward kernels write one per neuron, and kernels of the same module sum them in the
//! order of [`crate::summation`].

use cudarc::driver::sys::CUstream;
use neuron_abi::kernel::{ROUND_SUMS, SUM_ROWS, SUM_SEGMENTS};
use smallvec::SmallVec;

use super::arguments::Arguments;
use super::kernel::{self, Sums};
use super::{CudaError, RawArray, RawParameter};
use crate::parameter::Layout;
use crate::summation::{LANES, Pass, SEGMENT, passes};
use crate::{ParamKind, Spec, Template};

/// The layout of the workspace: for each learnable parameter the gradients per neuron, then two alternating areas, each with
/// partial sums of all parameters.
pub(super) struct Workspace {
    /// Values from the gradients of one parameter to those of the next, each of `real` bytes.
    stride: usize,
    real: usize,
    /// Partial sums of a parameter, at most.
    partial: usize,
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
        if learnables.is_empty() {
            return Some(Self { stride: 0, real, partial: 0, learnables, neurons, bytes: 0, blocks: 0 });
        }
        let part = neurons.checked_mul(real)?.checked_next_multiple_of(size_of::<f64>())?;
        // The first pass has the most outputs.
        let outputs =
            |parameter: &RawParameter| passes(parameter.layout(), neurons).first().map(|p| p.outputs());
        let partial = learnables.iter().filter_map(outputs).max().unwrap_or(0);
        let areas = partial.checked_mul(2 * size_of::<f64>())?;
        let bytes = part.checked_add(areas)?.checked_mul(learnables.len())?;
        let blocks = learnables.iter().map(|parameter| grid(parameter.layout(), neurons)).max().unwrap_or(0);
        Some(Self { stride: part / real, real, partial, bytes, learnables, neurons, blocks })
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
        (0..self.learnables.len()).map(move |i| workspace + (i * self.stride * self.real) as u64)
    }

    /// Sums the gradients into `sums`: those of neighbouring parameters of one layout together.
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
        for group in self.learnables.chunk_by(|one, next| one.layout() == next.layout()) {
            let sums = &sums[first..first + group.len()];
            // SAFETY: guaranteed by the caller.
            unsafe { self.add_up_group(workspace, first, group[0].layout(), sums, kernels, stream)? };
            first += group.len();
        }
        Ok(())
    }

    /// Sums the gradients of parameters of one layout, from number `first` on.
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
        let parts = workspace + (first * self.stride * self.real) as u64;
        let areas = workspace + (self.learnables.len() * self.stride * self.real) as u64;
        let area = self.learnables.len() * self.partial * size_of::<f64>();
        let mut from = Terms { address: parts, stride: self.stride, bytes: self.real, is_partial: false };
        for (i, pass) in passes(layout, self.neurons).into_iter().enumerate() {
            let address = areas + (i % 2 * area) as u64;
            let to = Terms { address, stride: self.partial, bytes: size_of::<f64>(), is_partial: true };
            let (name, kernel, sizes) = match pass {
                Pass::Rows { rows, columns } => (SUM_ROWS, kernels.rows, [rows, columns]),
                Pass::Segments { inner, .. } => {
                    (SUM_SEGMENTS, kernels.segments, [inner, inner.div_ceil(SEGMENT)])
                }
            };
            let [outer, inner] = sizes;
            let mut arguments = Arguments::of_sum(
                from.address,
                from.is_partial,
                &[from.stride, outer, inner],
                &[to.address, to.stride as u64],
            );
            let blocks = [kernel::grid(blocks(pass), self.neurons)?, sums.len() as u32];
            // SAFETY: the arguments are the kernel's, and the workspace is large enough.
            unsafe { kernel::launch(name, kernel, blocks, stream, &mut arguments)? };
            from = to;
        }
        for (i, sum) in sums.iter().enumerate() {
            let own = from.address + (i * from.stride * from.bytes) as u64;
            let mut arguments = Arguments::of_sum(own, from.is_partial, &[layout.count], &[sum.address]);
            let blocks = [kernel::grid(layout.count.div_ceil(LANES), self.neurons)?, 1];
            // SAFETY: as above; the caller guarantees that `sum` is valid.
            unsafe { kernel::launch(ROUND_SUMS, kernels.round, blocks, stream, &mut arguments)? };
        }
        Ok(())
    }
}

/// What is summed for several parameters.
#[derive(Clone, Copy)]
struct Terms {
    address: u64,
    /// Values from one parameter to the next, each of `bytes` bytes.
    stride: usize,
    bytes: usize,
    is_partial: bool,
}

/// Blocks of the kernel of a pass.
fn blocks(pass: Pass) -> usize {
    match pass {
        Pass::Rows { .. } => pass.outputs().div_ceil(LANES),
        Pass::Segments { .. } => pass.outputs(),
    }
}

/// Blocks of the largest grid that adds up a parameter's gradient.
fn grid(layout: Layout, neurons: usize) -> usize {
    let last = layout.count.div_ceil(LANES);
    passes(layout, neurons).into_iter().map(blocks).fold(last, usize::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_grid_is_known_before_any_is_launched() {
        assert_eq!(grid(Layout::SHARED, 1 << 20), (1 << 20) / SEGMENT);
        // A block for each pair.
        assert_eq!(grid(Layout { count: 1 << 32, inner: 2 }, 1 << 33), 1 << 32);
        // Rows of 512 values, 64 at a time; then a block for 256 values.
        assert_eq!(grid(Layout { count: 512, inner: 1 }, 512 << 10), (1 << 10) / 64 * 512 / LANES);
        assert_eq!(grid(Layout { count: 512, inner: 1 }, 512), 2);
    }
}
