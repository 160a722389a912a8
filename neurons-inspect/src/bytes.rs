//! Memory traffic: bytes of the arrays that a template reads and writes.

use neuron_runtime::{Class, Extent, Format, STEPS, Signature};
use serde::Serialize;

/// Bytes of a template in one format. Parameters are left out: they have few values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bytes {
    /// For each step of each neuron. What is kept every 8 steps counts as an eighth.
    pub per_step: f64,
    /// For each neuron, however many steps there are: states before the first and after the last.
    pub per_neuron: usize,
}

impl Bytes {
    /// Of a template's arrays, for data of `format`.
    pub fn of(signature: &Signature, format: Format) -> Self {
        let mut bytes = Self { per_step: 0.0, per_neuron: 0 };
        for buffer in signature.inputs.iter().chain(signature.outputs) {
            let size = match buffer.class {
                Class::Signal | Class::State => buffer.class.size(format) as f64,
                Class::Bits => 1.0 / 8.0,
            };
            match buffer.extent {
                Extent::Step => bytes.per_step += size,
                Extent::Checkpoint => bytes.per_step += size / STEPS as f64,
                // A template of one step reads and writes its states in that step.
                Extent::Neuron if signature.template.is_multi_step() => bytes.per_neuron += size as usize,
                Extent::Neuron => bytes.per_step += size,
                Extent::Parameter => {}
            }
        }
        bytes
    }
}

impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.per_neuron {
            0 => write!(f, "{}", self.per_step),
            per_neuron => write!(f, "{} + {per_neuron}/T", self.per_step),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use neuron_runtime::{DeclaredNeuron, Template};

    #[test]
    fn bytes_of_lif() {
        let bytes = |template, format| Bytes::of(neurons::Lif::SPEC.signature(template), format).to_string();
        assert_eq!(bytes(Template::Forward, Format::F32), "16");
        assert_eq!(bytes(Template::Fptt, Format::F32), "8 + 8/T");
        // Half precision is for inputs and spikes; factors are in the format of the arithmetic.
        assert_eq!(bytes(Template::FpttWithGrad, Format::F16), "12 + 8/T");
        assert_eq!(bytes(Template::Bptt, Format::F64), "32 + 16/T");
        assert_eq!(bytes(Template::LeanFptt, Format::F32), "8.5 + 8/T");
        assert_eq!(bytes(Template::FpttWithV, Format::F32), "12 + 8/T");
        assert_eq!(bytes(Template::PackedFptt, Format::F16), "2.125 + 8/T");
    }
}
