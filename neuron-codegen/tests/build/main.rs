//! What a build script does: compiles the kernels of a crate's declarations, once, where the macro finds them.
//!
//! What needs NVRTC is passed over where there is none, unless `NEURON_CUDA=require` is set.

mod compiled;
mod missing;
mod program;
mod scratch;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use lz4_flex::frame::FrameDecoder;
use neuron_codegen::build::search::Search;
use neuron_codegen::build::settings::{Mode, Settings};
use neuron_codegen::build::{Outcome, compile, error::Error, images};
use tempfile::TempDir;

/// A package with an `OUT_DIR`.
struct Package {
    folder: TempDir,
    settings: Settings,
}

impl Package {
    /// With one format and two targets, and the compiler at hand.
    fn new(files: &[(&str, String)]) -> Self {
        let settings = Settings::new(&|name| match name {
            "NEURON_CUDA" => Some("require".into()),
            "NEURON_CUDA_TARGETS" => Some("sm_80,compute_80".into()),
            "NEURON_CUDA_FORMATS" => Some("f32".into()),
            other => std::env::var_os(other),
        });
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let package = Self { folder, settings: settings.expect("the settings are valid") };
        for (path, text) in files {
            package.write(path, text);
        }
        package
    }

    fn with(mut self, mode: Mode, search: Search) -> Self {
        self.settings.mode = mode;
        self.settings.search = search;
        self
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn out_dir(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn compile(&self) -> Result<Outcome, Error> {
        compile(&self.settings, self.folder.path(), &self.out_dir())
    }

    /// All images, as `Name/file`, without the hash.
    fn images(&self) -> Vec<String> {
        let mut found = Vec::new();
        for folder in entries(&images::root(&self.out_dir())) {
            let name = folder.file_name().unwrap().to_str().unwrap().split('-').next().unwrap().to_owned();
            let files = entries(&folder).into_iter().filter(|file| !file.ends_with("stamp"));
            found.extend(files.map(|file| format!("{name}/{}", file.file_name().unwrap().to_str().unwrap())));
        }
        found.sort();
        found
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}

/// An image, decompressed.
fn read(path: &Path) -> Vec<u8> {
    let mut image = Vec::new();
    FrameDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut image).unwrap();
    image
}

/// A declaration in a file.
fn declaration(name: &str, charge: &str) -> String {
    format!("neuron! {{ pub struct {name} {{ charge = {charge}; reset hard; }} }}")
}

/// Whether there is a compiler; says so if not.
fn has_compiler() -> bool {
    let settings = Settings::new(&|name| std::env::var_os(name)).expect("the settings are valid");
    match settings.search.find() {
        Ok(_) => true,
        Err(error) if settings.mode == Mode::Require => panic!("{error}"),
        Err(error) => {
            eprintln!("passed over: {error}");
            false
        }
    }
}
