//! Settings of the build, from the environment.

use std::ffi::OsString;

pub use neuron_abi::{Architecture, Format, Target};

use super::error::Error;
use super::search::Search;

/// The environment variables with settings; a change of one reruns the build script.
pub const VARIABLES: [&str; 4] =
    ["NEURON_CUDA", "NEURON_CUDA_TARGETS", "NEURON_CUDA_FORMATS", "NEURON_NVRTC"];

/// The default targets: machine code for Ampere, Ada and Hopper, and PTX for later GPUs, which is a by-product of the first
/// cubin.
const TARGETS: &str = "sm_80,sm_90,compute_80";

/// The default formats. Each further one would add as much to every build as this one; machines with NVRTC compile them
/// at first use.
const FORMATS: &str = "f32";

/// What is compiled, and with which compiler.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether kernels are compiled.
    pub mode: Mode,
    /// Targets.
    pub targets: Vec<Target>,
    /// Data formats.
    pub formats: Vec<Format>,
    /// Where to search for the compiler.
    pub search: Search,
}

impl Settings {
    /// Reads the settings from environment variables, which `variable` looks up.
    ///
    /// # Errors
    /// [`Error::Setting`]
    pub fn new(variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let text = |name: &'static str| variable(name).map(|value| value.to_string_lossy().into_owned());
        let mode = text("NEURON_CUDA").unwrap_or_else(|| "auto".into());
        let mode = Mode::parse(&mode).ok_or_else(|| Error::Setting {
            name: "NEURON_CUDA",
            value: mode,
            expected: "`auto`, `require` or `off`".into(),
        })?;
        let targets = text("NEURON_CUDA_TARGETS").unwrap_or_else(|| TARGETS.into());
        let targets = list(
            "NEURON_CUDA_TARGETS",
            &targets,
            Target::parse,
            "`sm_90` for a cubin or `compute_80` for PTX, each with a number, separated by commas",
        )?;
        let formats = text("NEURON_CUDA_FORMATS").unwrap_or_else(|| FORMATS.into());
        let formats = match formats.trim() {
            "all" => Format::ALL.to_vec(),
            formats => list(
                "NEURON_CUDA_FORMATS",
                formats,
                Format::parse,
                "`all`, or some of `f32`, `f64`, `f16` and `bf16`, separated by commas",
            )?,
        };
        Ok(Self { mode, targets, formats, search: Search::new(variable) })
    }
}

/// Reads a list: at least one entry, separated by commas. An entry given twice counts once.
fn list<T: PartialEq>(
    name: &'static str,
    value: &str,
    parse: impl Fn(&str) -> Option<T>,
    expected: &str,
) -> Result<Vec<T>, Error> {
    let mut entries = Vec::new();
    for part in value.split(',') {
        let entry = parse(part.trim()).ok_or_else(|| Error::Setting {
            name,
            value: value.into(),
            expected: expected.into(),
        })?;
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// Whether kernels are compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// If there is a compiler. Failures are warnings.
    Auto,
    /// Yes; failures are errors.
    Require,
    /// No.
    Off,
}

impl Mode {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Auto),
            "require" => Some(Self::Require),
            "off" => Some(Self::Off),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<Settings, Error> {
        let found =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        Settings::new(&found)
    }

    #[test]
    fn defaults() {
        let settings = settings(&[]).unwrap();
        assert_eq!(settings.mode, Mode::Auto);
        let targets: Vec<String> = settings.targets.iter().map(Target::to_string).collect();
        assert_eq!(targets, ["sm_80", "sm_90", "compute_80"]);
        assert_eq!(settings.formats, [Format::F32]);
    }

    #[test]
    fn lists() {
        let variables =
            [("NEURON_CUDA_TARGETS", "sm_90a, compute_100,sm_90a"), ("NEURON_CUDA_FORMATS", "bf16,f32")];
        let settings = settings(&variables).unwrap();
        let targets: Vec<String> = settings.targets.iter().map(Target::to_string).collect();
        assert_eq!(targets, ["sm_90a", "compute_100"]);
        assert_eq!(settings.formats, [Format::Bf16, Format::F32]);
    }

    #[test]
    fn all_formats() {
        assert_eq!(settings(&[("NEURON_CUDA_FORMATS", "all")]).unwrap().formats, Format::ALL);
    }

    #[test]
    fn unknown_values_are_refused_with_what_is_allowed() {
        for (name, value, allowed) in [
            ("NEURON_CUDA", "yes", "`require`"),
            ("NEURON_CUDA", "", "`auto`"),
            ("NEURON_CUDA_TARGETS", "sm_80,90", "`compute_80`"),
            ("NEURON_CUDA_TARGETS", "sm_", "`sm_90`"),
            ("NEURON_CUDA_TARGETS", "sm_9é", "`sm_90`"),
            ("NEURON_CUDA_TARGETS", "", "`sm_90`"),
            ("NEURON_CUDA_FORMATS", "f32,fp8", "`bf16`"),
            ("NEURON_CUDA_FORMATS", "f32,all", "`all`"),
        ] {
            let error = settings(&[(name, value)]).unwrap_err();
            assert!(matches!(error, Error::Setting { .. }), "{error:?}");
            let text = error.to_string();
            assert!(text.contains(&format!("{name}={value}")) && text.contains(allowed), "{text}");
        }
    }
}
