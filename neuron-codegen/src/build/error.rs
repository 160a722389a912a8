//! Errors of the build script.

use std::path::PathBuf;

use super::settings::{Format, Target};

/// Why kernels were not compiled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An environment variable has an invalid value.
    #[error("`{name}={value}`: expected {expected}")]
    Setting {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// The valid values.
        expected: String,
    },
    /// The caller is not a build script.
    #[error(
        "expected the environment of a build script, but `{name}` is not set; call `neuron_codegen::build` from `build.rs`"
    )]
    NotABuildScript {
        /// The variable that cargo sets.
        name: &'static str,
    },
    /// Neither NVRTC nor nvcc was found.
    #[error(
        "no CUDA compiler: neither NVRTC (`libnvrtc.so`) nor `nvcc` was found.\n\
         Install NVRTC with `pip install nvidia-cuda-nvrtc` or the CUDA toolkit; \
         if it is installed elsewhere, set `NEURON_NVRTC` to the library or its directory"
    )]
    NoCompiler,
    /// `NEURON_NVRTC` does not point to a library.
    #[error(
        "`NEURON_NVRTC={path}`: expected an NVRTC library (`libnvrtc.so*`) or a directory that contains one"
    )]
    NvrtcNotThere {
        /// The value.
        path: PathBuf,
    },
    /// The library cannot be loaded, or is not NVRTC.
    #[error("cannot use NVRTC `{path}`: {reason}")]
    NvrtcUnusable {
        /// The library.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The compiler failed.
    #[error("cannot compile the CUDA kernels of `{neuron}` for {format}, {target} with {compiler}:\n{log}", format = .format.name())]
    Compile {
        /// The neuron.
        neuron: String,
        /// The data's format.
        format: Format,
        /// The target.
        target: Target,
        /// The compiler.
        compiler: String,
        /// Its output.
        log: String,
    },
    /// A file could not be read or written.
    #[error("cannot {action} `{path}`: {source}")]
    Io {
        /// The operation, such as `read`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
}

impl Error {
    /// For `map_err` on an error of the file system.
    pub(super) fn io(action: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
