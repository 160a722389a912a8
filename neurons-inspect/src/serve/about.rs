//! What the page's controls need to know of a neuron.

use neuron_runtime::{Neuron, Spec, Value};
use serde::Serialize;

use super::sliders::bounds;
use crate::derivation::Derivation;
use crate::simulate::{Field, Subject};
use crate::units;

/// A neuron with the values that it has been given.
#[derive(Serialize)]
pub struct About {
    name: &'static str,
    summary: String,
    params: Vec<Param>,
    flags: Vec<Flag>,
    /// Inputs after the first.
    inputs: Vec<Input>,
    states: Vec<&'static str>,
    resets: Vec<&'static str>,
    reset: &'static str,
    fires: bool,
    input: String,
    kernels: Vec<String>,
}

#[derive(Serialize)]
struct Param {
    name: &'static str,
    doc: String,
    unit: Option<&'static str>,
    range: &'static str,
    default: f64,
    value: f64,
    low: f64,
    high: f64,
}

#[derive(Serialize)]
struct Flag {
    name: &'static str,
    doc: String,
    default: bool,
    value: bool,
}

#[derive(Serialize)]
struct Input {
    name: &'static str,
    value: f64,
}

impl About {
    /// Of a neuron, and of what it was declared as.
    pub fn new(subject: &Subject, declared: &dyn Neuron, derivation: &Derivation) -> Self {
        let neuron = &subject.neuron;
        let spec: &Spec = neuron.spec();
        let param = |param: &neuron_runtime::ParamSpec| {
            let (low, high) = bounds(declared, param.name, param.default);
            Param {
                name: param.name,
                doc: units::summary(param.doc),
                unit: units::unit(param.doc),
                range: param.range,
                default: param.default,
                value: match neuron.get(param.name) {
                    Some(Value::Real(value)) => value,
                    _ => param.default,
                },
                low,
                high,
            }
        };
        let flag = |flag: &neuron_runtime::FlagSpec| Flag {
            name: flag.name,
            doc: units::summary(flag.doc),
            default: flag.default,
            value: matches!(neuron.get(flag.name), Some(Value::Flag(true))),
        };
        let further = spec.inputs.iter().skip(1).zip(&subject.further);
        Self {
            name: spec.name,
            summary: units::summary(spec.doc),
            params: spec.params.iter().map(param).collect(),
            flags: spec.flags.iter().map(flag).collect(),
            inputs: further.map(|(name, value)| Input { name, value: *value }).collect(),
            states: spec.states.iter().map(|state| state.name).collect(),
            resets: spec.resets.iter().map(|reset| reset.keyword()).collect(),
            reset: neuron.reset().keyword(),
            fires: spec.fires(),
            input: units::label(spec.inputs[0], Field::new(subject).input_unit()),
            kernels: derivation.programs.iter().map(|program| program.variant.name()).collect(),
        }
    }
}
