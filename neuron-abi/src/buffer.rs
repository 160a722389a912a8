//! The arrays of kernels: what they hold, in which format, and how many values.

use std::fmt;

use crate::{Format, STEPS, WORD};

/// In which format an array is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The data's own format: inputs, spikes and their gradients. May be a half-precision one.
    Signal,
    /// The format of the arithmetic: states, their gradients, factors kept for the backward pass.
    State,
    /// One bit a neuron, in words of 32 bits, `u32`: that of neuron `n` is bit `n % 32`, the lowest being bit 0, of
    /// word `n / 32` of a step. Bits beyond the last neuron are 0.
    Bits,
}

impl Class {
    /// Elements of a row of so many neurons.
    pub const fn columns(self, neurons: usize) -> usize {
        match self {
            Self::Signal | Self::State => neurons,
            Self::Bits => neurons.div_ceil(WORD),
        }
    }

    /// Bytes of an element, of data of `format`.
    pub const fn size(self, format: Format) -> usize {
        match self {
            Self::Signal => format.size(),
            Self::State => format.arithmetic().size(),
            Self::Bits => WORD / 8,
        }
    }

    /// Bytes of a row of so many neurons, of data of `format`; `usize::MAX` if it is more.
    pub const fn bytes(self, format: Format, neurons: usize) -> usize {
        self.columns(neurons).saturating_mul(self.size(format))
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signal => "signal",
            Self::State => "state",
            Self::Bits => "bits",
        })
    }
}

/// How many values an array has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extent {
    /// One a step and neuron: `[T, N]`.
    Step,
    /// One a neuron: `[N]`.
    Neuron,
    /// One a neuron before every [`STEPS`]th step but the first: `[(T - 1) / 8, N]`, so none up to `T = 8`.
    Checkpoint,
    /// As many as a parameter has: one, or one a channel or a neuron.
    Parameter,
}

impl Extent {
    /// Rows of such an array over so many steps: it has one element for each neuron in each. `None` for a parameter.
    pub const fn rows(self, steps: usize) -> Option<usize> {
        match self {
            Self::Step => Some(steps),
            Self::Neuron => Some(1),
            Self::Checkpoint => Some(steps.saturating_sub(1) / STEPS),
            Self::Parameter => None,
        }
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Step => "step",
            Self::Neuron => "neuron",
            Self::Checkpoint => "checkpoint",
            Self::Parameter => "parameter",
        })
    }
}

/// What an array is to a neuron. Indices are places among the neuron's inputs, states and parameters, or among the
/// factors that it saves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// An input.
    Input(usize),
    /// The loss gradient of an input.
    GradInput(usize),
    /// The spike, or what else leaves the neuron.
    Output,
    /// The loss gradient of that.
    GradOutput,
    /// A state before the first step.
    State(usize),
    /// The loss gradient of that.
    GradState(usize),
    /// A state after the last step.
    NextState(usize),
    /// The loss gradient of that.
    GradNextState(usize),
    /// A state before every [`STEPS`]th step but the first.
    Checkpoint(usize),
    /// The membrane potential after every step.
    Trace,
    /// A derivative that the forward pass saves for the backward pass.
    Factor(usize),
    /// A parameter that may differ between neurons.
    Param(usize),
    /// The loss gradient of a learnable parameter.
    GradParam(usize),
}

/// What values a parameter has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParamKind {
    /// One number, the same for all neurons.
    Scalar,
    /// One number for all neurons, or one a channel or a neuron: chosen where the neuron is used.
    Array,
    /// As [`ParamKind::Array`], and the backward pass returns its gradient.
    Learnable,
}

impl ParamKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Scalar, Self::Array, Self::Learnable];

    /// The word that declares it.
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Scalar => "param",
            Self::Array => "array",
            Self::Learnable => "learnable",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_rows() {
        for (class, format, bytes) in [
            (Class::Signal, Format::F16, 66),
            (Class::Signal, Format::F64, 264),
            (Class::State, Format::Bf16, 132),
            (Class::State, Format::F64, 264),
            (Class::Bits, Format::F64, 8),
        ] {
            assert_eq!(class.bytes(format, 33), bytes, "{class} {format}");
        }
        assert_eq!(Class::State.bytes(Format::F16, usize::MAX), usize::MAX);
    }

    #[test]
    fn checkpoints_are_before_every_eighth_step_but_the_first() {
        let rows = [0, 1, 8, 9, 16, 17].map(|steps| Extent::Checkpoint.rows(steps));
        assert_eq!(rows, [0, 0, 0, 1, 1, 2].map(Some));
        assert_eq!(Extent::Parameter.rows(9), None);
    }
}
