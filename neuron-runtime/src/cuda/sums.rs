//! Gradients of parameters: each neuron's own, which the backward kernels write, added up over neurons by
//! kernels of the same module, in the order of [`crate::reduce`].

use neuron_abi::kernel;

use super::arguments::Arguments;
use super::launch::{Launcher, RawParameter};
use crate::parameter::Layout;
use crate::reduce::{LANES, Pass, SEGMENT, passes};
use crate::{Element, Error, Neuron, ParamKind, Spec, Template};

/// Bytes of device memory that a call needs besides its arrays: [`RawCall::workspace`](super::RawCall).
/// 0 but for the backward templates of neurons with learnable parameters.
///
/// `parameters` are those of the call; what they are distributed over counts, not their addresses. Of a call that
/// [`launch`](super::launch()) refuses, for a template that the neuron does not have or parameters that do not fit
/// `neurons`, it is 0; if it is more than can be addressed, [`usize::MAX`].
pub fn workspace_bytes<N: Neuron, E: Element>(
    template: Template,
    neurons: usize,
    parameters: &[RawParameter],
) -> usize {
    if neurons == 0 || !parameters.iter().all(|parameter| parameter.layout().divides(neurons)) {
        return 0;
    }
    Workspace::new::<E>(N::SPEC, template, neurons, parameters)
        .map_or(usize::MAX, |workspace| workspace.bytes)
}

/// What is where in the workspace: the gradient of each neuron's own parameter, for each learnable one, and
/// partial sums in two places by turns.
pub(super) struct Workspace {
    part: usize,
    partial: usize,
    learnables: Vec<RawParameter>,
    neurons: usize,
    pub bytes: usize,
    /// Blocks of the largest grid that [`Workspace::add_up`] launches.
    pub blocks: usize,
}

impl Workspace {
    /// For parameters that fit so many neurons. `None` if it is larger than can be addressed.
    pub fn new<E: Element>(
        spec: &'static Spec,
        template: Template,
        neurons: usize,
        parameters: &[RawParameter],
    ) -> Option<Self> {
        let learnables = spec.arrays().zip(parameters);
        let learnables = learnables.filter(|(param, _)| param.kind == ParamKind::Learnable);
        let learnables: Vec<RawParameter> = learnables.map(|(_, parameter)| *parameter).collect();
        if !template.is_backward() || learnables.is_empty() {
            return Some(Self { part: 0, partial: 0, learnables: Vec::new(), neurons, bytes: 0, blocks: 0 });
        }
        let part = neurons.checked_mul(size_of::<E::Real>())?.checked_next_multiple_of(size_of::<f64>())?;
        // Passes leave fewer and fewer.
        let outputs =
            |parameter: &RawParameter| passes(parameter.layout(), neurons).first().map(|p| p.outputs());
        let partial = learnables.iter().filter_map(outputs).max().unwrap_or(0);
        let partial = partial.checked_mul(size_of::<f64>())?;
        let bytes = part.checked_mul(learnables.len())?.checked_add(partial.checked_mul(2)?)?;
        let blocks = learnables.iter().map(|parameter| grid(parameter.layout(), neurons)).max().unwrap_or(0);
        Some(Self { part, partial, bytes, learnables, neurons, blocks })
    }

    /// Where the backward kernel writes, for each learnable parameter.
    pub fn parts(&self, workspace: u64) -> impl Iterator<Item = u64> {
        (0..self.learnables.len()).map(move |i| workspace + (i * self.part) as u64)
    }

    /// Adds them up into `sums`.
    ///
    /// # Safety
    /// As [`super::launch`], after its kernel has been launched on the same stream.
    pub unsafe fn add_up(&self, workspace: u64, sums: &[u64], launcher: &Launcher<'_>) -> Result<(), Error> {
        let partial = workspace + (self.part * self.learnables.len()) as u64;
        for ((part, parameter), &sum) in self.parts(workspace).zip(&self.learnables).zip(sums) {
            let (mut from, mut is_partial) = (part, false);
            for (i, pass) in passes(parameter.layout(), self.neurons).into_iter().enumerate() {
                let to = partial + (i % 2 * self.partial) as u64;
                let (name, sizes) = match pass {
                    Pass::Rows { rows, columns } => (kernel::SUM_ROWS, [rows, columns]),
                    Pass::Segments { inner, .. } => (kernel::SUM_SEGMENTS, [inner, inner.div_ceil(SEGMENT)]),
                };
                let arguments = Arguments::of_sum(from, is_partial, &sizes, to);
                // SAFETY: the kernel's arguments, and memory that the workspace was measured for.
                unsafe { launcher.launch(name, blocks(pass), arguments)? };
                (from, is_partial) = (to, true);
            }
            let count = parameter.layout().count;
            let arguments = Arguments::of_sum(from, is_partial, &[count], sum);
            // SAFETY: as above; the caller answers for `sum`.
            unsafe { launcher.launch(kernel::ROUND_SUMS, count.div_ceil(LANES), arguments)? };
        }
        Ok(())
    }
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
