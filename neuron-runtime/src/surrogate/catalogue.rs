//! The built-in surrogates, by name and index.

use super::Surrogate;
use super::built_in::{ALL, ATan, Sigmoid};
use crate::Error;

impl Surrogate {
    /// [`ATan`]: gradient `(alpha/2) / (1 + (pi/2 alpha u)^2)` (Fang et al., 2021). Index 0 of the 2020 API.
    pub fn atan(alpha: f64) -> Self {
        ATan { alpha }.into()
    }

    /// [`Sigmoid`]: gradient `alpha e / (1 + e)^2` with `e = exp(-alpha |u|)`. Index 1 of the 2020 API.
    pub fn sigmoid(alpha: f64) -> Self {
        Sigmoid { alpha }.into()
    }

    /// All built-in surrogates, with their default parameters.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.into_iter().map(|built_in| built_in())
    }

    /// The built-in surrogate `name`, with the given values for its first parameters and defaults for the others.
    ///
    /// Case and underscores are ignored, so the names of SpikingJelly's classes and functions both work:
    /// `PiecewiseQuadratic` or `piecewise_quadratic`.
    ///
    /// # Errors
    /// [`Error::UnknownSurrogate`]; [`Error::SurrogateParameters`] for too many values.
    pub fn from_name(name: &str, parameters: &[f64]) -> Result<Self, Error> {
        let plain = |name: &str| name.replace('_', "").to_lowercase();
        let wanted = plain(name);
        let found = Self::all().find(|surrogate| plain(surrogate.name()) == wanted);
        let surrogate = found.ok_or_else(|| Error::UnknownSurrogate {
            name: name.to_owned(),
            known: Self::all().map(|surrogate| surrogate.name()).collect::<Vec<_>>().join(", "),
        })?;
        surrogate.with_parameters(parameters)
    }

    /// The surrogate with the given index in the 2020 API: 0 is ATan, 1 is Sigmoid.
    ///
    /// # Errors
    /// [`Error::UnknownSurrogateIndex`]
    pub fn from_index(index: u32, alpha: f64) -> Result<Self, Error> {
        match index {
            0 => Ok(Self::atan(alpha)),
            1 => Ok(Self::sigmoid(alpha)),
            _ => Err(Error::UnknownSurrogateIndex { index }),
        }
    }

    /// Its index in CUDA kernels, or `None` if it is user-defined. 0 and 1 are those of the 2020 API.
    pub fn index(&self) -> Option<u32> {
        let place = Self::all().position(|built_in| std::ptr::eq(built_in.definition, self.definition));
        place.and_then(|place| u32::try_from(place).ok())
    }
}

impl Default for Surrogate {
    fn default() -> Self {
        Self::atan(2.0)
    }
}
