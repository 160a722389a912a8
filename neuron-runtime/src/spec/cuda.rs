//! The GPU part of a specification: source and images of the kernels.

use std::fmt;
use std::sync::OnceLock;

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
    source: Source,
    images: &'static [Image],
}

/// Where the source of kernels comes from.
#[derive(Clone, Copy)]
enum Source {
    Text(&'static str),
    Printed(&'static Printed),
}

/// Prints the source of kernels when it is needed, for neurons that are declared at run time.
pub trait Print: fmt::Debug + Send + Sync {
    /// The source of all kernels, or of the template's kernel with that name and of those that do not belong to a template.
    fn print(&self, kernel: Option<&str>) -> String;
}

/// The source of kernels, printed when it is needed. Each kernel is then compiled where it is first used, rather than all of
/// them.
#[derive(Debug)]
pub struct Printed {
    printer: Box<dyn Print>,
    whole: OnceLock<String>,
}

impl Printed {
    /// What `printer` prints.
    pub fn new(printer: Box<dyn Print>) -> Self {
        Self { printer, whole: OnceLock::new() }
    }
}

impl Cuda {
    /// No kernels: a neuron that only runs on the CPU.
    pub const NONE: Self = Self { source: Source::Text(""), images: &[] };

    /// Kernels in CUDA C++ and compiled.
    ///
    /// # Safety
    /// In the specification that this becomes part of, the parameters, flags and signatures are those that the
    /// kernels were generated with: a kernel accesses no memory but that of its arrays, which are as long as the
    /// signature says. Every image is compiled from the source.
    pub const unsafe fn new(source: &'static str, images: &'static [Image]) -> Self {
        Self { source: Source::Text(source), images }
    }

    /// Kernels in CUDA C++ that are printed when they are needed.
    ///
    /// # Safety
    /// As for [`Cuda::new`], for everything that is printed.
    pub const unsafe fn printed(source: &'static Printed) -> Self {
        Self { source: Source::Printed(source), images: &[] }
    }

    /// The source of all kernels. It is complete and includes nothing; the macro `F32`, `F64`, `F16` or `BF16` selects
    /// the data format. Empty if there are no kernels.
    pub fn source(&self) -> &'static str {
        match self.source {
            Source::Text(text) => text,
            Source::Printed(Printed { printer, whole }) => whole.get_or_init(|| printer.print(None)),
        }
    }

    /// As [`Cuda::source`], of a template's kernel only, if the source is printed when it is needed. The name is that of
    /// [`neuron_abi::kernel::name`].
    pub fn source_of(&self, kernel: &str) -> Option<String> {
        match self.source {
            Source::Text(_) => None,
            Source::Printed(Printed { printer, .. }) => Some(printer.print(Some(kernel))),
        }
    }

    /// Whether [`Cuda::source_of`] prints kernels one by one.
    #[cfg(feature = "cuda")]
    pub(crate) fn is_printed(&self) -> bool {
        matches!(self.source, Source::Printed(_))
    }

    /// Whether there are no kernels.
    #[cfg(feature = "cuda")]
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.source, Source::Text(""))
    }

    /// What was compiled when the crate was built; empty if there was no CUDA compiler.
    pub const fn images(&self) -> &'static [Image] {
        self.images
    }
}

/// Texts are compared; what is printed is the same if it is by the same printer.
impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(text), Self::Text(other)) => text == other,
            (Self::Printed(printed), Self::Printed(other)) => std::ptr::eq(*printed, *other),
            _ => false,
        }
    }
}

impl Eq for Source {}

// The source has thousands of lines, too many for a message.
impl fmt::Debug for Cuda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Cuda");
        match &self.source {
            Source::Text(text) => debug.field("source", &format_args!("{} bytes", text.len())),
            Source::Printed(printed) => debug.field("source", &printed.printer),
        };
        debug.field("images", &self.images).finish()
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
