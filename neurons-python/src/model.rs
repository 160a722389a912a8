//! A neuron with its parameters.

use neurons::evaluate::Mode;
use neurons::{Format, Gradient, Neuron, Reset, Spec, Surrogate, Template, Value, zoo};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};

use crate::declaration::{Declaration, SurrogateDeclaration};
use crate::error::exception;
use crate::plan::{Plan, Target};

/// `Model(neuron, parameters, reset)`: a neuron, by its name in the zoo or as a `Declaration`, with its parameters, flags and reset
/// mode, all of them checked.
#[pyclass(frozen, module = "spiking_neurons._core")]
pub struct Model {
    neuron: Box<dyn Neuron>,
}

#[pymethods]
impl Model {
    #[new]
    fn new(neuron: &Bound<'_, PyAny>, parameters: &Bound<'_, PyDict>, reset: Option<&str>) -> PyResult<Self> {
        let mut neuron = match neuron.cast::<Declaration>() {
            Ok(declared) => Box::new(declared.get().declaration.neuron()),
            Err(_) => named(neuron.extract()?)?,
        };
        for (key, value) in parameters {
            let key: String = key.extract()?;
            neuron.set(&key, number_or_flag(neuron.spec().name, &key, &value)?).map_err(exception)?;
        }
        if let Some(reset) = reset {
            neuron.set_reset(parse_reset(neuron.spec(), reset)?);
        }
        neuron.validate().map_err(exception)?;
        Ok(Self { neuron })
    }

    /// The states before the first step, in the order of the specification.
    fn initial_state(&self) -> Vec<f64> {
        self.neuron.initial_state()
    }

    /// Raises an error that names the equation which keeps a step from being affine in the states, if there is one.
    fn check_affine(&self) -> PyResult<()> {
        self.neuron.spec().check_affine(self.neuron.reset()).map_err(exception)
    }

    /// What training is cheaper with, `lean` or `factors`: whichever pair of templates moves fewer bytes.
    fn keep(&self, format: &str, steps: usize, neurons: usize) -> PyResult<&'static str> {
        let spec = self.neuron.spec();
        let plan = match parse_format(format)? {
            Format::F32 => neurons::plan::<f32>(spec, steps, neurons),
            Format::F64 => neurons::plan::<f64>(spec, steps, neurons),
            Format::F16 => neurons::plan::<half::f16>(spec, steps, neurons),
            Format::Bf16 => neurons::plan::<half::bf16>(spec, steps, neurons),
        };
        Ok(match plan.keep {
            neurons::Keep::Checkpoints => "lean",
            neurons::Keep::Factors => "factors",
        })
    }

    /// One of its templates, prepared for data of one format on one device: a GPU's number, or -1 for the CPU.
    /// `surrogate` is a name or a `SurrogateDeclaration`.
    #[pyo3(signature = (template, format, device, *, surrogate, parameters, detach_reset, relaxed=false, scan=false, sequence=true))]
    #[allow(clippy::too_many_arguments)]
    fn plan(
        &self,
        template: &str,
        format: &str,
        device: i32,
        surrogate: &Bound<'_, PyAny>,
        parameters: Vec<f64>,
        detach_reset: bool,
        relaxed: bool,
        scan: bool,
        sequence: bool,
    ) -> PyResult<Plan> {
        let template = parse_template(template)?;
        let format = parse_format(format)?;
        let surrogate = match surrogate.cast::<SurrogateDeclaration>() {
            Ok(declared) => declared.get().declaration.surrogate().with_parameters(&parameters),
            Err(_) => Surrogate::from_name(surrogate.extract()?, &parameters),
        };
        let surrogate = surrogate.map_err(exception)?;
        surrogate.validate().map_err(exception)?;
        if scan {
            self.check_affine()?;
        }
        let gradient = Gradient { surrogate, detach_reset };
        let mode = if relaxed { Mode::Relaxed } else { Mode::Spiking };
        let target = Target::new(&*self.neuron, template, format, gradient, scan, mode, device)?;
        let spec = self.neuron.spec();
        spec.check_template(template).map_err(exception)?;
        let signature = spec.signature(template);
        Ok(Plan { neuron: self.neuron.clone(), signature, gradient, format, mode, sequence, target })
    }
}

impl Model {
    pub fn neuron(&self) -> &dyn Neuron {
        &*self.neuron
    }
}

fn named(name: &str) -> PyResult<Box<dyn Neuron>> {
    kernels::by_name(name).ok_or_else(|| {
        let known: Vec<_> = zoo::SPECS.iter().map(|spec| spec.name).collect();
        PyValueError::new_err(format!("unknown neuron `{name}`; known are {}", known.join(", ")))
    })
}

fn number_or_flag(neuron: &str, name: &str, value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(Value::Flag(flag.is_true()));
    }
    value.extract().map(Value::Real).map_err(|_| {
        let class = value.get_type();
        let actual = class.name().map_or_else(|_| "something else".to_owned(), |name| name.to_string());
        PyTypeError::new_err(format!("{neuron}: `{name}` is a {actual}, a number or a bool expected"))
    })
}

/// The reset mode with that keyword, which the neuron may not have.
pub fn parse_reset(spec: &Spec, keyword: &str) -> PyResult<Reset> {
    Reset::ALL.into_iter().find(|known| known.keyword() == keyword).ok_or_else(|| {
        let known: Vec<_> = spec.resets.iter().map(|reset| reset.keyword()).collect();
        let (neuron, known) = (spec.name, known.join(", "));
        PyValueError::new_err(format!("{neuron}: unknown reset `{keyword}`; it has {known}"))
    })
}

pub fn parse_template(name: &str) -> PyResult<Template> {
    Template::ALL.into_iter().find(|known| known.name() == name).ok_or_else(|| {
        let known = Template::ALL.map(Template::name).join(", ");
        PyValueError::new_err(format!("unknown template `{name}`; known are {known}"))
    })
}

fn parse_format(name: &str) -> PyResult<Format> {
    Format::parse(name).ok_or_else(|| {
        let known = Format::ALL.map(Format::name).join(", ");
        PyValueError::new_err(format!("unknown format `{name}`; known are {known}"))
    })
}
