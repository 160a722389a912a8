//! Writes the declarations for `redeclare!`, and compiles the neurons' CUDA kernels; see `docs/cuda.md`.

use std::io::{Error, Result};
use std::path::Path;

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=src");
    let out_dir = std::env::var_os("OUT_DIR").ok_or_else(|| Error::other("cargo sets OUT_DIR"))?;
    let declarations = neuron_codegen::redeclare::table(Path::new("src"))?;
    std::fs::write(Path::new(&out_dir).join("declarations.rs"), declarations)?;
    if cfg!(feature = "cuda") {
        neuron_codegen::build::neurons();
    }
    Ok(())
}
