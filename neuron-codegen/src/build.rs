//! Compiles the CUDA kernels of a crate when it is built.
//!
//! One line in the `build.rs` of a crate that declares neurons:
//!
//! ```no_run
//! # #[allow(clippy::needless_doctest_main)]
//! fn main() {
//!     neuron_codegen::build::neurons();
//! }
//! ```
//!
//! It finds the declarations in the crate's sources, generates CUDA C++ for each, compiles it for every data format and
//! architecture, and writes the images to `OUT_DIR`, where the macro finds and embeds them. Only what has changed is
//! recompiled. Without a CUDA compiler it prints one warning, and the crate is built without images.
//!
//! Environment variables configure it, see `docs/cuda.md`: `NEURON_CUDA`, `NEURON_CUDA_TARGETS`, `NEURON_CUDA_FORMATS` and
//! `NEURON_NVRTC`.

pub mod compiler;
pub mod error;
pub mod images;
mod nvcc;
mod nvrtc;
pub mod search;
pub mod settings;
pub mod sources;
pub mod usage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use compiler::Compiler;
use error::Error;
use settings::{Architecture, Format, Mode, Settings, Target};
use sources::Source;

/// Compiles the kernels of the crate whose build script calls it, and prints instructions for cargo.
///
/// Fails the build with a message if kernels cannot be compiled under `NEURON_CUDA=require`, or if a setting is invalid.
pub fn neurons() {
    if let Err(error) = build_script() {
        say("error", &error.to_string());
        std::process::exit(1);
    }
}

fn build_script() -> Result<(), Error> {
    let folder = |name| std::env::var_os(name).map(PathBuf::from).ok_or(Error::NotABuildScript { name });
    let (manifest_dir, out_dir) = (folder("CARGO_MANIFEST_DIR")?, folder("OUT_DIR")?);
    for folder in sources::folders(&manifest_dir) {
        say("rerun-if-changed", &folder.display().to_string());
    }
    for name in settings::VARIABLES.iter().chain(&search::VARIABLES) {
        say("rerun-if-env-changed", name);
    }
    let settings = Settings::new(&|name| std::env::var_os(name))?;
    let outcome = compile(&settings, &manifest_dir, &out_dir)?;
    if let Some(path) = outcome.compiler {
        say("rerun-if-changed", &path.display().to_string());
    }
    for warning in outcome.warnings {
        say("warning", &warning);
    }
    Ok(())
}

/// Prints an instruction for cargo, which reads one line at a time.
fn say(instruction: &str, text: &str) {
    for line in text.lines() {
        println!("cargo::{instruction}={line}");
    }
}

/// What [`compile`] did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Images compiled.
    pub compiled: usize,
    /// Images that were up to date.
    pub kept: usize,
    /// Warnings for the user.
    pub warnings: Vec<String>,
    /// The compiler's file. If it changes, images must be recompiled.
    pub compiler: Option<PathBuf>,
}

/// Compiles the kernels of every neuron that the package in `manifest_dir` declares to images under `out_dir`, unless they
/// are up to date. Removes images that are not requested.
///
/// # Errors
/// [`Error::Io`]; under [`Mode::Require`] also everything that prevents an image. Under [`Mode::Auto`] that is a warning,
/// except for a library that the user named.
pub fn compile(settings: &Settings, manifest_dir: &Path, out_dir: &Path) -> Result<Outcome, Error> {
    let root = images::root(out_dir);
    let sources = if settings.mode == Mode::Off { Vec::new() } else { sources::sources(manifest_dir) };
    if sources.is_empty() {
        remove(&root)?;
        return Ok(Outcome::default());
    }
    let compiler = match settings.search.find() {
        Ok(compiler) => compiler,
        Err(error @ Error::NoCompiler) if settings.mode == Mode::Auto => {
            remove(&root)?;
            let names: Vec<_> = sources.iter().map(|source| format!("`{}`", source.name)).collect();
            let warning = format!(
                "{} will run on the CPU only: {error}. Set `NEURON_CUDA=off` to silence this warning.",
                names.join(", ")
            );
            // On one line, since cargo prints each line as a separate warning.
            return Ok(Outcome { warnings: vec![warning.replace('\n', " ")], ..Outcome::default() });
        }
        Err(error) => return Err(error),
    };
    let mut outcome = Outcome { compiler: compiler.path().map(Path::to_owned), ..Outcome::default() };
    let jobs = prepare(settings, &sources, &compiler, &root, &mut outcome)?;
    for result in in_parallel(&jobs, |job| job.run(&compiler).map(|()| job.targets().count())) {
        match result {
            Ok(images) => outcome.compiled += images,
            Err(error @ Error::Compile { .. }) if settings.mode == Mode::Auto => {
                outcome.warnings.push(error.to_string());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(outcome)
}

/// One run of the compiler: an image, or a cubin and the PTX of the same architecture.
struct Job<'a> {
    source: &'a Source,
    format: Format,
    target: Target,
    /// Whether the PTX for the same architecture is requested too. It is a by-product of the cubin.
    with_ptx: bool,
    folder: PathBuf,
}

/// Removes stale images and returns the jobs for missing ones.
fn prepare<'a>(
    settings: &Settings,
    sources: &'a [Source],
    compiler: &Compiler,
    root: &Path,
    outcome: &mut Outcome,
) -> Result<Vec<Job<'a>>, Error> {
    // The same declaration in two files is one folder.
    let wanted: BTreeMap<String, &Source> =
        sources.iter().map(|source| (images::folder(&source.name, &source.text), source)).collect();
    for path in entries(root) {
        if !path.file_name().and_then(|name| name.to_str()).is_some_and(|name| wanted.contains_key(name)) {
            remove(&path)?;
        }
    }
    let mut jobs = Vec::new();
    for (folder, source) in wanted {
        let folder = root.join(folder);
        let stamp = (folder.join("stamp"), compiler.description());
        if std::fs::read_to_string(&stamp.0).ok().as_ref() != Some(&stamp.1) {
            remove(&folder)?;
            std::fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
            std::fs::write(&stamp.0, stamp.1).map_err(Error::io("write", &stamp.0))?;
        }
        let mut stale = entries(&folder);
        stale.retain(|path| *path != stamp.0);
        for &format in &settings.formats {
            let mut missing = settings.targets.clone();
            missing.retain(|target| {
                let path = folder.join(images::file(format, *target));
                let found = stale.iter().position(|present| *present == path);
                found.map(|found| stale.swap_remove(found)).is_none()
            });
            outcome.kept += settings.targets.len() - missing.len();
            for &target in &missing {
                let is_missing =
                    |other: fn(Architecture) -> Target| missing.contains(&other(target.architecture()));
                if target.is_ptx() && is_missing(Target::Cubin) {
                    continue;
                }
                let with_ptx = !target.is_ptx() && is_missing(Target::Ptx);
                jobs.push(Job { source, format, target, with_ptx, folder: folder.clone() });
            }
        }
        for path in stale {
            remove(&path)?;
        }
    }
    Ok(jobs)
}

impl Job<'_> {
    /// The targets of its images.
    fn targets(&self) -> impl Iterator<Item = Target> + use<> {
        let ptx = self.with_ptx.then(|| Target::Ptx(self.target.architecture()));
        [self.target].into_iter().chain(ptx)
    }

    fn run(&self, compiler: &Compiler) -> Result<(), Error> {
        let Self { source, format, target, with_ptx, folder } = self;
        let path = |target| folder.join(images::file(*format, target));
        let scratch = path(*target).with_extension("new");
        let compiled = if *with_ptx {
            let architecture = target.architecture();
            compiler.compile_with_ptx(&source.text, *format, architecture, &scratch).map(Vec::from)
        } else {
            compiler.compile(&source.text, *format, *target, &scratch).map(|image| vec![image])
        };
        let compiled = compiled.map_err(|log| {
            let (neuron, compiler) = (source.name.clone(), compiler.description());
            Error::Compile { neuron, format: *format, target: *target, compiler, log }
        })?;
        for (image, target) in compiled.iter().zip(self.targets()) {
            // Renamed when complete, so that an interrupted build leaves no partial image.
            let path = path(target);
            let image = images::compress(image).map_err(Error::io("compress", &path))?;
            std::fs::write(&scratch, image).map_err(Error::io("write", &scratch))?;
            std::fs::rename(&scratch, &path).map_err(Error::io("rename to", &path))?;
        }
        Ok(())
    }
}

/// Runs jobs on as many threads as cargo allows; returns results in the order of the jobs.
fn in_parallel<J: Sync, R: Send>(jobs: &[J], run: impl Fn(&J) -> R + Sync) -> Vec<R> {
    // What cargo calls jobs.
    let allowed = std::env::var("NUM_JOBS").ok().and_then(|count| count.parse().ok());
    let threads = allowed.or_else(|| Some(std::thread::available_parallelism().ok()?.get())).unwrap_or(1);
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(jobs.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, jobs.len().max(1)) {
            scope.spawn(|| {
                while let Some((index, job)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    jobs.get(index).map(|job| (index, job))
                } {
                    let result = run(job);
                    results.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push((index, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The entries of a directory; none if it does not exist.
fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect()
}

/// Removes a file, or a directory with its contents, if it exists.
fn remove(path: &Path) -> Result<(), Error> {
    let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}
