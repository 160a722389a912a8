//! Cases of the neurons of the `neurons` crate: `tests/reference/vectors`.

use neurons::Reset;

use super::case::{Case, Settings};
use super::file::{Metadata, Tensors};
use super::malformed::{Malformed, wrong};

pub(super) fn case(metadata: &Metadata<'_>, tensors: Tensors) -> Result<Case, Malformed> {
    let reset = match metadata.text("reset")? {
        "hard" => Reset::Hard,
        "soft" => Reset::Soft,
        actual => return Err(wrong("reset", "`hard` or `soft`", actual)),
    };
    let v_reset = match (reset, metadata.text("v_reset")?) {
        (Reset::Hard, _) => metadata.parse("v_reset", "a number")?,
        (Reset::Soft, "") => 0.0,
        (_, actual) => return Err(wrong("v_reset", "nothing, with soft reset,", actual)),
    };
    let settings = Settings::Vector {
        params: metadata.given_params()?,
        v_threshold: metadata.parse("v_threshold", "a number")?,
        reset,
        v_reset,
        surrogate: metadata.text("surrogate")?.to_owned(),
        alpha: metadata.parse("alpha", "a number")?,
        detach_reset: metadata.parse("detach_reset", "`true` or `false`")?,
    };
    let case = Case {
        neuron: metadata.text("neuron")?.to_owned(),
        steps: metadata.size("T")?,
        neurons: metadata.size("N")?,
        settings,
        amplification: None,
        unresolved: None,
        gives_spikes: true,
        tensors,
    };
    // What every neuron has, whether or not it is declared here.
    for name in ["x_seq", "spike_seq", "grad_spike_seq", "grad_x_seq"] {
        case.sequence(name)?;
    }
    for name in ["v_init", "v_next", "grad_v_next", "grad_v_init"] {
        case.row(name)?;
    }
    Ok(case)
}
