//! What a gradient check found.

use std::fmt;

use thiserror::Error;

use crate::{Error, Reset, Surrogate};

/// What was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Report {
    /// Partial derivatives compared with finite differences.
    pub checked: usize,
    /// Partial derivatives not compared, for any of the [`Reasons`].
    pub skipped: usize,
    /// Why these were not compared.
    pub reasons: Reasons,
    /// The largest difference, relative to the derivative or to what others of the same array typically are,
    /// whichever is larger.
    pub largest_error: f64,
    /// Numbers that the pair with factors and the pair with checkpoints both gave, with the same bits.
    pub same_in_pairs: usize,
}

/// Why partial derivatives were not compared with finite differences: how many for each reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reasons {
    /// The neuron's own equations have a kink or a jump there.
    pub kinks: usize,
    /// The rounding errors of the neuron's equations hide the difference.
    pub rounding: usize,
    /// Something overflows there.
    pub overflow: usize,
    /// A parameter cannot be moved without leaving its range.
    pub range: usize,
}

impl Reasons {
    pub(super) fn total(self) -> usize {
        self.kinks + self.rounding + self.overflow + self.range
    }

    pub(super) fn add(&mut self, other: Self) {
        self.kinks += other.kinks;
        self.rounding += other.rounding;
        self.overflow += other.overflow;
        self.range += other.range;
    }
}

impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kinks, rounding, overflow, range } = self;
        write!(
            f,
            "not compared: {kinks} at kinks, {rounding} hidden by rounding, {overflow} where something overflows, \
             {range} at the end of a parameter's range"
        )
    }
}

/// Why a neuron did not pass.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum Failure {
    /// The neuron could not be run.
    #[error(transparent)]
    Run(#[from] Error),

    /// A derivative is not what finite differences say.
    #[error(
        "{neuron}, {reset} reset, {surrogate}: {gradient} at step {step} is {analytic}, \
         finite differences give {numeric} within {uncertainty:.1e}"
    )]
    Gradient {
        /// The neuron.
        neuron: &'static str,
        /// The reset mode.
        reset: Reset,
        /// The surrogate.
        surrogate: Surrogate,
        /// The output of `bptt`.
        gradient: &'static str,
        /// The step, 0 for states.
        step: usize,
        /// What `bptt` says.
        analytic: f64,
        /// What finite differences say.
        numeric: f64,
        /// How far from the derivative these may be.
        uncertainty: f64,
    },

    /// Training with checkpoints does not give what training with stored factors gives.
    #[error(
        "{neuron}, {reset} reset, {surrogate}, detach_reset = {detach_reset}: {array}[{index}] is {checkpoints} with \
         checkpoints, {factors} with factors"
    )]
    Pairs {
        /// The neuron.
        neuron: &'static str,
        /// The reset mode.
        reset: Reset,
        /// The surrogate.
        surrogate: Surrogate,
        /// Whether the reset takes the spike as a constant.
        detach_reset: bool,
        /// The output of the forward or backward pass.
        array: &'static str,
        /// The place in it.
        index: usize,
        /// What `fptt_with_grad` and `bptt` give.
        factors: f64,
        /// What `lean_fptt` and `lean_bptt` give.
        checkpoints: f64,
    },

    /// Too few points at which a gradient could be told from a wrong one.
    #[error("{neuron}: of {gradient} only {checked} of {total} derivatives could be compared; {reasons}")]
    TooFew {
        /// The neuron.
        neuron: &'static str,
        /// The output of `bptt`.
        gradient: &'static str,
        /// How many could be compared.
        checked: usize,
        /// Of how many.
        total: usize,
        /// Why the others could not.
        reasons: Reasons,
    },
}

/// What was found about one output of `bptt`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub checked: usize,
    pub reasons: Reasons,
    pub largest_error: f64,
}
