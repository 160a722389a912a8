//! Data formats.

use std::fmt;

/// A data format: the storage format of inputs, spikes and their gradients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// float32.
    F32,
    /// float64.
    F64,
    /// float16, with float32 states and arithmetic.
    F16,
    /// bfloat16, with float32 states and arithmetic.
    Bf16,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::F32, Self::F64, Self::F16, Self::Bf16];

    /// Its name, `f32`: the suffix of its kernels' symbols.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        }
    }

    /// The macro that selects it in CUDA source, `F32`.
    pub const fn cuda_macro(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F64 => "F64",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
        }
    }

    /// The format with the given name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Bytes per number.
    pub const fn size(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// The format of states and arithmetic.
    pub const fn arithmetic(self) -> Self {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 => Self::F32,
            Self::F64 => Self::F64,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The number of neurons per GPU thread, by data format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lanes {
    /// In float64.
    pub double: usize,
    /// In float32.
    pub single: usize,
    /// In float16 and bfloat16.
    pub half: usize,
}

impl Lanes {
    /// For data of `format`.
    pub const fn of(self, format: Format) -> usize {
        match format {
            Format::F64 => self.double,
            Format::F32 => self.single,
            Format::F16 | Format::Bf16 => self.half,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for format in Format::ALL {
            assert_eq!(Format::parse(format.name()), Some(format));
            assert_eq!(format.cuda_macro(), format.name().to_uppercase());
            assert_eq!(format.arithmetic().arithmetic(), format.arithmetic());
        }
        assert_eq!(Format::parse("f8"), None);
    }
}
