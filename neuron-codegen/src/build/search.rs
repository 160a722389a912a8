//! Finds a CUDA compiler.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::compiler::Compiler;
use super::error::Error;
use super::nvcc::Nvcc;
use super::nvrtc::Nvrtc;

/// The environment variables that the search depends on, besides `PATH`. That one differs between shells and editors, which
/// should not cause a rebuild.
pub const VARIABLES: [&str; 4] = ["CUDA_PATH", "CUDA_HOME", "VIRTUAL_ENV", "CONDA_PREFIX"];

/// The locations to search. NVRTC is preferred: it needs no host compiler and is several times faster.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// The NVRTC that the user named, the library or its directory. If set, nothing else is tried.
    pub nvrtc: Option<PathBuf>,
    /// Directories to search for NVRTC, in order. The empty path stands for those of the dynamic loader. Relative ones are
    /// skipped: they would depend on the build's current directory.
    pub libraries: Vec<PathBuf>,
    /// Directories to search for nvcc, in order; relative ones are skipped likewise.
    pub programs: Vec<PathBuf>,
}

impl Search {
    /// All known locations, given environment variables, which `variable` looks up.
    pub fn new(variable: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let toolkits: Vec<PathBuf> = ["CUDA_PATH", "CUDA_HOME"].into_iter().filter_map(path).collect();

        let library = |toolkit: &Path| toolkit.join("lib64");
        let mut libraries: Vec<PathBuf> = toolkits.iter().map(|toolkit| library(toolkit)).collect();
        libraries.push(PathBuf::new());
        let installed = children("/usr/local".as_ref(), |name| name.starts_with("cuda"));
        libraries.extend(installed.iter().map(|toolkit| library(toolkit)));
        for packages in python_packages(&path) {
            libraries.push(packages.join("nvidia/cu13/lib"));
            libraries.push(packages.join("nvidia/cuda_nvrtc/lib"));
        }

        let mut programs: Vec<PathBuf> = toolkits.iter().map(|toolkit| toolkit.join("bin")).collect();
        if let Some(path) = variable("PATH") {
            programs.extend(std::env::split_paths(&path));
        }
        programs.extend(installed.iter().map(|toolkit| toolkit.join("bin")));
        Self { nvrtc: path("NEURON_NVRTC"), libraries, programs }
    }

    /// Finds a compiler. An NVRTC that cannot be loaded is skipped unless the user named it: it may be for another system.
    ///
    /// # Errors
    /// [`Error::NoCompiler`]; [`Error::NvrtcNotThere`] and [`Error::NvrtcUnusable`] for one that the user named.
    pub fn find(&self) -> Result<Compiler, Error> {
        if let Some(named) = &self.nvrtc {
            let library =
                if named.is_dir() { in_folder(named).into_iter().next() } else { Some(named.clone()) };
            let library = library.filter(|library| library.is_file());
            // The dynamic loader looks up names without a directory in its own directories.
            let library = library.and_then(|library| std::path::absolute(library).ok());
            let library = library.ok_or_else(|| Error::NvrtcNotThere { path: named.clone() })?;
            return Nvrtc::load(&library).map(Compiler::Nvrtc);
        }
        let candidates = self.libraries.iter().flat_map(|folder| match folder.as_os_str().is_empty() {
            true => ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"].map(PathBuf::from).to_vec(),
            false if folder.is_absolute() => in_folder(folder),
            false => Vec::new(),
        });
        if let Some(nvrtc) = candidates.into_iter().find_map(|library| Nvrtc::load(&library).ok()) {
            return Ok(Compiler::Nvrtc(nvrtc));
        }
        let programs = self.programs.iter().filter(|folder| folder.is_absolute());
        let programs = programs.map(|folder| folder.join("nvcc"));
        let nvcc = programs.filter(|path| path.is_file()).find_map(|path| Nvcc::new(&path));
        nvcc.map(Compiler::Nvcc).ok_or(Error::NoCompiler)
    }
}

/// The NVRTC libraries in a directory, newest first by name: `libnvrtc.so.13` before `libnvrtc.so.12`.
fn in_folder(folder: &Path) -> Vec<PathBuf> {
    let mut found = children(folder, |name| name == "libnvrtc.so" || name.starts_with("libnvrtc.so."));
    found.reverse();
    found
}

/// Directories that pip and conda install packages to.
fn python_packages(path: &dyn Fn(&str) -> Option<PathBuf>) -> Vec<PathBuf> {
    let environments = ["VIRTUAL_ENV", "CONDA_PREFIX"].into_iter().filter_map(path);
    let own = path("HOME").map(|home| home.join(".local"));
    let prefixes = environments.chain(own).chain(["/usr/local".into(), "/usr".into()]);
    prefixes
        .flat_map(|prefix| children(&prefix.join("lib"), |name| name.starts_with("python3")))
        .flat_map(|python| [python.join("site-packages"), python.join("dist-packages")])
        .collect()
}

/// The entries of a directory, by name. None if it cannot be read.
fn children(folder: &Path, is_wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let wanted = |path: &PathBuf| path.file_name().and_then(OsStr::to_str).is_some_and(&is_wanted);
    let mut found: Vec<PathBuf> = entries.filter(wanted).collect();
    found.sort();
    found
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A folder with what looks like both compilers, and its path from the current folder.
    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let nvcc = folder.path().join("nvcc");
        std::fs::write(&nvcc, "#!/bin/sh\necho Build of a test\n").expect("a program");
        std::fs::set_permissions(nvcc, PermissionsExt::from_mode(0o755)).expect("a mode");
        std::fs::write(folder.path().join("libnvrtc.so.13"), "no library").expect("a file");
        let depth = std::env::current_dir().expect("a current folder").components().count() - 1;
        let root: PathBuf = std::iter::repeat_n("..", depth).collect();
        let relative = root.join(folder.path().strip_prefix("/").expect("an absolute path"));
        (folder, relative)
    }

    #[test]
    fn programs_of_the_current_folder_are_passed_over() {
        let (folder, relative) = folder();
        let find = |programs| Search { programs, ..Search::default() }.find();
        assert!(relative.join("nvcc").is_file());
        assert!(matches!(find(vec![relative.clone()]), Err(Error::NoCompiler)));
        assert!(matches!(find(vec![relative, folder.path().to_owned()]), Ok(Compiler::Nvcc(_))));
    }

    #[test]
    fn a_library_that_was_named_is_the_one_that_is_loaded() {
        let (_folder, relative) = folder();
        for named in [relative.clone(), relative.join("libnvrtc.so.13")] {
            match (Search { nvrtc: Some(named), ..Search::default() }).find() {
                Err(Error::NvrtcUnusable { path, .. }) => assert!(path.is_absolute(), "{path:?}"),
                other => panic!("no library, but {other:?}"),
            }
        }
    }
}
