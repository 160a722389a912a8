//! A neuron as an object, compiled or interpreted: what checks need of it is instantiated once for each neuron, the checks
//! are not.

use std::marker::PhantomData;

use half::{bf16, f16};
use neuron_interpreter::Declaration;
use neurons::cuda::{Arguments, RawCall};
use neurons::evaluate::{Mode, Outputs, evaluate, evaluate_on};
use neurons::{
    DeclaredNeuron, Device, Element, Error, Gradient, Neuron, Reset, Source, Spec, Template, Value, gradcheck,
};

/// Values of parameters and flags by name, and the reset.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Parameters.
    pub params: Vec<(&'static str, f64)>,
    /// Flags.
    pub flags: Vec<(&'static str, bool)>,
    /// Which reset.
    pub reset: Reset,
}

/// A declaration that was compiled, or can be interpreted.
pub trait Compiled: Sync {
    /// What it says of itself.
    fn spec(&self) -> &'static Spec;

    /// It with these values.
    ///
    /// # Errors
    /// They are not in range, or there is none of such a name.
    fn with(&self, setting: &Setting) -> Result<Box<dyn Configured>, Error>;

    /// The project's own check of its gradient.
    ///
    /// # Errors
    /// As that.
    fn gradcheck(&self) -> Result<gradcheck::Report, gradcheck::Failure>;
}

/// The neuron `N`, in float32 and float64: kernels of every format take time to compile.
#[derive(Clone, Copy, Debug, Default)]
pub struct Of<N>(PhantomData<N>);

/// The neuron `N` in all formats.
#[derive(Clone, Copy, Debug, Default)]
pub struct InAll<N>(PhantomData<N>);

impl<N> Of<N> {
    /// The neuron `N`.
    pub const NEW: Self = Self(PhantomData);
}

impl<N> InAll<N> {
    /// The neuron `N`.
    pub const NEW: Self = Self(PhantomData);
}

fn configured<N: Neuron>(mut neuron: N, setting: &Setting) -> Result<N, Error> {
    for &(name, value) in &setting.params {
        neuron.set(name, Value::Real(value))?;
    }
    for &(name, value) in &setting.flags {
        neuron.set(name, Value::Flag(value))?;
    }
    neuron.set_reset(setting.reset);
    neuron.validate()?;
    Ok(neuron)
}

impl<N: DeclaredNeuron> Compiled for Of<N> {
    fn spec(&self) -> &'static Spec {
        N::SPEC
    }

    fn with(&self, setting: &Setting) -> Result<Box<dyn Configured>, Error> {
        Ok(Box::new(Wide(configured(N::default(), setting)?)))
    }

    fn gradcheck(&self) -> Result<gradcheck::Report, gradcheck::Failure> {
        gradcheck(&N::default())
    }
}

impl<N: DeclaredNeuron> Compiled for InAll<N> {
    fn spec(&self) -> &'static Spec {
        N::SPEC
    }

    fn with(&self, setting: &Setting) -> Result<Box<dyn Configured>, Error> {
        Ok(Box::new(All(configured(N::default(), setting)?)))
    }

    fn gradcheck(&self) -> Result<gradcheck::Report, gradcheck::Failure> {
        gradcheck(&N::default())
    }
}

/// Interpreted, which takes no time to compile for a format.
impl Compiled for Declaration {
    fn spec(&self) -> &'static Spec {
        Declaration::spec(self)
    }

    fn with(&self, setting: &Setting) -> Result<Box<dyn Configured>, Error> {
        Ok(Box::new(All(configured(self.neuron(), setting)?)))
    }

    fn gradcheck(&self) -> Result<gradcheck::Report, gradcheck::Failure> {
        gradcheck(&self.neuron())
    }
}

/// A neuron in float32 and float64.
struct Wide<N>(N);

/// A neuron in all formats.
struct All<N>(N);

/// A neuron with values of its parameters and flags, and a reset.
pub trait Configured: In<f32> + In<f64> + Sync {
    /// It in half precision, if it was compiled for that.
    fn half(&self) -> Option<&dyn Halves>;

    /// Runs the relaxed model's forward pass.
    ///
    /// # Errors
    /// As those of the runtime.
    fn relaxed(
        &self,
        gradient: Gradient,
        neurons: usize,
        inputs: &[Source<'_, f64>],
    ) -> Result<Outputs<f64>, Error>;

    /// Whether these values of the parameters that may differ are in range.
    fn is_in_range(&self, values: &[f64]) -> bool;

    /// The initial states with such values.
    fn initial(&self, values: &[f64]) -> Vec<f64>;

    /// How they change with learnable parameters.
    fn initial_slopes(&self, values: &[f64]) -> Vec<f64>;
}

/// A neuron in half precision.
pub trait Halves: In<f16> + In<bf16> {}

/// A neuron in a format of data.
pub trait In<E: Element> {
    /// Runs a template.
    ///
    /// # Errors
    /// As those of the runtime.
    fn evaluate(
        &self,
        device: &Device,
        template: Template,
        gradient: Gradient,
        neurons: usize,
        inputs: &[Source<'_, E>],
    ) -> Result<Outputs<E>, Error>;

    /// Arguments of a kernel for the GPU.
    ///
    /// # Errors
    /// As [`Arguments::settings`].
    fn arguments(
        &self,
        template: Template,
        gradient: Gradient,
        call: &RawCall<'_>,
        outputs: &[u64],
    ) -> Result<Arguments, Error>;
}

macro_rules! in_format {
    ($which:ident: $($format:ty),*) => {$(
        impl<N: Neuron> In<$format> for $which<N> {
            fn evaluate(
                &self,
                device: &Device,
                template: Template,
                gradient: Gradient,
                neurons: usize,
                inputs: &[Source<'_, $format>],
            ) -> Result<Outputs<$format>, Error> {
                evaluate_on(device, &self.0, template, gradient, neurons, inputs)
            }

            fn arguments(
                &self,
                template: Template,
                gradient: Gradient,
                call: &RawCall<'_>,
                outputs: &[u64],
            ) -> Result<Arguments, Error> {
                let settings = Arguments::settings::<$format>(&self.0, template, gradient)?;
                Ok(settings.with(template, call, outputs.iter().copied()))
            }
        }
    )*};
}

in_format!(Wide: f32, f64);
in_format!(All: f32, f64, f16, bf16);

macro_rules! configured {
    ($which:ident, $half:expr) => {
        impl<N: Neuron> Configured for $which<N> {
            fn half(&self) -> Option<&dyn Halves> {
                let half: for<'a> fn(&'a Self) -> Option<&'a dyn Halves> = $half;
                half(self)
            }

            fn relaxed(
                &self,
                gradient: Gradient,
                neurons: usize,
                inputs: &[Source<'_, f64>],
            ) -> Result<Outputs<f64>, Error> {
                evaluate(&self.0, Mode::Relaxed, Template::FpttWithGrad, gradient, neurons, inputs)
            }

            fn is_in_range(&self, values: &[f64]) -> bool {
                self.0.validate_at(values).is_ok()
            }

            fn initial(&self, values: &[f64]) -> Vec<f64> {
                self.0.initial_state_at(values)
            }

            fn initial_slopes(&self, values: &[f64]) -> Vec<f64> {
                self.0.initial_slopes_at(values)
            }
        }
    };
}

configured!(Wide, |_| None);
configured!(All, |all| Some(all));

impl<N: Neuron> Halves for All<N> {}

/// A format of data, for checks that are the same in each.
pub trait Format: Element {
    /// The neuron in it, if it was compiled for it.
    fn of(neuron: &dyn Configured) -> Option<&dyn In<Self>>;
}

impl Format for f32 {
    fn of(neuron: &dyn Configured) -> Option<&dyn In<Self>> {
        Some(neuron)
    }
}

impl Format for f64 {
    fn of(neuron: &dyn Configured) -> Option<&dyn In<Self>> {
        Some(neuron)
    }
}

impl Format for f16 {
    fn of(neuron: &dyn Configured) -> Option<&dyn In<Self>> {
        neuron.half().map(|half| half as &dyn In<Self>)
    }
}

impl Format for bf16 {
    fn of(neuron: &dyn Configured) -> Option<&dyn In<Self>> {
        neuron.half().map(|half| half as &dyn In<Self>)
    }
}
