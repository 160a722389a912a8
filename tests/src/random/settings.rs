//! How many declarations, and which: `NEURON_RANDOM_CASES` and `NEURON_RANDOM_SEED`; and for how long to shrink.

use std::ops::Range;
use std::time::Duration;

/// The number that an environment variable gives.
///
/// # Panics
/// It is none.
fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("`{variable}` is a number, found `{text}`")))
}

/// Seeds of the declarations to try, `count` of them unless the environment says otherwise.
pub fn seeds(count: u64) -> Range<u64> {
    let first = number("NEURON_RANDOM_SEED").unwrap_or(0);
    first..first + number("NEURON_RANDOM_CASES").unwrap_or(count)
}

/// For how long a declaration that fails is made smaller: `NEURON_RANDOM_SHRINK`, in seconds.
pub fn shrinking() -> Duration {
    Duration::from_secs(number("NEURON_RANDOM_SHRINK").unwrap_or(60))
}
