//! nvcc, used if there is no NVRTC.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Variables from which nvcc takes additional options. They could override `--fmad=false`, and changing them would not
/// recompile anything.
const OPTIONS: [&str; 2] = ["NVCC_PREPEND_FLAGS", "NVCC_APPEND_FLAGS"];

/// The program.
#[derive(Debug)]
pub struct Nvcc {
    path: PathBuf,
    version: String,
}

impl Nvcc {
    /// Queries the version of the program at `path`. `None` if it does not run.
    pub fn new(path: &Path) -> Option<Self> {
        let output = command(path).arg("--version").output().ok().filter(|output| output.status.success())?;
        // The last line names the build, such as `Build cuda_13.0.r13.0/compiler.36424714_0`.
        let version = String::from_utf8_lossy(&output.stdout).trim().lines().last()?.trim().to_owned();
        Some(Self { path: path.to_owned(), version })
    }

    /// Path and version.
    pub fn description(&self) -> String {
        format!("nvcc, {} ({})", self.version, self.path.display())
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Compiles a source, which is passed in a file; returns the image and the compiler's output.
    pub fn compile(
        &self,
        source: &str,
        options: &[String],
        to_ptx: bool,
        scratch: &Path,
    ) -> Result<(Vec<u8>, String), String> {
        let (input, output) = (scratch.with_extension("cu"), scratch.with_extension("out"));
        let image = self.compile_file(source, options, to_ptx, &input, &output);
        // Files that cannot be removed do no harm.
        let _ = std::fs::remove_file(input);
        let _ = std::fs::remove_file(output);
        image
    }

    fn compile_file(
        &self,
        source: &str,
        options: &[String],
        to_ptx: bool,
        input: &Path,
        output: &Path,
    ) -> Result<(Vec<u8>, String), String> {
        std::fs::write(input, source)
            .map_err(|error| format!("cannot write {}: {error}", input.display()))?;
        let mut command = command(&self.path);
        command.arg(if to_ptx { "--ptx" } else { "--cubin" }).args(options);
        let run = command.arg("--output-file").arg(output).arg(input).output();
        let run = run.map_err(|error| format!("cannot run {}: {error}", self.path.display()))?;
        let said = String::from_utf8_lossy(&[run.stdout, run.stderr].concat()).trim_end().to_owned();
        if !run.status.success() {
            return Err(format!("{said}\n{}", run.status));
        }
        let image = std::fs::read(output);
        let image = image.map_err(|error| format!("cannot read {}: {error}", output.display()))?;
        Ok((image, said))
    }
}

fn command(path: &Path) -> Command {
    let mut command = Command::new(path);
    for name in OPTIONS {
        command.env_remove(name);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_the_environment_are_not_used() {
        let command = command("nvcc".as_ref());
        for name in ["NVCC_PREPEND_FLAGS", "NVCC_APPEND_FLAGS"] {
            assert!(command.get_envs().any(|change| change == (name.as_ref(), None)), "{name}");
        }
    }
}
