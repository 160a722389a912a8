//! Arrays with what signatures say of them, and templates that run on them.

use neurons::{BufferSpec, Class, Device, Error, Extent, Gradient, Real, Role, Spec, Template};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::settings::Subject;
use crate::cases::Host;
use crate::compare::same_bits;
use crate::random::compiled::Format;

/// Arrays with what a signature says of them.
pub type Arrays<E> = Vec<(&'static BufferSpec, Host<E>)>;

/// The array of that role.
pub fn of_role<E: Format>(arrays: &Arrays<E>, role: Role) -> Option<&Host<E>> {
    arrays.iter().find(|(buffer, _)| buffer.role == role).map(|(_, host)| host)
}

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
    pub fn draw<E: Format>(&self, rng: &mut ChaCha8Rng) -> Arrays<E> {
        let mut parameters = self.subject.drawn_parameters(rng, self.neurons).into_iter();
        let mut array = |buffer: &'static BufferSpec| {
            let host = match buffer.elements(self.steps, self.neurons) {
                Some(len) => host::<E>(buffer.class, (0..len).map(|_| rng.random_range(-1.0..2.0))),
                None => {
                    let values = parameters.next().expect("as many as there are");
                    Host::Parameter(values.into_iter().map(E::Real::from_f64).collect(), 1)
                }
            };
            (buffer, host)
        };
        let forward = self.spec().signature(Template::Fptt).inputs;
        let mut arrays: Arrays<E> = forward.iter().map(&mut array).collect();
        let backward = self.spec().signature(Template::Bptt).inputs.iter();
        let is_grad = |role| matches!(role, Role::GradOutput | Role::GradNextState(_));
        arrays.extend(backward.filter(|buffer| is_grad(buffer.role)).map(array));
        arrays
    }

    /// What `template` makes of those arrays that it reads.
    pub fn run<E: Format>(&self, template: Template, arrays: &[&Arrays<E>]) -> Result<Arrays<E>, Error> {
        let inputs: Vec<_> = self.inputs(template, arrays).into_iter().map(Host::source).collect();
        let Self { subject, device, gradient, neurons, .. } = self;
        let neuron = E::of(subject.neuron).expect("only compiled formats are checked");
        let outputs = neuron.evaluate(device, template, *gradient, *neurons, &inputs)?;
        Ok(outputs.into_arrays().map(|(buffer, output)| (buffer, output.into())).collect())
    }

    /// What `template` reads of these arrays.
    ///
    /// # Panics
    /// It reads something else.
    pub fn inputs<'n, E: Format>(&self, template: Template, arrays: &[&'n Arrays<E>]) -> Vec<&'n Host<E>> {
        let find = |buffer: &BufferSpec| {
            let found = arrays.iter().find_map(|arrays| of_role(arrays, buffer.role));
            found.unwrap_or_else(|| panic!("{template} reads {buffer:?}, which nothing gives"))
        };
        self.spec().signature(template).inputs.iter().map(find).collect()
    }

    /// One step of the arrays that the template of a single step has as `single`.
    pub fn step_of<E: Format>(
        &self,
        step: usize,
        arrays: &Arrays<E>,
        single: &'static [BufferSpec],
    ) -> Arrays<E> {
        let row = step * self.neurons..(step + 1) * self.neurons;
        let cut = |single: &'static BufferSpec| {
            let (sequence, host) = arrays.iter().find(|(buffer, _)| buffer.role == single.role)?;
            let host = match (host, sequence.extent) {
                (Host::Signal(array), Extent::Step) => Host::Signal(array[row.clone()].to_vec()),
                (Host::State(array), Extent::Step) => Host::State(array[row.clone()].to_vec()),
                (host, _) => host.clone(),
            };
            Some((single, host))
        };
        single.iter().filter_map(cut).collect()
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
