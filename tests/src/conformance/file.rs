//! Reference files as they are stored: metadata and tensors.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::str::FromStr;

use neurons::Value;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::case::Case;
use super::malformed::{Malformed, wrong};
use super::trace::Trace;
use super::{dialect, vector};

/// A reference file.
#[derive(Clone, Debug)]
pub enum Reference {
    /// A sequence with its gradients.
    Case(Case),
    /// A membrane trace of a simulator.
    Trace(Trace),
    /// A sequence of a simulator's neuron that is not declared.
    Undeclared {
        /// Its name: `norse_lif`.
        neuron: String,
    },
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
        let tensors = Tensor::read_all(&tensors)?;
        if let (Err(_), Ok(model)) = (metadata.text("neuron"), metadata.text("model")) {
            return Ok(Self::Trace(Trace::new(model, &metadata, tensors)?));
        }
        if metadata.text("simulator").is_ok() {
            return dialect::case(&metadata, tensors);
        }
        Ok(Self::Case(vector::case(&metadata, tensors)?))
    }
}

/// A tensor of float64.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub shape: Vec<usize>,
    pub data: Vec<f64>,
}

/// Tensors by name.
pub(super) type Tensors = BTreeMap<String, Tensor>;

impl Tensor {
    fn read_all(tensors: &SafeTensors<'_>) -> Result<Tensors, Malformed> {
        let read = |(name, view): (String, TensorView<'_>)| {
            if view.dtype() != Dtype::F64 {
                return Err(Malformed::Dtype { tensor: name, actual: view.dtype() });
            }
            let (numbers, _) = view.data().as_chunks::<8>();
            let data = numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
            Ok((name, Self { shape: view.shape().to_vec(), data }))
        };
        tensors.tensors().into_iter().map(read).collect()
    }
}

/// The strings that describe a file.
pub(super) struct Metadata<'f>(Option<&'f HashMap<String, String>>);

impl<'f> Metadata<'f> {
    pub(super) fn text(&self, key: &'static str) -> Result<&'f str, Malformed> {
        let value = self.0.and_then(|entries| entries.get(key));
        value.map(String::as_str).ok_or(Malformed::MissingKey { key })
    }

    pub(super) fn parse<V: FromStr>(
        &self,
        key: &'static str,
        expected: &'static str,
    ) -> Result<V, Malformed> {
        let text = self.text(key)?;
        text.parse().map_err(|_| wrong(key, expected, text))
    }

    /// `T` or `N`.
    pub(super) fn size(&self, key: &'static str) -> Result<usize, Malformed> {
        match self.parse(key, "a positive integer")? {
            0 => Err(wrong(key, "a positive integer", "0")),
            size => Ok(size),
        }
    }

    /// The entry `params`; null is `None`.
    pub(super) fn params(&self) -> Result<Vec<(String, Option<Value>)>, Malformed> {
        let text = self.text("params")?;
        let wrong = || wrong("params", "a JSON object of numbers and booleans", text);
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(text).map_err(|_| wrong())?;
        let param = |(name, value): (String, serde_json::Value)| {
            let value = match value {
                serde_json::Value::Null => None,
                serde_json::Value::Bool(flag) => Some(Value::Flag(flag)),
                value => Some(Value::Real(value.as_f64().ok_or_else(wrong)?)),
            };
            Ok((name, value))
        };
        object.into_iter().map(param).collect()
    }

    /// As [`Metadata::params`], where null is not a value.
    pub(super) fn given_params(&self) -> Result<Vec<(String, Value)>, Malformed> {
        let given = |(name, value): (String, Option<Value>)| Some((name, value?));
        let params = self.params()?.into_iter().map(given).collect::<Option<_>>();
        params.ok_or_else(|| {
            wrong("params", "a JSON object of numbers and booleans", self.text("params").unwrap_or_default())
        })
    }
}
