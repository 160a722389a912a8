//! Why a command failed.

use std::path::{Path, PathBuf};

use neuron_interpreter::{Mistakes, Problem};
use neuron_runtime::Reset;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no neuron with that name.
    #[error("unknown neuron `{name}`{}; expected one of {known}", did_you_mean(.closest))]
    UnknownNeuron {
        /// The requested name.
        name: String,
        /// A similar name.
        closest: Option<String>,
        /// The available names.
        known: String,
    },

    /// `--set` of something that the neuron does not have.
    #[error("{neuron} has no parameter, flag or additional input `{name}`{}; available: {known}", did_you_mean(.closest))]
    UnknownParameter {
        /// The neuron.
        neuron: &'static str,
        /// The name.
        name: String,
        /// A similar name.
        closest: Option<String>,
        /// The available names.
        known: String,
    },

    /// `--state` or `--across` of a state that the neuron does not have.
    #[error("{neuron} has no state `{name}`; available: {known}")]
    UnknownState {
        /// The neuron.
        neuron: &'static str,
        /// The name.
        name: String,
        /// The available names.
        known: String,
    },

    /// A phase plane whose axes are the same state.
    #[error("both axes of the phase plane are `{name}`; choose another by `--across` or `--state`")]
    SameState {
        /// The state.
        name: &'static str,
    },

    /// A phase plane of a neuron with one state.
    #[error("a phase plane needs two states, but {neuron} has only `v`; use `--kind trace` or `--kind fi`")]
    OneState {
        /// The neuron.
        neuron: &'static str,
    },

    /// A value of the wrong type.
    #[error("expected a {expected} for `{name}`, found `{value}`")]
    Value {
        /// The parameter or flag.
        name: String,
        /// The expected type, such as `number`.
        expected: &'static str,
        /// The value given.
        value: String,
    },

    /// No kernel matches the requested template and reset.
    #[error("{neuron} has no kernel for {}{}", asked(.template.as_deref(), *.reset), did_you_mean(.closest))]
    NoKernel {
        /// The neuron.
        neuron: &'static str,
        /// The requested template.
        template: Option<String>,
        /// The requested reset.
        reset: Option<Reset>,
        /// A similar template.
        closest: Option<String>,
    },

    /// No PTX is embedded, and none can be compiled.
    #[error("{neuron} has no embedded PTX for {format}, and compiling it failed: {reason}")]
    NoPtx {
        /// The neuron.
        neuron: &'static str,
        /// The format of the data.
        format: &'static str,
        /// The reason.
        reason: String,
    },

    /// There is no CUDA compiler.
    #[error("cannot compile the kernels: {reason}")]
    NoCompiler {
        /// The reason.
        reason: String,
    },

    /// The compiler failed.
    #[error("cannot compile the kernels of {neuron}:\n{log}")]
    Compile {
        /// The neuron.
        neuron: &'static str,
        /// The compiler's output.
        log: String,
    },

    /// The generator does not accept the text of a declaration, which comes from another version of it.
    #[error("cannot parse the declaration of {neuron}: {reason}")]
    Declaration {
        /// The neuron.
        neuron: &'static str,
        /// The reason.
        reason: String,
    },

    /// A file whose declarations have mistakes.
    #[error("{}", mistakes_in(.file, .mistakes))]
    Mistakes {
        /// The file.
        file: String,
        /// All of them.
        mistakes: Box<Mistakes>,
    },

    /// A file without the neuron or surrogate that was asked for, or with several if none was named.
    #[error("{file} {}; it declares {known}", missing(.file, .what, .name.as_deref(), *.several))]
    NoSuchDeclaration {
        /// The file.
        file: String,
        /// `neuron` or `surrogate`.
        what: &'static str,
        /// Its name.
        name: Option<String>,
        /// Whether several are declared.
        several: bool,
        /// What is declared in it.
        known: String,
    },

    /// A plot in a format other than SVG.
    #[error("expected an SVG file, found `{}`; use `{}`", .path.display(), .path.with_extension("svg").display())]
    NotSvg {
        /// The requested file.
        path: PathBuf,
    },

    /// `plot` without a neuron.
    #[error("`--kind {kind}` needs a neuron: `neurons plot NEURON --kind {kind}`")]
    NoNeuron {
        /// The kind of plot.
        kind: &'static str,
    },

    /// The port of the server cannot be used.
    #[error("cannot listen on port {port} of 127.0.0.1: {source}; `--port 0` takes any that is free")]
    Port {
        /// The requested port.
        port: u16,
        /// The reason.
        source: std::io::Error,
    },

    /// The server cannot start this command again to compute in another process.
    #[error("cannot start a worker: {source}")]
    Worker {
        /// The reason.
        source: std::io::Error,
    },

    /// Files without a declaration.
    #[error("no `neuron!` or `surrogate!` in {files}")]
    NothingDeclared {
        /// The files.
        files: String,
    },

    /// A measurement file cannot be parsed.
    #[error("{}: line {line}: {reason}", .path.display())]
    Measurement {
        /// The file.
        path: PathBuf,
        /// The line number, from 1.
        line: usize,
        /// The reason.
        reason: String,
    },

    /// The neuron refused the call.
    #[error(transparent)]
    Neuron(#[from] neuron_runtime::Error),

    /// A plot could not be drawn.
    #[error("cannot draw the plot")]
    Draw(#[from] neurons_plot::Error),

    /// A file could not be read or written.
    #[error("cannot {action} `{}`: {source}", .path.display())]
    File {
        /// The operation, such as `read`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },

    /// The output could not be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] std::io::Error),

    /// Something could not be encoded as JSON.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Error {
    /// For `map_err` on an error of the file system.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }

    /// Whether the reader of the output went away, which is not an error.
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
    let reset = reset.map(|reset| format!("reset `{}`", reset.keyword()));
    template.into_iter().chain(reset).collect::<Vec<_>>().join(" and ")
}

/// What is wrong with a choice among the declarations of a file.
fn missing(file: &str, what: &str, name: Option<&str>, several: bool) -> String {
    match name {
        Some(name) => format!("declares no {what} `{name}`"),
        None if several => format!("declares several {what}s, choose one: `{file}:NAME`"),
        None => format!("declares no {what}"),
    }
}

/// How many there are, then each with the lines of the source.
fn mistakes_in(file: &str, mistakes: &Mistakes) -> String {
    let count = mistakes.problems().len();
    let what = if count == 1 { "a mistake" } else { "mistakes" };
    let rendered = |problem: &Problem| problem.render(Some(file), mistakes.source(), true);
    let all: Vec<String> = mistakes.problems().iter().map(rendered).collect();
    format!("{what} in {file}\n\n{}", all.join("\n\n"))
}
