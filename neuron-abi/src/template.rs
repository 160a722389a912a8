//! The templates that kernels are generated from.

use std::fmt;

/// What a kernel computes. With hard and soft reset, the first four are the eight forward templates of the 2020 API; the
/// next two, the gradients, do not depend on the reset mode, since the forward pass saved its effect. The recompute pair
/// (`lean_fptt` and `lean_bptt`) trains without saved activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Template {
    /// One step: from inputs and states to spike and next states.
    Forward,
    /// A sequence of `T` steps ("forward pass through time").
    Fptt,
    /// One step, saving the factors that [`Template::Backward`] needs.
    ForwardWithGrad,
    /// A sequence, saving the factors that [`Template::Bptt`] needs.
    FpttWithGrad,
    /// Gradients of one step.
    Backward,
    /// Gradients of a sequence: back-propagation through time.
    Bptt,
    /// A sequence, saving only the states before every [`STEPS`](crate::STEPS)th step.
    LeanFptt,
    /// As [`Template::Bptt`], but recomputes the steps from the inputs and the checkpoints of [`Template::LeanFptt`].
    /// Gradients are bit-identical.
    LeanBptt,
    /// As [`Template::Fptt`], with the membrane potential after every step.
    FpttWithV,
    /// As [`Template::Fptt`], with bit-packed spikes, [`Class::Bits`](crate::Class::Bits). Only for neurons that fire.
    PackedFptt,
}

impl Template {
    /// All templates.
    pub const ALL: [Self; 10] = [
        Self::Forward,
        Self::Fptt,
        Self::ForwardWithGrad,
        Self::FpttWithGrad,
        Self::Backward,
        Self::Bptt,
        Self::LeanFptt,
        Self::LeanBptt,
        Self::FpttWithV,
        Self::PackedFptt,
    ];

    /// Its name in snake_case, without the reset: a method of every neuron.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Fptt => "fptt",
            Self::ForwardWithGrad => "forward_with_grad",
            Self::FpttWithGrad => "fptt_with_grad",
            Self::Backward => "backward",
            Self::Bptt => "bptt",
            Self::LeanFptt => "lean_fptt",
            Self::LeanBptt => "lean_bptt",
            Self::FpttWithV => "fptt_with_v",
            Self::PackedFptt => "packed_fptt",
        }
    }

    /// Its name in CamelCase: the struct of its arrays in every neuron's module.
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Forward => "Forward",
            Self::Fptt => "Fptt",
            Self::ForwardWithGrad => "ForwardWithGrad",
            Self::FpttWithGrad => "FpttWithGrad",
            Self::Backward => "Backward",
            Self::Bptt => "Bptt",
            Self::LeanFptt => "LeanFptt",
            Self::LeanBptt => "LeanBptt",
            Self::FpttWithV => "FpttWithV",
            Self::PackedFptt => "PackedFptt",
        }
    }

    /// Whether it runs over a sequence rather than one step.
    pub const fn is_multi_step(self) -> bool {
        !matches!(self, Self::Forward | Self::ForwardWithGrad | Self::Backward)
    }

    /// Whether it is a forward pass that saves factors.
    pub const fn is_with_grad(self) -> bool {
        matches!(self, Self::ForwardWithGrad | Self::FpttWithGrad)
    }

    /// Whether it is a backward pass.
    pub const fn is_backward(self) -> bool {
        matches!(self, Self::Backward | Self::Bptt | Self::LeanBptt)
    }

    /// Whether its kernel depends on the reset mode. For [`Template::Backward`] and [`Template::Bptt`], the forward pass
    /// saved the effect of the reset.
    pub const fn resets(self) -> bool {
        !matches!(self, Self::Backward | Self::Bptt)
    }

    /// Whether it differentiates spikes, and therefore uses the surrogate gradient of a call.
    pub const fn takes_gradient(self) -> bool {
        self.is_with_grad() || matches!(self, Self::LeanBptt)
    }

    /// Whether only neurons that fire have it.
    pub const fn needs_spikes(self) -> bool {
        matches!(self, Self::PackedFptt)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Generated code spells variants by their `Debug` form, and names structs by the type name.
    #[test]
    fn type_names_are_those_of_the_variants() {
        for template in Template::ALL {
            assert_eq!(template.type_name(), format!("{template:?}"));
            assert_eq!(template.name().replace('_', ""), template.type_name().to_lowercase());
        }
    }

    #[test]
    fn all_are_in_order() {
        assert!(Template::ALL.is_sorted());
    }
}
