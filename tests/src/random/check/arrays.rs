//! Arrays by the names of signatures, and templates that run on them.

use neurons::{BufferSpec, Class, Device, Error, Extent, Gradient, Real, Spec, Template};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::settings::Subject;
use crate::cases::Host;
use crate::compare::same_bits;
use crate::random::compiled::Format;

/// Arrays with their names.
pub type Named<E> = Vec<(&'static str, Host<E>)>;

/// How to run templates.
#[derive(Clone, Copy)]
pub struct Runner<'a> {
    pub subject: Subject<'a>,
    pub device: &'a Device,
    pub gradient: Gradient,
    pub steps: usize,
    pub neurons: usize,
}

impl Runner<'_> {
    fn spec(&self) -> &'static Spec {
        self.subject.spec
    }

    /// Inputs, states and parameters of a sequence, and gradients of what leaves it.
    pub fn draw<E: Format>(&self, rng: &mut ChaCha8Rng) -> Named<E> {
        let mut parameters = self.subject.drawn_parameters(rng, self.neurons).into_iter();
        let mut array = |buffer: &BufferSpec| {
            let host = match buffer.elements(self.steps, self.neurons) {
                Some(len) => host::<E>(buffer.class, (0..len).map(|_| rng.random_range(-1.0..2.0))),
                None => {
                    let values = parameters.next().expect("as many as there are");
                    Host::Parameter(values.into_iter().map(E::Real::from_f64).collect(), 1)
                }
            };
            (buffer.name, host)
        };
        let forward = self.spec().signature(Template::Fptt).inputs;
        let mut arrays: Named<E> = forward.iter().map(&mut array).collect();
        let backward = self.spec().signature(Template::Bptt).inputs.iter();
        arrays.extend(backward.filter(|buffer| self.is_grad(buffer)).map(array));
        arrays
    }

    /// Whether the backward pass reads it as the gradient of what leaves the neuron.
    fn is_grad(&self, buffer: &BufferSpec) -> bool {
        buffer.extent != Extent::Parameter && !self.spec().factors.contains(&buffer.name)
    }

    /// What `template` makes of arrays of these names.
    pub fn run<E: Format>(&self, template: Template, arrays: &[&Named<E>]) -> Result<Named<E>, Error> {
        let inputs: Vec<_> = self.inputs(template, arrays).into_iter().map(Host::source).collect();
        let Self { subject, device, gradient, neurons, .. } = self;
        let neuron = E::of(subject.neuron).expect("only compiled formats are checked");
        let outputs = neuron.evaluate(device, template, *gradient, *neurons, &inputs)?;
        Ok(outputs.into_arrays().map(|(name, output)| (name, output.into())).collect())
    }

    /// What `template` reads, of arrays of these names.
    ///
    /// # Panics
    /// It reads something else.
    pub fn inputs<'n, E: Format>(&self, template: Template, arrays: &[&'n Named<E>]) -> Vec<&'n Host<E>> {
        let find = |name: &str| {
            let found = arrays.iter().flat_map(|arrays| arrays.iter()).find(|(known, _)| *known == name);
            &found.unwrap_or_else(|| panic!("{template} reads `{name}`, which nothing gives")).1
        };
        self.spec().signature(template).inputs.iter().map(|buffer| find(buffer.name)).collect()
    }

    /// The arrays of one step, under the names that `template` has for them, which is one of a single step; `of` is
    /// the one of sequences.
    pub fn step_of<E: Format>(
        &self,
        step: usize,
        arrays: &[(&'static str, Host<E>)],
        names: &'static [BufferSpec],
        of: &'static [BufferSpec],
    ) -> Named<E> {
        let row = step * self.neurons..(step + 1) * self.neurons;
        let cut = |(single, sequence): (&BufferSpec, &BufferSpec)| {
            let (_, host) = arrays.iter().find(|(name, _)| *name == sequence.name)?;
            let host = match (host, sequence.extent) {
                (Host::Signal(array), Extent::Step) => Host::Signal(array[row.clone()].to_vec()),
                (Host::State(array), Extent::Step) => Host::State(array[row.clone()].to_vec()),
                (host, _) => host.clone(),
            };
            Some((single.name, host))
        };
        names.iter().zip(of).filter_map(cut).collect()
    }
}

fn host<E: Format>(class: Class, values: impl Iterator<Item = f64>) -> Host<E> {
    let real = values.map(E::Real::from_f64);
    match class {
        Class::Signal => Host::Signal(real.map(E::store).collect()),
        Class::State | Class::Bits => Host::State(real.collect()),
    }
}

/// Where the first difference is, if the arrays are not the same bits.
pub fn difference<E: Format>(expected: &Host<E>, actual: &Host<E>) -> Option<String> {
    let (expected, actual) = (expected.numbers(), actual.numbers());
    if expected.len() != actual.len() {
        return Some(format!("{} in place of {} values", actual.len(), expected.len()));
    }
    let differs = |(_, (expected, actual)): &(usize, (&f64, &f64))| !same_bits(**expected, **actual);
    let (i, (expected, actual)) = expected.iter().zip(&actual).enumerate().find(differs)?;
    Some(format!("[{i}] is {actual}, not {expected}"))
}
