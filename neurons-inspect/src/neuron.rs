//! Neurons, whichever they are.

use neuron_codegen::suggest;
use neuron_runtime::cuda::{self, CudaDevice, CudaError, ImageSource};
use neuron_runtime::evaluate::{Mode, Outputs, evaluate};
use neuron_runtime::{Gradient, Neuron, Reset, Source, Spec, Template, Value};

use crate::Error;

/// A neuron with its parameter values, whichever it is: what the commands need of [`Neuron`], which cannot be a trait
/// object. Implemented for every neuron.
pub trait Inspect: Send + Sync {
    /// What does not depend on parameter values.
    fn spec(&self) -> &'static Spec;

    /// A copy.
    fn duplicate(&self) -> Box<dyn Inspect>;

    /// As [`Neuron::get`].
    fn get(&self, name: &str) -> Option<Value>;

    /// As [`Neuron::set`].
    ///
    /// # Errors
    /// As there.
    fn set(&mut self, name: &str, value: Value) -> Result<(), neuron_runtime::Error>;

    /// The reset mode in use.
    fn reset(&self) -> Reset;

    /// Selects a reset mode.
    fn set_reset(&mut self, reset: Reset);

    /// As [`Neuron::validate`].
    ///
    /// # Errors
    /// As there.
    fn validate(&self) -> Result<(), neuron_runtime::Error>;

    /// The value of each state before the first step.
    fn initial_state(&self) -> Vec<f64>;

    /// Runs a template in float32, whose results are the same bits on every machine.
    ///
    /// # Errors
    /// As [`Neuron::run`].
    fn evaluate(
        &self,
        template: Template,
        neurons: usize,
        inputs: &[Source<'_, f32>],
    ) -> Result<Outputs<f32>, neuron_runtime::Error>;

    /// Loads its float32 kernels on a GPU.
    ///
    /// # Errors
    /// As [`cuda::load`].
    fn load(&self, device: &CudaDevice) -> Result<ImageSource, CudaError>;
}

impl<N: Neuron> Inspect for N {
    fn spec(&self) -> &'static Spec {
        N::SPEC
    }

    fn duplicate(&self) -> Box<dyn Inspect> {
        Box::new(self.clone())
    }

    fn get(&self, name: &str) -> Option<Value> {
        Neuron::get(self, name)
    }

    fn set(&mut self, name: &str, value: Value) -> Result<(), neuron_runtime::Error> {
        Neuron::set(self, name, value)
    }

    fn reset(&self) -> Reset {
        Neuron::reset(self)
    }

    fn set_reset(&mut self, reset: Reset) {
        Neuron::set_reset(self, reset);
    }

    fn validate(&self) -> Result<(), neuron_runtime::Error> {
        Neuron::validate(self)
    }

    fn initial_state(&self) -> Vec<f64> {
        Neuron::initial_state(self)
    }

    fn evaluate(
        &self,
        template: Template,
        neurons: usize,
        inputs: &[Source<'_, f32>],
    ) -> Result<Outputs<f32>, neuron_runtime::Error> {
        evaluate(self, Mode::Spiking, template, Gradient::default(), neurons, inputs)
    }

    fn load(&self, device: &CudaDevice) -> Result<ImageSource, CudaError> {
        cuda::load::<N, f32>(device)
    }
}

/// The neurons that a command serves.
#[derive(Default)]
pub struct Neurons(Vec<Box<dyn Inspect>>);

impl Neurons {
    /// These and one more, with its default parameters.
    #[must_use]
    pub fn with<N: Neuron>(mut self) -> Self {
        self.0.push(Box::new(N::default()));
        self
    }

    /// These and those of the `neurons` crate.
    #[must_use]
    pub fn zoo(self) -> Self {
        use neurons::{
            AdEx, AdaptiveQif, Alif, CubaLif, Eif, Glif, If, Ilif, Izhikevich, Klif, LeakyIntegrator, Lif,
            Plif, Qif, RefractoryLif, ResonateAndFire,
        };
        self.with::<If>()
            .with::<Lif>()
            .with::<Plif>()
            .with::<Klif>()
            .with::<Glif>()
            .with::<Ilif>()
            .with::<LeakyIntegrator>()
            .with::<CubaLif>()
            .with::<Alif>()
            .with::<RefractoryLif>()
            .with::<Qif>()
            .with::<Eif>()
            .with::<AdaptiveQif>()
            .with::<Izhikevich>()
            .with::<AdEx>()
            .with::<ResonateAndFire>()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Inspect> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// The one called `name`: case and underscores make no difference. Of several, the first.
    ///
    /// # Errors
    /// [`Error::UnknownNeuron`]
    pub fn find(&self, name: &str) -> Result<&dyn Inspect, Error> {
        let plain = |name: &str| name.replace(['_', '-'], "").to_lowercase();
        let wanted = plain(name);
        self.iter().find(|neuron| plain(neuron.spec().name) == wanted).ok_or_else(|| {
            let known: Vec<&str> = self.iter().map(|neuron| neuron.spec().name).collect();
            let closest = suggest::closest(&wanted, &known).map(str::to_owned);
            Error::UnknownNeuron { name: name.to_owned(), closest, known: known.join(", ") }
        })
    }
}
