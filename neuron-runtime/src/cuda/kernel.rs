//! The kernels of a device.

use std::sync::Arc;

use cudarc::driver::{result, sys};
use neuron_abi::{Format, WORD, kernel};

use super::arguments::Arguments;
use super::module::{Bounded, Function, Module};
use super::{CudaError, ImageKinds};
use crate::{Element, Extent, Reset, Signature, Spec, Surrogate, Template, summation};

/// Threads per block, in every kernel.
pub use neuron_abi::THREADS as BLOCK;

const _: () = assert!(BLOCK == summation::LANES, "a block adds up a segment");

/// What identifies a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ModuleKey {
    /// The neuron: the address of its kernels in its specification, which is static.
    neuron: usize,
    /// The format of the data.
    format: Format,
    /// The address of the definition of the user-defined surrogate that it was compiled with; `None` for the built-in
    /// surrogates, which every neuron is compiled with.
    surrogate: Option<usize>,
    /// The images that it may be loaded from.
    kinds: ImageKinds,
    /// What the only kernel is for, if it has one only.
    only: Option<Purpose>,
}

impl ModuleKey {
    pub fn new<E: Element>(spec: &'static Spec, own: Option<Surrogate>, kinds: ImageKinds) -> Self {
        let (neuron, surrogate) = (std::ptr::from_ref(&spec.cuda).addr(), own.map(|own| own.address()));
        Self { neuron, format: E::FORMAT, surrogate, kinds, only: None }
    }

    /// The key of the module that has the kernel for `purpose` only.
    pub fn with_only(self, purpose: Purpose) -> Self {
        Self { only: Some(purpose), ..self }
    }
}

/// What a kernel of a module is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    /// A template, with the reset mode if it depends on it.
    Template(Template, Option<Reset>),
    /// Packs spikes.
    Pack,
    /// Unpacks them.
    Unpack,
}

impl Purpose {
    pub fn template(template: Template, reset: Reset) -> Self {
        Self::Template(template, template.resets().then_some(reset))
    }

    pub fn name(self) -> String {
        match self {
            // If the template does not depend on the reset, its name does not contain it.
            Self::Template(template, reset) => kernel::name(template, reset.unwrap_or(Reset::None)),
            Self::Pack => kernel::PACK_SPIKES.to_owned(),
            Self::Unpack => kernel::UNPACK_SPIKES.to_owned(),
        }
    }
}

/// A kernel, with those that sum its outputs.
#[derive(Debug)]
pub(crate) struct Kernel {
    /// Keeps the functions loaded.
    _module: Arc<Module>,
    name: String,
    function: Function,
    /// The kernel that does the same for few neurons over many steps: a block computes [`WORD`] neurons.
    few: Option<Bounded>,
    /// The kernel that does the same by a scan over time, up to rounding, if a step is affine: a block computes [`WORD`] neurons.
    scan: Option<Bounded>,
    sums: Option<Sums>,
}

/// Steps from which on kernels for few neurons are faster: half a group of chunks, a quarter of a turn (docs/benchmarks.md).
const MANY_STEPS: usize = 32;

/// Blocks per multiprocessor up to which one that does not scan is faster: one for each scheduler, in which one warp takes the steps.
const FEW_BLOCKS: usize = 4;

/// Blocks per multiprocessor up to which a scan is faster than that: it has more warps, which compute maps as well. Where maps are
/// large, registers allow fewer.
const SCAN_BLOCKS: usize = 3;

/// How a kernel is launched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    function: Function,
    pub blocks: usize,
    /// Threads per block.
    threads: usize,
}

/// The size of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub steps: usize,
    pub neurons: usize,
    /// Neurons that are computed at once; each thread then goes on to those so many further on.
    pub columns: usize,
    /// Neurons per block of the kernel for many neurons.
    pub block: usize,
    /// Multiprocessors of the device.
    pub multiprocessors: usize,
    /// Whether it may be a scan.
    pub scan: bool,
}

/// Kernels that sum the gradients of learnable parameters over neurons.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sums {
    pub rows: Function,
    pub segments: Function,
}

impl Kernel {
    /// The kernel of `module` for `purpose`; `module` has the kernels of `spec` for data of `format`.
    pub fn of(
        module: Arc<Module>,
        spec: &'static Spec,
        format: Format,
        purpose: Purpose,
    ) -> Result<Self, CudaError> {
        let symbol = |name: &str| kernel::symbol(spec.module, name, format);
        let name = symbol(&purpose.name());
        let function = module.function(&name)?;
        let adds_up =
            |signature: &Signature| signature.outputs.iter().any(|buffer| buffer.extent == Extent::Parameter);
        let sum = |name: &str| module.function(&symbol(name));
        let sums = match purpose {
            Purpose::Template(template, _) if adds_up(spec.signature(template)) => {
                Some(Sums { rows: sum(kernel::SUM_ROWS)?, segments: sum(kernel::SUM_SEGMENTS)? })
            }
            _ => None,
        };
        let [few, scan] = [kernel::few(&purpose.name()), kernel::scan(&purpose.name())]
            .map(|name| module.bounded_function(&symbol(&name)));
        Ok(Self { few: few?, scan: scan?, _module: module, name, function, sums })
    }

    pub fn handle(&self) -> u64 {
        self.function.0 as u64
    }

    pub fn sums(&self) -> Option<Sums> {
        self.sums
    }

    /// How a call of this size is launched: by a scan or by the kernel for few neurons, if all blocks of these run at once. Their threads
    /// add up nothing.
    pub fn shape(&self, size: Size) -> Shape {
        let blocks = size.neurons.div_ceil(WORD);
        let is_long = size.steps >= MANY_STEPS && size.columns == size.neurons;
        let suits = |kernel: &Bounded, most: usize| {
            is_long && blocks <= kernel.blocks.min(most) * size.multiprocessors
        };
        let scan = self.scan.filter(|scan| size.scan && suits(scan, SCAN_BLOCKS));
        match scan.or_else(|| self.few.filter(|few| suits(few, FEW_BLOCKS))) {
            Some(Bounded { function, threads, .. }) => Shape { function, blocks, threads },
            None => self.blocks(size.columns.div_ceil(size.block)),
        }
    }

    /// Blocks of [`BLOCK`] threads.
    pub fn blocks(&self, blocks: usize) -> Shape {
        Shape { function: self.function, blocks, threads: BLOCK }
    }

    /// Launches it on a grid of `blocks`, which [`grid`] returned for those of `shape`.
    ///
    /// # Safety
    /// As [`launch`].
    pub unsafe fn launch(
        &self,
        shape: Shape,
        blocks: u32,
        stream: sys::CUstream,
        arguments: &mut Arguments,
    ) -> Result<(), CudaError> {
        let Shape { function, threads, .. } = shape;
        // SAFETY: guaranteed by the caller.
        unsafe { launch_threads(&self.name, function, [blocks, 1], threads, stream, arguments) }
    }
}

/// Launches `function` on a grid of `blocks`, of [`BLOCK`] threads each; `name` is for errors.
///
/// # Safety
/// The arguments are those of the function, whose module is loaded. The caller may use the memory that they refer to. The
/// module's context is current, and the stream belongs to it.
pub(super) unsafe fn launch(
    name: &str,
    function: Function,
    blocks: [u32; 2],
    stream: sys::CUstream,
    arguments: &mut Arguments,
) -> Result<(), CudaError> {
    // SAFETY: guaranteed by the caller.
    unsafe { launch_threads(name, function, blocks, BLOCK, stream, arguments) }
}

/// # Safety
/// As [`launch`].
unsafe fn launch_threads(
    name: &str,
    function: Function,
    blocks: [u32; 2],
    threads: usize,
    stream: sys::CUstream,
    arguments: &mut Arguments,
) -> Result<(), CudaError> {
    let (grid, block) = ((blocks[0], blocks[1], 1), (threads as u32, 1, 1));
    // SAFETY: guaranteed by the caller.
    unsafe { result::launch_kernel(function.0, grid, block, 0, stream, &mut arguments.pointers()) }
        .map_err(|e| CudaError::driver(format!("launching `{name}`"), e))
}

/// The size of a grid of `blocks` blocks, for `neurons` neurons.
pub(super) fn grid(blocks: usize, neurons: usize) -> Result<u32, CudaError> {
    let limit = i32::MAX.unsigned_abs();
    let grid = u32::try_from(blocks).ok().filter(|grid| *grid <= limit);
    grid.ok_or(CudaError::TooLarge { neurons, blocks, limit: limit as usize })
}
