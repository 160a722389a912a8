//! What generated code uses. Not for use by hand: it changes with the generator.

// A user's module may call other things by these names: `use candle_core::Result`.
pub use std::option::Option::{self, None, Some};
pub use std::result::Result::{self, Err, Ok};
pub use std::vec::Vec;

pub use crate::cpu::rows::{BitRowsMut, Rows, RowsMut, chunk, lanes};
pub use crate::cpu::tile::{Kernel, Tile};
pub use crate::math::{
    abs, atan, cos, erf, exp, expm1, exprel, exprel_slope, floor, ln, log1p, max, min, reciprocal, round,
    sigmoid, sin, sqrt, tanh, trunc,
};
pub use crate::number::LANES;
pub use crate::surrogate::TileGradient;
pub use crate::{
    Architecture, BufferSpec, Call, Class, Cuda, DeclaredNeuron, Element, Equation, Error, Extent, FlagSpec,
    Format, Gradient, Image, Lanes, Neuron, ParamKind, ParamSpec, Parameter, Real, Reset, Role, STEPS,
    Signature, Sink, Source, Spec, StateSpec, Target, Template, Value, Values,
};

/// Checks that a neuron was declared with a reset mode.
///
/// # Errors
/// [`Error::ResetNotDeclared`]
pub fn check_reset(spec: &'static Spec, reset: Reset) -> Result<(), Error> {
    if spec.resets.contains(&reset) {
        return Ok(());
    }
    let declared = spec.resets.iter().map(|reset| reset.keyword()).collect::<Vec<_>>().join(", ");
    Err(Error::ResetNotDeclared { neuron: spec.name, reset, declared })
}

/// Checks that a parameter is neither NaN nor infinite.
///
/// # Errors
/// [`Error::ParameterNotFinite`]
pub fn check_finite(spec: &'static Spec, name: &'static str, value: f64) -> Result<(), Error> {
    if value.is_finite() { Ok(()) } else { Err(Error::ParameterNotFinite { neuron: spec.name, name, value }) }
}

/// Checks one condition of a parameter's range.
///
/// # Errors
/// [`Error::ParameterRange`]
pub fn check_range(
    spec: &'static Spec,
    name: &'static str,
    value: f64,
    holds: bool,
    expected: &'static str,
) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::ParameterRange { neuron: spec.name, name, value, expected }) }
}

/// Why a parameter cannot be set.
pub fn cannot_set(spec: &'static Spec, name: &str, actual: Value) -> Error {
    let (neuron, name) = (spec.name, name.to_owned());
    let is_param = spec.params.iter().any(|param| param.name == name);
    let is_flag = spec.flags.iter().any(|flag| flag.name == name);
    if is_param || is_flag {
        let expected = if is_param { "number" } else { "flag" };
        return Error::ParameterType { neuron, name, expected, actual };
    }
    let known = spec.params.iter().map(|param| param.name).chain(spec.flags.iter().map(|flag| flag.name));
    let known = known.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    Error::UnknownParameter { neuron, name, known }
}
