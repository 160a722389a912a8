//! CUDA source for the declarations of a crate.

use std::path::{Path, PathBuf};

use crate::check::analyse;
use crate::declarations::declarations;
use crate::emit::cuda;
use crate::gradient::Derived;
use crate::kernel::programs;

/// The directories of a package with code that is compiled with its `OUT_DIR`.
const FOLDERS: [&str; 4] = ["src", "examples", "tests", "benches"];

/// A neuron declared in a crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// All of its kernels, in CUDA C++.
    pub text: String,
}

/// Those of these directories that a package has.
pub fn folders(manifest_dir: &Path) -> Vec<PathBuf> {
    FOLDERS.iter().map(|folder| manifest_dir.join(folder)).filter(|folder| folder.is_dir()).collect()
}

/// Every neuron that the package declares, in a stable order.
///
/// Files that are not Rust and declarations with mistakes are skipped: the compiler and the macro report them better than a
/// build script can.
pub fn sources(manifest_dir: &Path) -> Vec<Source> {
    let mut files = Vec::new();
    for folder in folders(manifest_dir) {
        rust_files(&folder, &mut files);
    }
    files.sort();
    let texts = files.iter().filter_map(|file| std::fs::read_to_string(file).ok());
    let declared = texts.filter_map(|text| declarations(&text).ok()).flatten();
    declared.filter_map(source).collect()
}

/// The source of a declaration without mistakes.
pub fn source(declaration: proc_macro2::TokenStream) -> Option<Source> {
    let analysis = analyse(declaration);
    let model = analysis.model.filter(|_| analysis.report.is_empty())?;
    let name = crate::identifiers::text(&model.name);
    let mut derived = Derived::new(model);
    let programs = programs(&mut derived);
    Some(Source { name, text: cuda::source(&derived, &programs) })
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        // Linked directories are not followed: they may form cycles.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && path.is_file() {
            found.push(path);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// Reading anything else may block.
    #[test]
    fn only_files_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("lib.rs");
        std::fs::write(&file, "").expect("a file");
        let _socket =
            std::os::unix::net::UnixListener::bind(folder.path().join("socket.rs")).expect("a socket");
        let mut found = Vec::new();
        rust_files(folder.path(), &mut found);
        assert_eq!(found, [file]);
    }
}
