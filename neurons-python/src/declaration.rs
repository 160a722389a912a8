//! Neurons and surrogates that are declared at run time.

use neuron_codegen::latex::{aligned, derivatives, equations};
use neuron_codegen::{check, gradient, redeclare, report};
use neuron_interpreter::{Mistakes, Problem};
use neurons::Neuron as _;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::exception;
use crate::model::{parse_reset, parse_template};
use crate::spec::{description, dictionary};

/// A neuron that was declared at run time.
#[pyclass(frozen, module = "spiking_neurons._core")]
pub struct Declaration {
    pub declaration: neuron_interpreter::Declaration,
}

#[pymethods]
impl Declaration {
    /// Reads a declaration: the declaration, or None if there are errors; all errors and warnings; and these as text.
    #[staticmethod]
    fn parse<'py>(py: Python<'py>, text: &str) -> PyResult<Parsed<'py, Self>> {
        // Deep declarations take a while; nothing of Python is needed.
        let parsed = py.detach(|| neuron_interpreter::Declaration::parse(text));
        let (problems, rendered) = problems(py, &parsed, neuron_interpreter::Declaration::warnings, text)?;
        Ok((parsed.ok().map(|declaration| Self { declaration }), problems, rendered))
    }

    /// Its specification, as those of the zoo.
    #[getter]
    fn spec<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        dictionary(py, self.declaration.spec())
    }

    /// The CUDA C++ source of all its kernels, or of that of one template and reset mode and of those that belong to no template.
    #[pyo3(signature = (template=None, reset=None))]
    fn cuda_source(&self, py: Python<'_>, template: Option<&str>, reset: Option<&str>) -> PyResult<String> {
        let spec = self.declaration.spec();
        let Some(template) = template else { return Ok(py.detach(|| spec.cuda.source().to_owned())) };
        let template = parse_template(template)?;
        spec.check_template(template).map_err(exception)?;
        let reset = reset.map_or(Ok(spec.resets[0]), |reset| parse_reset(spec, reset))?;
        let mut neuron = self.declaration.neuron();
        neuron.set_reset(reset);
        neuron.validate().map_err(exception)?;
        let kernel = neuron_abi::kernel::name(template, reset);
        Ok(py.detach(|| spec.cuda.source_of(&kernel)).unwrap_or_default())
    }
}

/// A surrogate that was declared at run time.
#[pyclass(frozen, module = "spiking_neurons._core")]
pub struct SurrogateDeclaration {
    pub declaration: neuron_interpreter::SurrogateDeclaration,
}

#[pymethods]
impl SurrogateDeclaration {
    /// As `Declaration.parse`.
    #[staticmethod]
    fn parse<'py>(py: Python<'py>, text: &str) -> PyResult<Parsed<'py, Self>> {
        let parsed = py.detach(|| neuron_interpreter::SurrogateDeclaration::parse(text));
        let warnings = neuron_interpreter::SurrogateDeclaration::warnings;
        let (problems, rendered) = problems(py, &parsed, warnings, text)?;
        Ok((parsed.ok().map(|declaration| Self { declaration }), problems, rendered))
    }

    /// What is known of it, as of those of the library, and its documentation and declaration.
    #[getter]
    fn description<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let entry = description(py, self.declaration.surrogate())?;
        entry.set_item("doc", self.declaration.doc())?;
        entry.set_item("declaration", self.declaration.declaration())?;
        Ok(entry)
    }
}

/// A declaration, unless it has errors; errors and warnings; and these as text.
type Parsed<'py, D> = (Option<D>, Vec<Bound<'py, PyDict>>, String);

/// The errors or warnings of what was read from `text`, and these as text.
fn problems<'py, D>(
    py: Python<'py>,
    parsed: &Result<D, Mistakes>,
    warnings: impl Fn(&D) -> &[Problem],
    text: &str,
) -> PyResult<(Vec<Bound<'py, PyDict>>, String)> {
    let (problems, rendered) = match parsed {
        Ok(declaration) => {
            let warnings = warnings(declaration);
            let rendered = warnings.iter().map(|warning| warning.render(None, text, false));
            (warnings, rendered.collect::<Vec<_>>().join("\n\n"))
        }
        Err(mistakes) => (mistakes.problems(), mistakes.to_string()),
    };
    let problems = problems.iter().map(|problem| entry(py, problem)).collect::<PyResult<_>>()?;
    Ok((problems, rendered))
}

fn entry<'py>(py: Python<'py>, problem: &Problem) -> PyResult<Bound<'py, PyDict>> {
    let entry = PyDict::new(py);
    entry.set_item("level", problem.level.name())?;
    entry.set_item("message", &problem.message)?;
    entry.set_item("hints", &problem.hints)?;
    entry.set_item("line", problem.line)?;
    entry.set_item("column", problem.column)?;
    Ok(entry)
}

/// The declaration `base` under another name and with changes, as those of `redeclare!` in Rust.
#[pyfunction]
pub fn redeclared(name: &str, changes: &str, base: &str) -> PyResult<String> {
    redeclare::text(name, changes, base).map_err(|report| {
        let messages = report.iter().map(report::Diagnostic::text).collect::<Vec<_>>();
        PyValueError::new_err(messages.join("\n"))
    })
}

/// The equations of one step and the derivatives of a declaration that has no errors, as the inside of `aligned` of LaTeX.
#[pyfunction]
pub fn latex(declaration: &str) -> PyResult<(String, String)> {
    let failed = || PyValueError::new_err("not a declaration without errors");
    let analysis = check::analyse(declaration.parse().map_err(|_| failed())?);
    let model = analysis.model.filter(|_| analysis.report.is_empty()).ok_or_else(failed)?;
    let derived = gradient::Derived::new(model);
    Ok((aligned(&equations(&derived)), aligned(&derivatives(&derived))))
}
