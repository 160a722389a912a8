//! A node as text.

use std::fmt;

use super::stateful::Stateful;
use crate::step::Operation;
use crate::{Array, Element, Neuron, Reset, Value};

/// As the 2020 API's `extra_repr`: `v_threshold=1, v_reset=0, detach_reset=false, surrogate_function=ATan,
/// alpha=2, tau=100`; `v_reset=None` stands for soft reset. Flags follow where they are not at their default.
impl<N: Neuron, E: Element, S> fmt::Display for Stateful<N, E, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Operation { neuron, gradient, .. } = &self.operation;
        let spec = neuron.spec();
        let show = |name: &str| match neuron.get(name) {
            _ if self.parameters.is_set(name) => {
                format!("{:?}", self.parameters.get(name).map_or(&[][..], Array::shape))
            }
            Some(Value::Real(value)) => value.to_string(),
            Some(Value::Flag(value)) => value.to_string(),
            None => "?".to_owned(),
        };
        if spec.fires() {
            let v_reset = if neuron.reset() == Reset::Soft { "None".to_owned() } else { show("v_reset") };
            let (detach_reset, surrogate) = (gradient.detach_reset, gradient.surrogate);
            write!(f, "v_threshold={}, v_reset={v_reset}, ", show("v_threshold"))?;
            write!(f, "detach_reset={detach_reset}, surrogate_function={}", surrogate.name())?;
            for (name, value) in surrogate.parameters() {
                write!(f, ", {name}={value}")?;
            }
        }
        let params = spec.params.iter().map(|param| param.name);
        let flags = spec.flags.iter();
        let flags = flags.filter(|flag| neuron.get(flag.name) != Some(Value::Flag(flag.default)));
        let own = params.chain(flags.map(|flag| flag.name));
        let first = if spec.fires() { ", " } else { "" };
        for (i, name) in own.filter(|name| !["v_threshold", "v_reset"].contains(name)).enumerate() {
            write!(f, "{}{name}={}", if i == 0 { first } else { ", " }, show(name))?;
        }
        Ok(())
    }
}
