//! The GPU part of a specification: source and images of the kernels.

use std::fmt;

use neuron_abi::{Format, Target};

/// A neuron's kernels for the GPU: all templates, in CUDA C++ and compiled.
///
/// Safe calls launch these kernels on arrays of the lengths that the specification gives. A value with kernels can
/// therefore only be made by unsafe code, which the macro generates, and neither copied nor moved into another
/// specification:
///
/// ```compile_fail,E0507
/// # use neuron_runtime::{DeclaredNeuron, Spec, neuron};
/// # neuron! { pub struct Lif { charge = v + x; reset hard; } }
/// static FORGED: Spec = Spec { signatures: &[], ..*Lif::SPEC };
/// ```
///
/// ```
/// # use neuron_runtime::{Cuda, DeclaredNeuron, Spec, neuron};
/// # neuron! { pub struct Lif { charge = v + x; reset hard; } }
/// static ON_THE_CPU: Spec = Spec { signatures: &[], cuda: Cuda::NONE, ..*Lif::SPEC };
/// ```
#[derive(PartialEq, Eq)]
pub struct Cuda {
    source: &'static str,
    images: &'static [Image],
}

impl Cuda {
    /// No kernels: a neuron that only runs on the CPU.
    pub const NONE: Self = Self { source: "", images: &[] };

    /// Kernels in CUDA C++ and compiled.
    ///
    /// # Safety
    /// In the specification that this becomes part of, the parameters, flags and signatures are those that the
    /// kernels were generated with: a kernel accesses no memory but that of its arrays, which are as long as the
    /// signature says. Every image is compiled from the source.
    pub const unsafe fn new(source: &'static str, images: &'static [Image]) -> Self {
        Self { source, images }
    }

    /// The source of all kernels. It is complete and includes nothing; the macro `F32`, `F64`, `F16` or `BF16` selects
    /// the data format. Empty if there are no kernels.
    pub const fn source(&self) -> &'static str {
        self.source
    }

    /// What was compiled when the crate was built; empty if there was no CUDA compiler.
    pub const fn images(&self) -> &'static [Image] {
        self.images
    }
}

// The source has thousands of lines, too many for a message.
impl fmt::Debug for Cuda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = format_args!("{} bytes", self.source.len());
        f.debug_struct("Cuda").field("source", &source).field("images", &self.images).finish()
    }
}

/// A neuron's kernels compiled for one data format and one target.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Image {
    /// The data format.
    pub format: Format,
    /// What it is compiled for: a cubin for one architecture, or PTX, which the driver compiles for later ones.
    pub target: Target,
    /// The image as an LZ4 frame with its length and a checksum. PTX ends with a zero byte, as the driver expects.
    pub compressed: &'static [u8],
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Image({} {}, {} bytes compressed)", self.format, self.target, self.compressed.len())
    }
}
