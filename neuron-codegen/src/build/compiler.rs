//! A CUDA compiler, either NVRTC or nvcc.

use std::path::Path;

use neuron_abi::compiler::options;

use super::nvcc::Nvcc;
use super::nvrtc::{Nvrtc, Output};
use super::settings::{Architecture, Format, Target};
use super::usage::{self, Usage};

/// A CUDA compiler.
#[derive(Debug)]
pub enum Compiler {
    /// The library.
    Nvrtc(Nvrtc),
    /// The program.
    Nvcc(Nvcc),
}

impl Compiler {
    /// Identifies it precisely enough to tell when images must be recompiled. Stored beside the images.
    pub fn description(&self) -> String {
        match self {
            Self::Nvrtc(nvrtc) => nvrtc.description(),
            Self::Nvcc(nvcc) => nvcc.description(),
        }
    }

    /// Its file, if known: the dynamic loader does not report it.
    pub fn path(&self) -> Option<&Path> {
        let path = match self {
            Self::Nvrtc(nvrtc) => nvrtc.path(),
            Self::Nvcc(nvcc) => nvcc.path(),
        };
        path.is_absolute().then_some(path)
    }

    /// Compiles a source to an image. `scratch` is a path that nothing else uses, for intermediate files.
    ///
    /// # Errors
    /// The compiler's output.
    pub fn compile(
        &self,
        source: &str,
        format: Format,
        target: Target,
        scratch: &Path,
    ) -> Result<Vec<u8>, String> {
        let (image, _) = self.run(source, &options(format, target), target, scratch)?;
        Ok(if target.is_ptx() { terminated(image) } else { image })
    }

    /// Compiles a source to a cubin and to the PTX of the same architecture. NVRTC makes both in one run, and the PTX
    /// is the one that [`compile`](Self::compile) would give, byte for byte.
    ///
    /// # Errors
    /// The compiler's output.
    pub fn compile_with_ptx(
        &self,
        source: &str,
        format: Format,
        architecture: Architecture,
        scratch: &Path,
    ) -> Result<[Vec<u8>; 2], String> {
        let (cubin, ptx) = (Target::Cubin(architecture), Target::Ptx(architecture));
        match self {
            Self::Nvrtc(nvrtc) => {
                let Output { cubin, ptx, .. } = nvrtc.compile(source, &options(format, cubin), true)?;
                Ok([cubin, terminated(ptx)])
            }
            Self::Nvcc(_) => Ok([
                self.compile(source, format, cubin, scratch)?,
                self.compile(source, format, ptx, scratch)?,
            ]),
        }
    }

    /// The resource usage of each kernel of a source. Empty for PTX, for which it is not known.
    ///
    /// # Errors
    /// The compiler's output.
    pub fn usage(
        &self,
        source: &str,
        format: Format,
        target: Target,
        scratch: &Path,
    ) -> Result<Vec<Usage>, String> {
        let mut options = options(format, target);
        options.push("--ptxas-options=-v".into());
        let (_, log) = self.run(source, &options, target, scratch)?;
        Ok(usage::read(&log))
    }

    /// The image and the compiler's output.
    fn run(
        &self,
        source: &str,
        options: &[String],
        target: Target,
        scratch: &Path,
    ) -> Result<(Vec<u8>, String), String> {
        match self {
            Self::Nvrtc(nvrtc) => {
                let Output { cubin, ptx, log } = nvrtc.compile(source, options, !target.is_ptx())?;
                Ok((if target.is_ptx() { ptx } else { cubin }, log))
            }
            Self::Nvcc(nvcc) => nvcc.compile(source, options, target.is_ptx(), scratch),
        }
    }
}

/// Terminates PTX with the zero that the driver expects. NVRTC writes one, nvcc does not.
fn terminated(mut ptx: Vec<u8>) -> Vec<u8> {
    if ptx.last() != Some(&0) {
        ptx.push(0);
    }
    ptx
}
