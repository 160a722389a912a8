//! One sequence of a neuron with its gradients, whichever kind of file it comes from.

use neurons::{Error, Gradient, Neuron, Reset, Surrogate, Value};
use neurons_dialects::Dialect;

use super::file::{Tensor, Tensors};
use super::malformed::Malformed;

/// One sequence of a neuron, with its gradients.
#[derive(Clone, Debug)]
pub struct Case {
    /// The kind of neuron: `lif`.
    pub neuron: String,
    /// `T`
    pub steps: usize,
    /// `N`
    pub neurons: usize,
    pub(super) settings: Settings,
    /// By how much a relative error of the inputs grows, at least 1, where the file says so.
    pub(super) amplification: Option<f64>,
    /// Why spikes in float32 may be others, if they may.
    pub(super) unresolved: Option<String>,
    /// Whether the output is spikes, which have to be equal.
    pub(super) gives_spikes: bool,
    /// By the names that the declaration has for states and parameters.
    pub(super) tensors: Tensors,
}

/// What is run: parameters and surrogate.
#[derive(Clone, Debug)]
pub(super) enum Settings {
    /// Of a neuron of the `neurons` crate.
    Vector {
        /// Its own parameters and flags.
        params: Vec<(String, Value)>,
        v_threshold: f64,
        reset: Reset,
        /// 0 with soft reset.
        v_reset: f64,
        /// Name of the surrogate: `atan`.
        surrogate: String,
        /// Its parameter.
        alpha: f64,
        detach_reset: bool,
    },
    /// Of a simulator's neuron.
    Dialect {
        dialect: &'static Dialect,
        /// In the simulator's names; `None` is null.
        params: Vec<(String, Option<Value>)>,
    },
}

impl Settings {
    /// Gives `neuron` its parameters, and returns how spikes are differentiated.
    pub(super) fn apply(&self, neuron: &mut impl Neuron) -> Result<Gradient, Error> {
        match self {
            Self::Vector { params, v_threshold, reset, v_reset, surrogate, alpha, detach_reset } => {
                for (name, value) in params {
                    neuron.set(name, *value)?;
                }
                neuron.set("v_threshold", Value::Real(*v_threshold))?;
                neuron.set("v_reset", Value::Real(*v_reset))?;
                neuron.set_reset(*reset);
                let surrogate = Surrogate::from_name(surrogate, &[*alpha])?;
                Ok(Gradient { surrogate, detach_reset: *detach_reset })
            }
            Self::Dialect { dialect, params } => {
                let params = params.iter().map(|(name, value)| (name.as_str(), *value));
                dialect.configure(neuron, params.clone())?;
                let surrogate = dialect.surrogate(|wanted| {
                    params.clone().find_map(|(name, value)| match value {
                        Some(Value::Real(value)) if name == wanted => Some(value),
                        _ => None,
                    })
                });
                Ok(surrogate.into())
            }
        }
    }
}

impl Case {
    /// A tensor `[T, N]`.
    ///
    /// # Errors
    /// [`Malformed::MissingTensor`], [`Malformed::Shape`]
    pub fn sequence(&self, name: &str) -> Result<&[f64], Malformed> {
        self.tensor(name, &[self.steps, self.neurons])
    }

    /// A tensor `[T]`, the same for all neurons.
    ///
    /// # Errors
    /// As [`Case::sequence`].
    pub fn shared_sequence(&self, name: &str) -> Result<&[f64], Malformed> {
        self.tensor(name, &[self.steps])
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

    /// Whether there is one that has no value for each neuron of its own.
    pub(super) fn has_shared(&self, name: &str) -> bool {
        self.tensors.get(name).is_some_and(|tensor| tensor.shape.len() == 1)
    }

    /// Whether a gradient is missing and may be: there are simulators that cannot differentiate or cannot start from a
    /// given state.
    pub(super) fn omits(&self, name: &str) -> bool {
        matches!(self.settings, Settings::Dialect { .. }) && !self.has(name)
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
