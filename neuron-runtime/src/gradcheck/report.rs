//! Results of a gradient check.

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
    /// The reasons for these.
    pub reasons: Reasons,
    /// The largest error, relative to the derivative or to the typical magnitude of the same array, whichever is larger.
    pub largest_error: f64,
    /// The number of values that are bit-identical between the pairs with factors and with checkpoints.
    pub same_in_pairs: usize,
}

/// Why partial derivatives were not compared with finite differences, with a count for each reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reasons {
    /// The neuron's own equations have a kink or a jump there.
    pub kinks: usize,
    /// The rounding errors of the neuron's equations hide the difference.
    pub rounding: usize,
    /// Something overflows there.
    pub overflow: usize,
    /// A parameter cannot be varied without leaving its range.
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

/// Why a neuron failed.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum Failure {
    /// The neuron could not be run.
    #[error(transparent)]
    Run(#[from] Error),

    /// A derivative differs from finite differences.
    #[error(
        "{neuron}, {reset} reset, {surrogate}: wrong {gradient} at step {step}: expected \
         {numeric} +/- {uncertainty:.1e} from finite differences, found {analytic}"
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
        /// The result of `bptt`.
        analytic: f64,
        /// The finite difference.
        numeric: f64,
        /// Its estimated error.
        uncertainty: f64,
    },

    /// Training with checkpoints and with saved factors gives different results.
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
        /// Whether the gradient treats the spike in the reset as a constant.
        detach_reset: bool,
        /// The output of the forward or backward pass.
        array: &'static str,
        /// The index in it.
        index: usize,
        /// The result of `fptt_with_grad` and `bptt`.
        factors: f64,
        /// The result of `lean_fptt` and `lean_bptt`.
        checkpoints: f64,
    },

    /// At too few points could a correct gradient be distinguished from a wrong one.
    #[error("{neuron}: only {checked} of {total} derivatives of {gradient} could be compared; {reasons}")]
    TooFew {
        /// The neuron.
        neuron: &'static str,
        /// The output of `bptt`.
        gradient: &'static str,
        /// The number that could be compared.
        checked: usize,
        /// The total number.
        total: usize,
        /// The reasons for the others.
        reasons: Reasons,
    },
}

/// Counts for one output of `bptt`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub checked: usize,
    pub reasons: Reasons,
    pub largest_error: f64,
}
