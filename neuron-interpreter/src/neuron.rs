//! A declared neuron with the values of its parameters.

use std::fmt;
use std::sync::Arc;

use neuron_runtime::any::AnyCall;
use neuron_runtime::evaluate::Mode;
use neuron_runtime::generated::{cannot_set, check_finite, check_range, check_reset};
use neuron_runtime::{Call, Element, Error, Neuron, ParamKind, Reset, Spec, Value};

use crate::declaration::Declared;
use crate::execute::Launch;
use crate::formula::{Choices, Values};
use crate::uniform::List;

/// A neuron that was declared at run time, with the values of its parameters. Made by
/// [`Declaration::neuron`](crate::Declaration::neuron).
///
/// It is a [`Neuron`] like those of the macro: nodes, training steps and checks take it, and its results are the same bits.
#[derive(Clone)]
pub struct Interpreted {
    declared: Arc<Declared>,
    params: Vec<f64>,
    flags: Vec<bool>,
    reset: Reset,
}

impl Interpreted {
    pub(crate) fn new(declared: Arc<Declared>) -> Self {
        let Spec { params, flags, resets, .. } = declared.spec;
        Self {
            params: params.iter().map(|param| param.default).collect(),
            flags: flags.iter().map(|flag| flag.default).collect(),
            reset: resets[0],
            declared,
        }
    }

    fn values(&self, detach_reset: bool) -> Values<'_> {
        Values { params: &self.params, flags: &self.flags, detach_reset }
    }

    /// Checks parameters with these values against their ranges.
    fn check(&self, params: &[f64]) -> Result<(), Error> {
        let spec = self.spec();
        let values = Values { params, flags: &self.flags, detach_reset: false };
        let mut conditions = self.declared.ranges.check(values).peekable();
        for (place, (param, &value)) in spec.params.iter().zip(params).enumerate() {
            check_finite(spec, param.name, value)?;
            while let Some((_, holds, expected)) = conditions.next_if(|(of, ..)| *of == place) {
                check_range(spec, param.name, value, holds, expected)?;
            }
        }
        Ok(())
    }

    /// The values of all parameters, with `arrays` in place of those that may differ between neurons.
    fn params_at(&self, arrays: &[f64], round: fn(f64) -> f64) -> Vec<f64> {
        let mut arrays = arrays.iter();
        let value = |(kind, &own): (ParamKind, &f64)| match kind {
            ParamKind::Scalar => round(own),
            _ => *arrays.next().expect("one for each array parameter"),
        };
        self.spec().params.iter().map(|param| param.kind).zip(&self.params).map(value).collect()
    }

    fn evaluate(&self, list: &List, params: &[f64]) -> Vec<f64> {
        list.evaluate(Values { params, flags: &self.flags, detach_reset: false })
    }

    /// Runs a call of any format: not generic, so that the interpreter is compiled once, with this crate.
    fn interpret(&self, mode: Mode, call: AnyCall<'_, '_>) -> Result<(), Error> {
        match call {
            AnyCall::F32(call) => self.execute(mode, call),
            AnyCall::F64(call) => self.execute(mode, call),
            AnyCall::F16(call) => self.execute(mode, call),
            AnyCall::Bf16(call) => self.execute(mode, call),
        }
    }

    fn execute<E: Element>(&self, mode: Mode, call: Call<'_, '_, E>) -> Result<(), Error> {
        self.validate()?;
        let choices = Choices { flags: self.flags.clone(), detach_reset: call.gradient.detach_reset };
        let code = match mode {
            Mode::Spiking => self.declared.kernel(call.template, self.reset, choices),
            Mode::Relaxed => self.declared.relaxed(self.reset, choices),
        };
        let launch = Launch::<E::Real>::new(code.as_deref(), self.values(call.gradient.detach_reset));
        match mode {
            Mode::Spiking => call.execute(self, &launch),
            Mode::Relaxed => call.execute_relaxed(self, &launch),
        }
    }
}

impl Neuron for Interpreted {
    fn spec(&self) -> &'static Spec {
        self.declared.spec
    }

    fn validate_rounded(&self, round: fn(f64) -> f64) -> Result<(), Error> {
        check_reset(self.spec(), self.reset)?;
        self.check(&self.params.iter().map(|&value| round(value)).collect::<Vec<_>>())
    }

    fn reset(&self) -> Reset {
        self.reset
    }

    fn set_reset(&mut self, reset: Reset) {
        self.reset = reset;
    }

    fn get(&self, name: &str) -> Option<Value> {
        let Spec { params, flags, .. } = self.spec();
        let param = params.iter().position(|param| param.name == name);
        let flag = || flags.iter().position(|flag| flag.name == name);
        match param {
            Some(place) => Some(Value::Real(self.params[place])),
            None => flag().map(|place| Value::Flag(self.flags[place])),
        }
    }

    fn set(&mut self, name: &str, value: Value) -> Result<(), Error> {
        let spec = self.spec();
        let place = match value {
            Value::Real(_) => spec.params.iter().position(|param| param.name == name),
            Value::Flag(_) => spec.flags.iter().position(|flag| flag.name == name),
        };
        match (place, value) {
            (Some(place), Value::Real(value)) => self.params[place] = value,
            (Some(place), Value::Flag(value)) => self.flags[place] = value,
            (None, value) => return Err(cannot_set(spec, name, value)),
        }
        Ok(())
    }

    fn initial_state(&self) -> Vec<f64> {
        self.evaluate(&self.declared.initial, &self.params)
    }

    fn validate_rounded_at(&self, values: &[f64], round: fn(f64) -> f64) -> Result<(), Error> {
        self.check(&self.params_at(values, round))
    }

    fn initial_state_at(&self, values: &[f64]) -> Vec<f64> {
        self.evaluate(&self.declared.initial, &self.params_at(values, |value| value))
    }

    fn initial_slopes_at(&self, values: &[f64]) -> Vec<f64> {
        self.evaluate(&self.declared.slopes, &self.params_at(values, |value| value))
    }

    fn run<E: Element>(&self, call: Call<'_, '_, E>) -> Result<(), Error> {
        self.interpret(Mode::Spiking, call.into())
    }

    fn run_relaxed<E: Element>(&self, call: Call<'_, '_, E>) -> Result<(), Error> {
        self.interpret(Mode::Relaxed, call.into())
    }
}

/// Two are equal if they were declared by the same text and have the same values.
impl PartialEq for Interpreted {
    fn eq(&self, other: &Self) -> bool {
        // There is one specification for each text.
        std::ptr::eq(self.spec(), other.spec())
            && (&self.params, &self.flags, self.reset) == (&other.params, &other.flags, other.reset)
    }
}

impl fmt::Debug for Interpreted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spec = self.spec();
        let mut debug = f.debug_struct(spec.name);
        for (param, value) in spec.params.iter().zip(&self.params) {
            debug.field(param.name, value);
        }
        for (flag, value) in spec.flags.iter().zip(&self.flags) {
            debug.field(flag.name, value);
        }
        debug.field("reset", &self.reset).finish()
    }
}
