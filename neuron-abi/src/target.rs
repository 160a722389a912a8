//! Compilation targets of CUDA source.

use std::fmt;

/// A GPU architecture: 90 for compute capability 9.0. Features that other architectures lack are only available with a
/// letter, as in `90a`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Architecture {
    /// Ten times the major version, plus the minor one.
    pub number: u32,
    /// The letter, if code may use features specific to the architecture.
    pub letter: Option<char>,
}

/// The target of a compilation: machine code for one architecture, or PTX. Cubins sort first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// `sm_90`: machine code.
    Cubin(Architecture),
    /// `compute_90`: PTX, which the driver compiles for that architecture or a later one.
    Ptx(Architecture),
}

impl Architecture {
    /// The architecture of a GPU of compute capability `major.minor`.
    pub const fn of_device((major, minor): (u32, u32)) -> Self {
        Self { number: major.saturating_mul(10).saturating_add(minor), letter: None }
    }
}

impl Target {
    /// Reads `sm_90` or `compute_90`.
    pub fn parse(text: &str) -> Option<Self> {
        let architecture = |text: &str| {
            let letter = text.chars().last().filter(char::is_ascii_lowercase);
            let digits = &text[..text.len() - usize::from(letter.is_some())];
            let valid = matches!(digits.len(), 2 | 3) && digits.bytes().all(|byte| byte.is_ascii_digit());
            valid.then(|| Some(Architecture { number: digits.parse().ok()?, letter }))?
        };
        match text.split_once('_')? {
            ("sm", number) => architecture(number).map(Self::Cubin),
            ("compute", number) => architecture(number).map(Self::Ptx),
            _ => None,
        }
    }

    /// The architecture that it is compiled for.
    pub const fn architecture(self) -> Architecture {
        match self {
            Self::Cubin(architecture) | Self::Ptx(architecture) => architecture,
        }
    }

    /// Whether it is PTX.
    pub const fn is_ptx(self) -> bool {
        matches!(self, Self::Ptx(_))
    }

    /// Whether an image for this target runs on a GPU of architecture `device`. Machine code runs on later
    /// architectures of the same major version, and PTX on all later ones, unless the target has a letter.
    pub const fn runs_on(self, device: Architecture) -> bool {
        let Architecture { number, letter } = self.architecture();
        match (letter, self) {
            (Some(_), _) => number == device.number,
            (None, Self::Cubin(_)) => number / 10 == device.number / 10 && number <= device.number,
            (None, Self::Ptx(_)) => number <= device.number,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Architecture { number, letter } = self.architecture();
        let kind = if self.is_ptx() { "compute" } else { "sm" };
        write!(f, "{kind}_{number}{}", letter.map(String::from).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str) -> Target {
        Target::parse(name).expect("a target")
    }

    #[test]
    fn names() {
        for name in ["sm_80", "sm_90a", "sm_120", "compute_80", "compute_100f"] {
            assert_eq!(target(name).to_string(), name);
        }
        for other in ["", "sm", "sm_", "sm_9", "sm_9000", "sm_90A", "sm_9é", "90", "ptx_90", "sm-90"] {
            assert_eq!(Target::parse(other), None, "{other}");
        }
    }

    #[test]
    fn compatibility() {
        let runs = |name, device| target(name).runs_on(Architecture::of_device(device));
        assert!(runs("sm_80", (8, 0)) && runs("sm_80", (8, 9)) && !runs("sm_86", (8, 0)));
        assert!(!runs("sm_80", (9, 0)) && !runs("sm_90", (8, 9)));
        assert!(runs("compute_80", (8, 0)) && runs("compute_80", (12, 0)) && !runs("compute_80", (7, 5)));
        assert!(runs("sm_90a", (9, 0)) && !runs("sm_100a", (10, 3)));
        assert!(runs("compute_90a", (9, 0)) && !runs("compute_90a", (10, 0)));
    }
}
