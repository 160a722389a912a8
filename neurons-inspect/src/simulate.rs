//! Runs neurons to see what they do: with the kernels that training uses, in float32, so that a picture is the same on
//! every machine.

mod drive;
mod field;

use std::rc::Rc;

use neuron_runtime::evaluate::{Mode, evaluate};
use neuron_runtime::{BufferSpec, Gradient, Neuron, Parameter, Role, Source, Template, Value};

use crate::Error;
use crate::derivation::Derivation;

pub use drive::{Drive, Reason, Shape, Stimulus, duration};
pub use field::Field;

/// A neuron, and values for inputs after the first: these stay as they are while the first one changes.
pub struct Subject {
    pub neuron: Box<dyn Neuron>,
    pub further: Vec<f64>,
    derivation: Rc<Derivation>,
    /// Whether a spike changes nothing: the neuron fires as long as it is above the threshold.
    lasts: bool,
}

/// What a neuron did.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The first input in each step.
    pub input: Vec<f32>,
    /// What left the neuron in each step: spikes, 0 or 1, unless it does not fire.
    pub output: Vec<f32>,
    /// Each state after each step, by state.
    pub states: Vec<Vec<f32>>,
}

/// States of several neurons from call to call: one array a state.
type States = Vec<Vec<f32>>;

impl Subject {
    /// With the neuron's parameters.
    ///
    /// # Errors
    /// [`Error::Declaration`]
    pub fn new(neuron: &dyn Neuron) -> Result<Self, Error> {
        Ok(Self::derived(neuron, Rc::new(Derivation::of(neuron.spec())?)))
    }

    /// As [`Subject::new`], of what has been derived from the neuron's declaration before.
    pub fn derived(neuron: &dyn Neuron, derivation: Rc<Derivation>) -> Self {
        let derived = &derivation.derived;
        let model = &derived.model;
        let updates = model.states.iter().filter_map(|state| state.update);
        let next = model.graph.reach(derived.resets.iter().copied().chain(updates));
        let lasts = !next.contains(&model.leaves.spike) && !next.contains(&model.leaves.fired);
        let further = vec![0.0; neuron.spec().inputs.len() - 1];
        Self { neuron: neuron.boxed(), further, derivation, lasts }
    }

    /// The steps of an output in which the neuron fired; if that changes nothing, those in which it began to. None if it
    /// does not fire.
    pub fn spikes(&self, output: &[f32]) -> Vec<usize> {
        let fires = self.neuron.spec().fires();
        let is_on = |t: usize| output[t] != 0.0;
        (0..output.len()).filter(|&t| fires && is_on(t) && !(self.lasts && t > 0 && is_on(t - 1))).collect()
    }

    /// Whether a spike changes nothing.
    pub fn lasts(&self) -> bool {
        self.lasts
    }

    /// Sets a parameter, a flag or an input after the first.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`], [`Error::Value`]
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), Error> {
        let spec = self.neuron.spec();
        let wrong = |expected| Error::Value { name: name.to_owned(), expected, value: text.to_owned() };
        let number = || text.parse::<f64>().map_err(|_| wrong("number"));
        if let Some(place) = spec.inputs.iter().skip(1).position(|input| *input == name) {
            self.further[place] = number()?;
            return Ok(());
        }
        let value = match self.neuron.get(name) {
            Some(Value::Real(_)) => Value::Real(number()?),
            Some(Value::Flag(_)) => Value::Flag(text.parse().map_err(|_| wrong("flag (`true` or `false`)"))?),
            None => {
                let params = spec.params.iter().map(|param| param.name);
                let flags = spec.flags.iter().map(|flag| flag.name);
                let known: Vec<&str> =
                    params.chain(flags).chain(spec.inputs.iter().skip(1).copied()).collect();
                let closest = neuron_codegen::suggest::closest(name, &known).map(str::to_owned);
                let (name, known) = (name.to_owned(), known.join(", "));
                return Err(Error::UnknownParameter { neuron: spec.name, name, closest, known });
            }
        };
        Ok(self.neuron.set(name, value)?)
    }

    /// States before the first step, of so many neurons.
    fn initial(&self, neurons: usize) -> States {
        self.neuron.initial_state().into_iter().map(|value| vec![value as f32; neurons]).collect()
    }

    /// Runs a template from `states`, which become those after it; returns what leaves the neurons.
    fn advance(
        &self,
        template: Template,
        neurons: usize,
        x: &[f32],
        states: &mut States,
    ) -> Result<Vec<f32>, Error> {
        let spec = self.neuron.spec();
        let signature = spec.signature(template);
        let further: Vec<Vec<f32>> = self.further.iter().map(|&value| vec![value as f32; x.len()]).collect();
        let values: Vec<f32> = (spec.arrays())
            .map(|array| match self.neuron.get(array.name) {
                Some(Value::Real(value)) => value as f32,
                _ => array.default as f32,
            })
            .collect();
        let source = |buffer: &BufferSpec| match buffer.role {
            Role::Input(0) => Some(Source::Signal(x)),
            Role::Input(index) => further.get(index - 1).map(|input| Source::Signal(input)),
            Role::State(index) => states.get(index).map(|state| Source::State(state)),
            Role::Param(index) => {
                Some(Source::Parameter(Parameter::shared(&values[spec.array_place(index)?])))
            }
            _ => None,
        };
        let sources: Vec<Source<'_, f32>> = signature.inputs.iter().filter_map(source).collect();
        let mut outputs =
            evaluate(&self.neuron, Mode::Spiking, template, Gradient::default(), neurons, &sources)?;
        let output = outputs.take_signal(Role::Output).unwrap_or_default();
        let next = (0..states.len()).filter_map(|index| outputs.take_state(Role::NextState(index))).collect();
        *states = next;
        Ok(output)
    }

    /// One neuron, step by step.
    ///
    /// A call takes longer than a step. So the sequence is divided into about as many parts as each has steps, and the
    /// states before each part come from one call for the part before it; then all parts advance together, as neurons.
    ///
    /// # Errors
    /// Parameters out of range.
    pub fn trace(&self, input: &[f32]) -> Result<Trace, Error> {
        let steps = input.len();
        let part = ((steps as f64).sqrt().ceil() as usize).max(1);
        let parts = steps.div_ceil(part);
        let mut padded = input.to_vec();
        padded.resize(parts * part, 0.0);

        let mut state = self.initial(1);
        let mut states: States = vec![Vec::with_capacity(parts); state.len()];
        for x in padded.chunks(part) {
            states.iter_mut().zip(&state).for_each(|(before, state)| before.extend(state));
            self.advance(Template::Fptt, 1, x, &mut state)?;
        }
        let mut output = vec![0.0; padded.len()];
        let mut recorded = vec![output.clone(); states.len()];
        for step in 0..part.min(padded.len()) {
            let at = |place: usize| place * part + step;
            let x: Vec<f32> = (0..parts).map(|place| padded[at(place)]).collect();
            let outputs = self.advance(Template::Forward, parts, &x, &mut states)?;
            for (all, these) in recorded.iter_mut().chain([&mut output]).zip(states.iter().chain([&outputs]))
            {
                these.iter().enumerate().for_each(|(place, value)| all[at(place)] = *value);
            }
        }
        recorded.iter_mut().chain([&mut output]).for_each(|values| values.truncate(steps));
        Ok(Trace { input: input.to_vec(), output, states: recorded })
    }

    /// What leaves the neuron under each constant input in each step: one array an input.
    ///
    /// # Errors
    /// As [`Subject::trace`].
    pub fn responses(&self, inputs: &[f32], steps: usize) -> Result<Vec<Vec<f32>>, Error> {
        /// Steps of a call, which bounds the memory.
        const CHUNK: usize = 256;
        let neurons = inputs.len();
        let mut states = self.initial(neurons);
        let mut responses = vec![Vec::with_capacity(steps); neurons];
        for start in (0..steps).step_by(CHUNK) {
            let x = inputs.repeat(CHUNK.min(steps - start));
            let output = self.advance(Template::Fptt, neurons, &x, &mut states)?;
            for row in output.chunks(neurons) {
                for (response, value) in responses.iter_mut().zip(row) {
                    response.push(*value);
                }
            }
        }
        Ok(responses)
    }
}
