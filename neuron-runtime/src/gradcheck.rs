//! Checks a neuron's gradient against finite differences, and its two ways of training against each other.
//!
//! A spiking neuron is not differentiable, but its surrogate gradient is the exact gradient of the *relaxed*
//! neuron, in which the surrogate's primitive takes the place of the Heaviside step. So the gradient of the
//! relaxed neuron, by the same factors and the same `bptt` kernel, is compared with central differences of
//! its outputs, in float64. The error of each difference is estimated from rounding, truncation and nearby kinks; a gradient
//! is wrong if it deviates by more.
//!
//! Not compared, but counted with the reason ([`Reasons`]), are derivatives
//!
//! - whose differences over several distances contradict each other: next to a kink, where the output oscillates between the
//!   samples, or where it is a staircase of rounded values;
//! - that rounding hides: an epsilon of a state changes the outputs by more than a thousandth of themselves, or of the difference;
//! - so small that the width of the variable, the distance from reset potential to threshold, changes the outputs by less than
//!   1e-9 of a spike, or of what another variable changes them by;
//! - of a neuron whose outputs or saved derivatives exceed 1e154, or whose saved derivatives are below 1e-290 but not 0: products
//!   of such numbers overflow or underflow;
//! - by a parameter that cannot be varied without leaving its range.
//!
//! A gradient that is infinite or NaN where differences are not is wrong.
//!
//! Training may save the factors of the gradient, or recompute the steps from checkpoints ([`Keep`](crate::Keep)). Both must
//! give bit-identical gradients, which is checked for the spiking neuron over several chunks of steps.
//!
//! One line in a test does all of this:
//!
//! ```
//! # use neuron_runtime::neuron;
//! # neuron! { pub struct Leaky { param tau = 2.0 where tau > 1.0; charge = v + (x - v) / tau; reset hard | soft; } }
//! neuron_runtime::gradcheck(&Leaky::default())?;
//! # Ok::<(), neuron_runtime::gradcheck::Failure>(())
//! ```

mod differences;
mod pairs;
mod point;
mod relaxed;
mod report;
mod rounding;
mod search;
mod slope;

use crate::{Error, Neuron, Surrogate, Template, Value};
use differences::Differences;
use point::Point;
use report::Tally;
pub use report::{Failure, Reasons, Report};

/// Steps of the sequences that are compared with finite differences, in which every value is varied separately.
const STEPS: usize = 6;

/// Steps of the sequences that both pairs run on: two full chunks and a partial one.
const PAIR_STEPS: usize = 2 * crate::STEPS + 4;

/// The number of flags for which all combinations are checked; further flags keep their values.
const FLAGS: usize = 6;

/// Checks the gradient of `neuron` under each of its resets, with every setting of its flags, for ATan and
/// Sigmoid, with respect to every input at every step, to every initial state and to every learnable parameter; and
/// with `detach_reset` and without, that recomputed steps give the same bits as stored factors.
///
/// # Errors
/// [`Failure`]
pub fn gradcheck<N: Neuron + Clone>(neuron: &N) -> Result<Report, Failure> {
    let spec = neuron.spec();
    let mut tallies = vec![Tally::default(); spec.signature(Template::Bptt).outputs.len()];
    let settings = settings(neuron)?;
    for Setting { neuron, surrogate, seed } in &settings {
        let point = Point::new(neuron.clone(), STEPS, *seed);
        Differences::new(point, *surrogate)?.run(&mut tallies)?;
    }
    let mut report = Report::default();
    for Setting { neuron, surrogate, seed } in &settings {
        report.same_in_pairs += pairs::compare(&Point::new(neuron.clone(), PAIR_STEPS, *seed), *surrogate)?;
    }
    for (buffer, tally) in spec.signature(Template::Bptt).outputs.iter().zip(tallies) {
        let Tally { checked, reasons, largest_error } = tally;
        let total = checked + reasons.total();
        if checked * 2 < total {
            return Err(Failure::TooFew {
                neuron: spec.name,
                gradient: buffer.name,
                checked,
                total,
                reasons,
            });
        }
        report.checked += checked;
        report.reasons.add(reasons);
        report.largest_error = report.largest_error.max(largest_error);
    }
    report.skipped = report.reasons.total();
    Ok(report)
}

/// A configuration of a neuron to be checked.
struct Setting<N> {
    neuron: N,
    surrogate: Surrogate,
    seed: u64,
}

/// Every combination of reset, flags and surrogate.
fn settings<N: Neuron + Clone>(neuron: &N) -> Result<Vec<Setting<N>>, Error> {
    let flags = &neuron.spec().flags[..neuron.spec().flags.len().min(FLAGS)];
    // As wide as the neuron's own distances: far from the threshold nothing would be seen of its spikes.
    let scale = point::scale(neuron);
    let surrogates = [Surrogate::atan(2.0 / scale), Surrogate::sigmoid(4.0 / scale)];
    let mut settings = Vec::new();
    for &reset in neuron.spec().resets {
        for seed in 0..1u64 << flags.len() {
            let mut neuron = neuron.clone();
            neuron.set_reset(reset);
            for (i, flag) in flags.iter().enumerate() {
                neuron.set(flag.name, Value::Flag(seed >> i & 1 == 1))?;
            }
            neuron.validate()?;
            settings.extend(surrogates.map(|surrogate| Setting { neuron: neuron.clone(), surrogate, seed }));
        }
    }
    Ok(settings)
}
