//! Reference files: what they hold, and what may be wrong with them.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::str::FromStr;

use neurons::{Reset, Value};
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use thiserror::Error;

use super::trace::Trace;

/// Why a reference file cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Malformed {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// It is not in the format of safetensors.
    #[error("is not a safetensors file: {0}")]
    Format(#[from] SafeTensorError),
    /// The metadata lacks an entry.
    #[error("metadata `{key}` is missing")]
    MissingKey {
        /// The entry.
        key: &'static str,
    },
    /// An entry of the metadata is something else.
    #[error("metadata `{key}` is {actual:?}, {expected} expected")]
    Key {
        /// The entry.
        key: &'static str,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        actual: String,
    },
    /// A tensor is missing.
    #[error("tensor `{tensor}` is missing")]
    MissingTensor {
        /// Its name.
        tensor: String,
    },
    /// A tensor is not of float64.
    #[error("tensor `{tensor}` is of {actual}, F64 expected")]
    Dtype {
        /// Its name.
        tensor: String,
        /// Its format.
        actual: Dtype,
    },
    /// A tensor has the wrong shape.
    #[error("tensor `{tensor}` has shape {actual:?}, {expected:?} expected")]
    Shape {
        /// Its name.
        tensor: String,
        /// The shape that `T` and `N` ask for.
        expected: Vec<usize>,
        /// Its shape.
        actual: Vec<usize>,
    },
}

/// A reference file.
#[derive(Clone, Debug)]
pub enum Reference {
    /// A sequence with its gradients.
    Case(Case),
    /// A membrane trace of a simulator.
    Trace(Trace),
}

/// One sequence of a neuron, with its gradients.
#[derive(Clone, Debug)]
pub struct Case {
    /// The kind of neuron: `lif`.
    pub neuron: String,
    /// Its own parameters and flags.
    pub params: Vec<(String, Value)>,
    /// Threshold.
    pub v_threshold: f64,
    /// Reset mode.
    pub reset: Reset,
    /// Reset potential; 0 with soft reset.
    pub v_reset: f64,
    /// Name of the surrogate: `atan`.
    pub surrogate: String,
    /// Its parameter.
    pub alpha: f64,
    /// Whether the reset takes the spike as a constant.
    pub detach_reset: bool,
    /// `T`
    pub steps: usize,
    /// `N`
    pub neurons: usize,
    tensors: BTreeMap<String, Tensor>,
}

#[derive(Clone, Debug)]
struct Tensor {
    shape: Vec<usize>,
    data: Vec<f64>,
}

impl Reference {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn read(path: &Path) -> Result<Self, Malformed> {
        Self::parse(&std::fs::read(path)?)
    }

    /// Of the contents of a file.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let tensors = SafeTensors::deserialize(bytes)?;
        let (_, header) = SafeTensors::read_metadata(bytes)?;
        let metadata = Metadata(header.metadata().as_ref());
        if let (Err(_), Ok(model)) = (metadata.text("neuron"), metadata.text("model")) {
            return Ok(Self::Trace(trace(model, &metadata, &tensors)?));
        }
        Ok(Self::Case(Case::new(&metadata, &tensors)?))
    }
}

fn trace(model: &str, metadata: &Metadata<'_>, tensors: &SafeTensors<'_>) -> Result<Trace, Malformed> {
    let mut tensors = read_tensors(tensors)?;
    let mut series = |name: &str| tensors.remove(name).map(|tensor| tensor.data);
    let v = series("v").filter(|v| !v.is_empty());
    Ok(Trace {
        model: model.to_owned(),
        dt: metadata.parse("dt_ms", "a number")?,
        params: params(metadata.text("params")?)?,
        v: v.ok_or(Malformed::MissingTensor { tensor: "v".to_owned() })?,
        u: series("u"),
        spike_times: series("spike_times_ms")
            .ok_or(Malformed::MissingTensor { tensor: "spike_times_ms".to_owned() })?,
    })
}

impl Case {
    fn new(metadata: &Metadata<'_>, tensors: &SafeTensors<'_>) -> Result<Self, Malformed> {
        let reset = match metadata.text("reset")? {
            "hard" => Reset::Hard,
            "soft" => Reset::Soft,
            actual => return Err(wrong("reset", "`hard` or `soft`", actual)),
        };
        let v_reset = match (reset, metadata.text("v_reset")?) {
            (Reset::Hard, _) => metadata.parse("v_reset", "a number")?,
            (Reset::Soft, "") => 0.0,
            (_, actual) => return Err(wrong("v_reset", "nothing, with soft reset,", actual)),
        };
        let size = |key| match metadata.parse(key, "a positive integer")? {
            0 => Err(wrong(key, "a positive integer", "0")),
            size => Ok(size),
        };
        let case = Self {
            neuron: metadata.text("neuron")?.to_owned(),
            params: params(metadata.text("params")?)?,
            v_threshold: metadata.parse("v_threshold", "a number")?,
            reset,
            v_reset,
            surrogate: metadata.text("surrogate")?.to_owned(),
            alpha: metadata.parse("alpha", "a number")?,
            detach_reset: metadata.parse("detach_reset", "`true` or `false`")?,
            steps: size("T")?,
            neurons: size("N")?,
            tensors: read_tensors(tensors)?,
        };
        // What every neuron has, whether or not it is declared here.
        for name in ["x_seq", "spike_seq", "grad_spike_seq", "grad_x_seq"] {
            case.sequence(name)?;
        }
        for name in ["v_init", "v_next", "grad_v_next", "grad_v_init"] {
            case.row(name)?;
        }
        Ok(case)
    }

    /// A tensor `[T, N]`.
    ///
    /// # Errors
    /// [`Malformed::MissingTensor`], [`Malformed::Shape`]
    pub fn sequence(&self, name: &str) -> Result<&[f64], Malformed> {
        self.tensor(name, &[self.steps, self.neurons])
    }

    /// A tensor `[N]`.
    ///
    /// # Errors
    /// As [`Case::sequence`].
    pub fn row(&self, name: &str) -> Result<&[f64], Malformed> {
        self.tensor(name, &[self.neurons])
    }

    /// A tensor `[1]`.
    ///
    /// # Errors
    /// As [`Case::sequence`].
    pub fn scalar(&self, name: &str) -> Result<&[f64], Malformed> {
        self.tensor(name, &[1])
    }

    /// Whether there is a tensor of that name.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    fn tensor(&self, name: &str, expected: &[usize]) -> Result<&[f64], Malformed> {
        let missing = || Malformed::MissingTensor { tensor: name.to_owned() };
        let Tensor { shape, data } = self.tensors.get(name).ok_or_else(missing)?;
        if shape != expected {
            let (tensor, expected, actual) = (name.to_owned(), expected.to_vec(), shape.clone());
            return Err(Malformed::Shape { tensor, expected, actual });
        }
        Ok(data)
    }
}

struct Metadata<'f>(Option<&'f HashMap<String, String>>);

impl<'f> Metadata<'f> {
    fn text(&self, key: &'static str) -> Result<&'f str, Malformed> {
        let value = self.0.and_then(|entries| entries.get(key));
        value.map(String::as_str).ok_or(Malformed::MissingKey { key })
    }

    fn parse<V: FromStr>(&self, key: &'static str, expected: &'static str) -> Result<V, Malformed> {
        let text = self.text(key)?;
        text.parse().map_err(|_| wrong(key, expected, text))
    }
}

fn wrong(key: &'static str, expected: &'static str, actual: &str) -> Malformed {
    Malformed::Key { key, expected, actual: actual.to_owned() }
}

fn params(text: &str) -> Result<Vec<(String, Value)>, Malformed> {
    let wrong = || wrong("params", "a JSON object of numbers and booleans", text);
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|_| wrong())?;
    let param = |(name, value): (String, serde_json::Value)| {
        let value = match value {
            serde_json::Value::Bool(flag) => Value::Flag(flag),
            value => Value::Real(value.as_f64().ok_or_else(wrong)?),
        };
        Ok((name, value))
    };
    object.into_iter().map(param).collect()
}

fn read_tensors(tensors: &SafeTensors<'_>) -> Result<BTreeMap<String, Tensor>, Malformed> {
    let read = |(name, view): (String, safetensors::tensor::TensorView<'_>)| {
        if view.dtype() != Dtype::F64 {
            return Err(Malformed::Dtype { tensor: name, actual: view.dtype() });
        }
        let (numbers, _) = view.data().as_chunks::<8>();
        let data = numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
        Ok((name, Tensor { shape: view.shape().to_vec(), data }))
    };
    tensors.tensors().into_iter().map(read).collect()
}
