//! Specifications of neurons and surrogates as dictionaries.

use neurons::{ParamKind, Spec, Surrogate};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// Specifications of all neurons.
#[pyfunction]
pub fn zoo(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let specs = neurons::zoo::SPECS.iter().map(|spec| dictionary(py, spec));
    PyList::new(py, specs.collect::<PyResult<Vec<_>>>()?)
}

/// All surrogates.
#[pyfunction]
pub fn surrogates(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let all = Surrogate::all().map(|surrogate| description(py, surrogate));
    PyList::new(py, all.collect::<PyResult<Vec<_>>>()?)
}

/// Name, names and default values of parameters, primitive and gradient.
pub fn description(py: Python<'_>, surrogate: Surrogate) -> PyResult<Bound<'_, PyDict>> {
    let parameters = PyDict::new(py);
    for parameter in surrogate.parameter_defs() {
        parameters.set_item(parameter.name, parameter.default)?;
    }
    let entry = PyDict::new(py);
    entry.set_item("name", surrogate.name())?;
    entry.set_item("parameters", parameters)?;
    entry.set_item("primitive", surrogate.equation())?;
    entry.set_item("gradient", surrogate.gradient_equation())?;
    Ok(entry)
}

/// A specification as a dictionary.
pub fn dictionary<'py>(py: Python<'py>, spec: &'static Spec) -> PyResult<Bound<'py, PyDict>> {
    let params = spec.params.iter().map(|param| {
        let entry = PyDict::new(py);
        entry.set_item("name", param.name)?;
        entry.set_item("doc", param.doc)?;
        entry.set_item("default", param.default)?;
        entry.set_item("range", param.range)?;
        entry.set_item("learnable", param.kind == ParamKind::Learnable)?;
        entry.set_item("array", param.kind != ParamKind::Scalar)?;
        Ok(entry)
    });
    let flags = spec.flags.iter().map(|flag| {
        let entry = PyDict::new(py);
        entry.set_item("name", flag.name)?;
        entry.set_item("doc", flag.doc)?;
        entry.set_item("default", flag.default)?;
        Ok(entry)
    });
    let states = spec.states.iter().map(|state| {
        let entry = PyDict::new(py);
        entry.set_item("name", state.name)?;
        entry.set_item("doc", state.doc)?;
        entry.set_item("init", state.init)?;
        entry.set_item("varies", state.varies)?;
        Ok(entry)
    });
    let equations = |equations: &[neurons::Equation]| {
        equations.iter().map(|e| (e.name, e.expr)).collect::<Vec<(&str, &str)>>()
    };
    let entry = PyDict::new(py);
    entry.set_item("name", spec.name)?;
    entry.set_item("module", spec.module)?;
    entry.set_item("doc", spec.doc)?;
    entry.set_item("declaration", spec.declaration)?;
    entry.set_item("inputs", spec.inputs)?;
    entry.set_item("output", spec.output)?;
    entry.set_item("fires", spec.fires())?;
    entry.set_item("states", states.collect::<PyResult<Vec<_>>>()?)?;
    entry.set_item("params", params.collect::<PyResult<Vec<_>>>()?)?;
    entry.set_item("flags", flags.collect::<PyResult<Vec<_>>>()?)?;
    entry.set_item("resets", spec.resets.iter().map(|&reset| reset.keyword()).collect::<Vec<_>>())?;
    entry.set_item("factors", spec.factors)?;
    entry.set_item("equations", equations(spec.equations))?;
    entry.set_item("derivatives", equations(spec.derivatives))?;
    Ok(entry)
}
