//! What the page asks.

use std::collections::BTreeMap;

use neuron_runtime::{Gradient, Spec, Surrogate};
use serde::Deserialize;

use crate::Error;
use crate::plot::Axes;
use crate::simulate::{Shape, Stimulus};

/// Longest text of a declaration, in bytes.
pub const MAX_TEXT: usize = 64 << 10;
/// Most steps.
const MAX_STEPS: usize = 20_000;
/// Most points of a drawn input.
const MAX_POINTS: usize = 1000;

/// A declaration, what it is given, and what is to be shown of it.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The declaration.
    pub text: String,
    /// Which neuron, if the text declares several; the first if it declares none of that name.
    #[serde(default)]
    pub neuron: Option<String>,
    /// Values of parameters, flags and inputs after the first. Those of names that the text does not declare are left out:
    /// it may have changed since they were set.
    #[serde(default)]
    pub set: BTreeMap<String, Setting>,
    /// Which reset; the first if it is not declared.
    #[serde(default)]
    pub reset: Option<String>,
    /// How strong the input is; what suits the neuron if it is left out.
    #[serde(default)]
    pub amplitude: Option<f64>,
    /// How long it is; what suits the neuron if it is left out.
    #[serde(default)]
    pub steps: Option<usize>,
    #[serde(default)]
    pub input: Input,
    #[serde(default)]
    pub surrogate: Option<Chosen>,
    #[serde(default)]
    pub detach_reset: bool,
    /// The states of the phase plane, across and up; the first two if one of them is not declared.
    #[serde(default)]
    pub axes: Option<[String; 2]>,
    /// What to show.
    #[serde(default)]
    pub show: Vec<Part>,
    /// Width of a picture, by its kind.
    #[serde(default)]
    pub widths: BTreeMap<String, u32>,
    /// Whose code to show; the first kernel if there is none of that name.
    #[serde(default)]
    pub kernel: Option<String>,
}

/// The value of a parameter or of a flag.
#[derive(Deserialize, Clone, Copy, Debug)]
#[serde(untagged)]
pub enum Setting {
    Flag(bool),
    Number(f64),
}

impl Setting {
    /// As it would be written on the command line.
    pub fn text(self) -> String {
        match self {
            Self::Flag(value) => value.to_string(),
            Self::Number(value) => value.to_string(),
        }
    }
}

/// The course of the input.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub enum Input {
    #[default]
    Step,
    Ramp,
    /// With this seed.
    Noise(u64),
    /// Multiples of the amplitude.
    Drawn(Vec<f64>),
}

/// A surrogate gradient and its parameters.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    name: String,
    #[serde(default)]
    values: Vec<f64>,
}

/// Something to show.
#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    Equations,
    Trace,
    Fi,
    Phase,
    Surrogate,
    Gradient,
    Rust,
    Cuda,
}

impl Question {
    /// Checks sizes.
    ///
    /// # Errors
    /// What is too large, in words.
    pub fn check(&self) -> Result<(), String> {
        if self.text.len() > MAX_TEXT {
            return Err(format!(
                "the declaration has {} bytes; at most {MAX_TEXT} are read",
                self.text.len()
            ));
        }
        if let Some(steps) = self.steps.filter(|steps| !(2..=MAX_STEPS).contains(steps)) {
            return Err(format!("expected 2 to {MAX_STEPS} steps, found {steps}"));
        }
        if let Some(amplitude) = self.amplitude.filter(|amplitude| !(*amplitude as f32).is_finite()) {
            return Err(format!("expected an amplitude within float32, found {amplitude}"));
        }
        match &self.input {
            Input::Drawn(points) if points.len() > MAX_POINTS => {
                Err(format!("expected at most {MAX_POINTS} points, found {}", points.len()))
            }
            Input::Drawn(points) if points.is_empty() => Err("expected points, found none".to_owned()),
            _ => Ok(()),
        }
    }

    /// The course of the input.
    pub fn stimulus(&self) -> Stimulus {
        match &self.input {
            Input::Step => Stimulus::Shaped(Shape::Step, 0),
            Input::Ramp => Stimulus::Shaped(Shape::Ramp, 0),
            Input::Noise(seed) => Stimulus::Shaped(Shape::Noise, *seed),
            Input::Drawn(points) => Stimulus::Drawn(points.clone()),
        }
    }

    /// How spikes are differentiated; `own` are the surrogates that the text declares, which come first.
    ///
    /// # Errors
    /// An unknown surrogate, or parameters out of range.
    pub fn gradient(&self, own: &[Surrogate]) -> Result<Gradient, Error> {
        let surrogate = match &self.surrogate {
            Some(Chosen { name, values }) => match own.iter().find(|surrogate| surrogate.name() == name) {
                Some(surrogate) => surrogate.with_parameters(values)?,
                None => Surrogate::from_name(name, values)?,
            },
            None => Surrogate::default(),
        };
        surrogate.validate_in::<f32>()?;
        Ok(Gradient { surrogate, detach_reset: self.detach_reset })
    }

    /// The states of the phase plane.
    pub fn axes(&self, spec: &Spec) -> Axes<'_> {
        let is_state = |name: &String| spec.states.iter().any(|state| state.name == name);
        match &self.axes {
            Some([across, up]) if across != up && is_state(across) && is_state(up) => {
                Axes { across: Some(across), up: Some(up) }
            }
            _ => Axes::default(),
        }
    }

    /// How wide a picture should be: narrow screens get one that is drawn for them.
    pub fn width(&self, kind: &str, default: u32) -> u32 {
        self.widths.get(kind).map_or(default, |width| (*width).clamp(300, 1600))
    }
}
