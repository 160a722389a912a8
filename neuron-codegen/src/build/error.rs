//! Why kernels were not compiled.

use std::path::PathBuf;

use super::settings::{Format, Target};

/// Why kernels were not compiled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An environment variable has a value that means nothing.
    #[error("`{name}={value}`: expected {expected}")]
    Setting {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        expected: String,
    },
    /// Called from something other than a build script.
    #[error("`{name}` is not set: `neuron_codegen::build` is for build scripts, which cargo runs")]
    NotABuildScript {
        /// The variable that cargo sets.
        name: &'static str,
    },
    /// Neither NVRTC nor nvcc is there.
    #[error(
        "no CUDA compiler found: neither NVRTC (`libnvrtc.so`) nor `nvcc`.\n\
         `pip install nvidia-cuda-nvrtc` or the CUDA toolkit provides NVRTC; \
         if it is installed elsewhere, set `NEURON_NVRTC` to the library or its folder"
    )]
    NoCompiler,
    /// `NEURON_NVRTC` names something that is not there.
    #[error("`NEURON_NVRTC={path}`: neither an NVRTC library nor a folder with one (`libnvrtc.so*`)")]
    NvrtcNotThere {
        /// The value.
        path: PathBuf,
    },
    /// The library is there but cannot be loaded, or is not a usable NVRTC.
    #[error("cannot use NVRTC `{path}`: {reason}")]
    NvrtcUnusable {
        /// The library.
        path: PathBuf,
        /// What the loader said.
        reason: String,
    },
    /// The compiler refused.
    #[error("the CUDA kernels of `{neuron}` do not compile for {format}, {target} with {compiler}:\n{log}", format = .format.name())]
    Compile {
        /// The neuron.
        neuron: String,
        /// The data's format.
        format: Format,
        /// The architecture.
        target: Target,
        /// The compiler.
        compiler: String,
        /// What it said.
        log: String,
    },
    /// A file could not be read or written.
    #[error("cannot {action} `{path}`: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
}

impl Error {
    /// For `map_err` on what the file system says.
    pub(super) fn io(action: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
