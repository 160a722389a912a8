//! A reference case as read from its file.

use std::collections::HashMap;
use std::path::Path;

use neurons::{Gradient, Neuron, Reset, Surrogate, Value};
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

/// One case: a neuron with its parameters, inputs, and what is expected of them.
#[derive(Clone, Debug)]
pub struct Case {
    /// The kind of neuron: `if`, `lif`, ...
    pub neuron: String,
    /// Its parameters besides the threshold and reset potentials.
    params: serde_json::Map<String, serde_json::Value>,
    v_threshold: f64,
    v_reset: f64,
    reset: Reset,
    surrogate: String,
    alpha: f64,
    detach_reset: bool,
    /// Number of steps.
    pub steps: usize,
    /// Number of neurons.
    pub neurons: usize,
    tensors: HashMap<String, Vec<f64>>,
}

/// Why a case cannot be run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CaseError {
    /// It asks for something that is not there yet.
    #[error("{0}")]
    Unsupported(String),
    /// The file is not a case.
    #[error("{0}")]
    Malformed(String),
}

fn malformed(error: impl ToString) -> CaseError {
    CaseError::Malformed(error.to_string())
}

impl Case {
    /// Reads a file.
    ///
    /// # Errors
    /// [`CaseError`]
    pub fn read(file: &Path) -> Result<Self, CaseError> {
        let bytes = std::fs::read(file).map_err(malformed)?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(malformed)?;
        let metadata = metadata.metadata().clone().unwrap_or_default();
        if let Some(model) = metadata.get("model") {
            return Err(CaseError::Unsupported(format!("traces of `{model}` are not compared yet")));
        }
        let text = |key: &str| {
            metadata
                .get(key)
                .map(String::as_str)
                .ok_or_else(|| malformed(format!("metadata `{key}` is missing")))
        };
        let number = |key: &str| {
            let text = text(key)?;
            text.parse::<f64>().map_err(|_| malformed(format!("metadata `{key}` is not a number: {text:?}")))
        };
        let count = |key: &str| {
            let text = text(key)?;
            text.parse::<usize>().map_err(|_| malformed(format!("metadata `{key}` is not a count: {text:?}")))
        };
        let reset = match text("reset")? {
            "hard" => Reset::Hard,
            "soft" => Reset::Soft,
            other => return Err(CaseError::Unsupported(format!("no reset mode `{other}`"))),
        };
        Ok(Self {
            neuron: text("neuron")?.to_owned(),
            params: serde_json::from_str(text("params")?).map_err(malformed)?,
            v_threshold: number("v_threshold")?,
            // With soft reset the charge uses 0.
            v_reset: if text("v_reset")?.is_empty() { 0.0 } else { number("v_reset")? },
            reset,
            surrogate: text("surrogate")?.to_owned(),
            alpha: number("alpha")?,
            detach_reset: text("detach_reset")?.eq_ignore_ascii_case("true"),
            steps: count("T")?,
            neurons: count("N")?,
            tensors: tensors(&bytes)?,
        })
    }

    /// The neuron with this case's parameters.
    ///
    /// # Errors
    /// [`CaseError`]
    pub fn configure<N: Neuron>(&self) -> Result<(N, Gradient), CaseError> {
        let mut neuron = N::default();
        if !N::SPEC.resets.contains(&self.reset) {
            return Err(CaseError::Unsupported(format!("{} has no {} reset", N::SPEC.name, self.reset)));
        }
        neuron.set_reset(self.reset);
        for (name, value) in [("v_threshold", self.v_threshold), ("v_reset", self.v_reset)] {
            neuron.set(name, Value::Real(value)).map_err(malformed)?;
        }
        for (name, value) in &self.params {
            let value = match value {
                serde_json::Value::Bool(flag) => Value::Flag(*flag),
                serde_json::Value::Number(number) if number.as_f64().is_some() => {
                    Value::Real(number.as_f64().unwrap_or_default())
                }
                other => {
                    return Err(malformed(format!("parameter `{name}` is neither number nor flag: {other}")));
                }
            };
            neuron.set(name, value).map_err(malformed)?;
        }
        let surrogate = Surrogate::from_name(&self.surrogate, &[self.alpha]);
        let surrogate = surrogate.map_err(|error| CaseError::Unsupported(error.to_string()))?;
        Ok((neuron, Gradient { surrogate, detach_reset: self.detach_reset }))
    }

    /// A tensor that may be missing.
    pub fn tensor(&self, name: &str) -> Option<&[f64]> {
        self.tensors.get(name).map(Vec::as_slice)
    }

    /// A tensor of the given length.
    ///
    /// # Errors
    /// [`CaseError::Malformed`]
    pub fn required(&self, name: &str, length: usize) -> Result<&[f64], CaseError> {
        let tensor = self.tensor(name).ok_or_else(|| malformed(format!("tensor `{name}` is missing")))?;
        if tensor.len() == length {
            return Ok(tensor);
        }
        Err(malformed(format!("tensor `{name}` has {} elements, {length} expected", tensor.len())))
    }
}

fn tensors(bytes: &[u8]) -> Result<HashMap<String, Vec<f64>>, CaseError> {
    let file = SafeTensors::deserialize(bytes).map_err(malformed)?;
    let mut tensors = HashMap::new();
    for (name, view) in file.tensors() {
        if view.dtype() != Dtype::F64 {
            return Err(malformed(format!("tensor `{name}` is {:?}, F64 expected", view.dtype())));
        }
        let numbers = view.data().chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().expect("8 bytes")));
        tensors.insert(name, numbers.collect());
    }
    Ok(tensors)
}
