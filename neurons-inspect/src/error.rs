//! Why a command failed.

use std::path::{Path, PathBuf};

use neuron_runtime::Reset;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no neuron of that name.
    #[error("no neuron `{name}`{}; the neurons are {known}", did_you_mean(.closest))]
    UnknownNeuron {
        /// The name asked for.
        name: String,
        /// What was probably meant.
        closest: Option<String>,
        /// All there are.
        known: String,
    },

    /// `--set` of what the neuron does not have.
    #[error("{neuron} has no parameter, flag or further input `{name}`{}; it has {known}", did_you_mean(.closest))]
    UnknownParameter {
        /// The neuron.
        neuron: &'static str,
        /// The name.
        name: String,
        /// What was probably meant.
        closest: Option<String>,
        /// All there are.
        known: String,
    },

    /// `--state` of what the neuron does not have.
    #[error("{neuron} has no state `{name}` besides `v`; it has {known}")]
    UnknownState {
        /// The neuron.
        neuron: &'static str,
        /// The name.
        name: String,
        /// All there are, or `none`.
        known: String,
    },

    /// A plot of two states for a neuron that has one.
    #[error("a phase plane needs two states, but {neuron} has only `v`; use `--kind trace` or `--kind fi`")]
    OneState {
        /// The neuron.
        neuron: &'static str,
    },

    /// A value that does not suit what it is for.
    #[error("`{name}` is a {expected}, but `{value}` was given")]
    Value {
        /// What was set.
        name: String,
        /// `number`, or `flag: true or false`
        expected: &'static str,
        /// What was given.
        value: String,
    },

    /// A reset mode that the neuron was not declared with, or a template that has none.
    #[error("{neuron} has no kernel of {}{}", asked(.template.as_deref(), *.reset), did_you_mean(.closest))]
    NoKernel {
        /// The neuron.
        neuron: &'static str,
        /// The template asked for.
        template: Option<String>,
        /// The reset asked for.
        reset: Option<Reset>,
        /// What template was probably meant.
        closest: Option<String>,
    },

    /// No PTX is embedded and none can be made.
    #[error("{neuron} has no embedded PTX for {format}, and compiling it failed: {reason}")]
    NoPtx {
        /// The neuron.
        neuron: &'static str,
        /// The format of the data.
        format: &'static str,
        /// Why.
        reason: String,
    },

    /// There is no compiler.
    #[error("the kernels cannot be compiled: {reason}")]
    NoCompiler {
        /// Why.
        reason: String,
    },

    /// A compiler is there, but does not do it.
    #[error("the kernels of {neuron} do not compile:\n{log}")]
    Compile {
        /// The neuron.
        neuron: &'static str,
        /// What the compiler said.
        log: String,
    },

    /// The text of a declaration is not one that the generator takes: it comes from another version of it.
    #[error("the declaration of {neuron} cannot be read again: {reason}")]
    Declaration {
        /// The neuron.
        neuron: &'static str,
        /// What is wrong.
        reason: String,
    },

    /// A picture in a format other than SVG.
    #[error("`{}`: plots are SVG; use `{}`", .path.display(), .path.with_extension("svg").display())]
    NotSvg {
        /// The file asked for.
        path: PathBuf,
    },

    /// `plot` without a neuron.
    #[error("`--kind {kind}` needs a neuron: `neurons plot NEURON --kind {kind}`")]
    NoNeuron {
        /// What was to be drawn.
        kind: &'static str,
    },

    /// Files without anything to check.
    #[error("no `neuron!` or `surrogate!` in {files}")]
    NothingDeclared {
        /// The files.
        files: String,
    },

    /// What a measurement file says cannot be understood.
    #[error("{}: line {line}: {reason}", .path.display())]
    Measurement {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },

    /// The neuron refused.
    #[error(transparent)]
    Neuron(#[from] neuron_runtime::Error),

    /// A picture could not be drawn.
    #[error("cannot draw: {0}")]
    Draw(String),

    /// A file could not be read or written.
    #[error("cannot {action} `{}`: {source}", .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },

    /// The output could not be written.
    #[error("cannot write: {0}")]
    Output(#[from] std::io::Error),

    /// Something to be compared or encoded as JSON could not be.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Error {
    /// For `map_err` on what the file system says.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }

    /// Whether the reader of the output went away, which is no mistake of anybody.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        let kind = match self {
            Self::Output(error) => Some(error.kind()),
            Self::Json(error) => error.io_error_kind(),
            _ => None,
        };
        kind == Some(std::io::ErrorKind::BrokenPipe)
    }
}

fn did_you_mean(closest: &Option<String>) -> String {
    closest.as_ref().map(|closest| format!(", did you mean `{closest}`?")).unwrap_or_default()
}

fn asked(template: Option<&str>, reset: Option<Reset>) -> String {
    let template = template.map(|template| format!("template `{template}`"));
    let reset = reset.map(|reset| format!("{reset} reset"));
    template.into_iter().chain(reset).collect::<Vec<_>>().join(" with ")
}
