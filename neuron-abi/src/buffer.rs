//! The arrays of kernels: roles, formats and extents.

use std::fmt;

use crate::{Format, STEPS, WORD};

/// The storage format of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The data format, possibly half precision: inputs, spikes and their gradients.
    Signal,
    /// The format of the arithmetic: states, their gradients, factors saved for the backward pass.
    State,
    /// One bit per neuron, in words of type `u32`: neuron `n` is bit `n % 32` of word `n / 32` of a step, where bit 0 is the
    /// lowest. Bits beyond the last neuron are 0.
    Bits,
}

impl Class {
    /// Elements per row of `neurons` neurons.
    pub const fn columns(self, neurons: usize) -> usize {
        match self {
            Self::Signal | Self::State => neurons,
            Self::Bits => neurons.div_ceil(WORD),
        }
    }

    /// Bytes per element, for data of `format`.
    pub const fn size(self, format: Format) -> usize {
        match self {
            Self::Signal => format.size(),
            Self::State => format.arithmetic().size(),
            Self::Bits => WORD / 8,
        }
    }

    /// Bytes per row of `neurons` neurons, for data of `format`; saturates at `usize::MAX`.
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

/// The extent of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extent {
    /// One value per step and neuron: `[T, N]`.
    Step,
    /// One value per neuron: `[N]`.
    Neuron,
    /// One value per neuron before every [`STEPS`]th step except the first: `[(T - 1) / 8, N]`, so none up to `T = 8`.
    Checkpoint,
    /// The values of a parameter: one, or one per channel or neuron.
    Parameter,
}

impl Extent {
    /// The number of rows, each with one element per neuron, for `steps` steps. `None` for a parameter.
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

/// The role of an array. Indices are those of the neuron's inputs, states and parameters, or of the factors that it saves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// An input.
    Input(usize),
    /// The loss gradient of an input.
    GradInput(usize),
    /// The spike, or the output of a neuron that does not fire.
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
    /// A state before every [`STEPS`]th step except the first.
    Checkpoint(usize),
    /// The membrane potential after every step.
    Trace,
    /// A derivative that the forward pass saves for the backward pass.
    Factor(usize),
    /// An array parameter.
    Param(usize),
    /// The loss gradient of a learnable parameter.
    GradParam(usize),
}

/// What a kernel does without an array that a call leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Absent {
    /// The state with that index starts at its initial value, which is then the same for all neurons.
    Initial(usize),
    /// The array is taken to be zero.
    Zero,
    /// The result is not written.
    Unwritten,
}

impl Role {
    /// What a kernel does without the array, or `None` if every call has it. An array is left out by passing one without
    /// elements.
    pub const fn absent(self) -> Option<Absent> {
        match self {
            Self::State(index) => Some(Absent::Initial(index)),
            Self::GradNextState(_) => Some(Absent::Zero),
            Self::NextState(_) | Self::GradState(_) => Some(Absent::Unwritten),
            Self::Input(_)
            | Self::GradInput(_)
            | Self::Output
            | Self::GradOutput
            | Self::Checkpoint(_)
            | Self::Trace
            | Self::Factor(_)
            | Self::Param(_)
            | Self::GradParam(_) => None,
        }
    }
}

/// The kind of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParamKind {
    /// A scalar, the same for all neurons.
    Scalar,
    /// One value for all neurons, or one per channel or neuron: chosen where the neuron is used.
    Array,
    /// As [`ParamKind::Array`], and the backward pass returns its gradient.
    Learnable,
}

impl ParamKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Scalar, Self::Array, Self::Learnable];

    /// The keyword that declares it.
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
