//! Names of tensors.

use std::collections::BTreeSet;

use neurons::{ParamSpec, Spec};

/// Values of a parameter, one for each neuron.
pub(super) fn parameter(param: &ParamSpec) -> String {
    format!("param_{}", param.name)
}

/// Gradient of a parameter.
pub(super) fn gradient(param: &ParamSpec) -> String {
    format!("grad_{}", param.name)
}

/// Every tensor that a case of this neuron may have.
pub(super) fn known(spec: &Spec) -> BTreeSet<String> {
    let sequences = spec.inputs.iter().copied().chain([spec.output]);
    let sequences = sequences.flat_map(|name| [format!("{name}_seq"), format!("grad_{name}_seq")]);
    let states = spec.states.iter().flat_map(|state| {
        let name = state.name;
        let values = ["init", "next", "seq"].map(|when| format!("{name}_{when}"));
        let gradients = ["init", "next"].map(|when| format!("grad_{name}_{when}"));
        values.into_iter().chain(gradients)
    });
    let parameters = spec.arrays().map(parameter);
    let gradients = spec.learnables().map(gradient);
    // No template returns the charged potential; its spikes and factors are compared.
    let others = spec.factors.iter().copied().chain(["h_seq"]).map(str::to_owned);
    sequences.chain(states).chain(parameters).chain(gradients).chain(others).collect()
}
