//! The neurons that a command serves.

use neuron_codegen::suggest;
use neuron_runtime::Neuron;
use neurons::zoo;

use crate::Error;

/// The neurons that a command serves, each with its default parameters.
#[derive(Default)]
pub struct Neurons(Vec<Box<dyn Neuron>>);

impl Neurons {
    /// These and one more.
    #[must_use]
    pub fn with<N: Neuron + Default>(mut self) -> Self {
        self.0.push(Box::new(N::default()));
        self
    }

    /// These and those of the `neurons` crate.
    #[must_use]
    pub fn zoo(mut self) -> Self {
        self.0.extend(zoo::all());
        self
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Neuron> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// The one called `name`: case and underscores make no difference. Of several, the first.
    ///
    /// # Errors
    /// [`Error::UnknownNeuron`]
    pub fn find(&self, name: &str) -> Result<&dyn Neuron, Error> {
        self.iter().find(|neuron| zoo::is_called(neuron.spec(), name)).ok_or_else(|| {
            let known: Vec<&str> = self.iter().map(|neuron| neuron.spec().name).collect();
            let closest = suggest::closest(name, &known).map(str::to_owned);
            Error::UnknownNeuron { name: name.to_owned(), closest, known: known.join(", ") }
        })
    }
}
