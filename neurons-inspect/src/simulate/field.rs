//! A neuron's equations at any point: what charges it, where it fires, where its states go.

use std::collections::HashMap;

use neuron_codegen::evaluate::Evaluator;
use neuron_codegen::identifiers;
use neuron_codegen::ir::{Id, Quantity};
use neuron_runtime::Value;

use super::Subject;
use crate::derivation::Derivation;
use crate::{Error, units};

/// The equations with parameter values.
pub struct Field {
    derivation: Derivation,
    values: HashMap<Id, f64>,
}

impl Field {
    /// Those of a neuron.
    ///
    /// # Errors
    /// [`Error::Declaration`]
    pub fn new(subject: &Subject) -> Result<Self, Error> {
        let derivation = Derivation::of(subject.neuron.spec())?;
        let model = &derivation.derived.model;
        let mut values = HashMap::new();
        let value = |name: &proc_macro2::Ident| match subject.neuron.get(&identifiers::text(name)) {
            Some(Value::Real(value)) => value,
            Some(Value::Flag(value)) => f64::from(u8::from(value)),
            None => f64::NAN,
        };
        values.extend(model.params.iter().map(|param| (param.leaf, value(&param.name))));
        values.extend(model.flags.iter().map(|flag| (flag.leaf, value(&flag.name))));
        values
            .extend(model.inputs.iter().skip(1).map(|input| input.leaf).zip(subject.further.iter().copied()));
        Ok(Self { derivation, values })
    }

    fn at(&self, x: f64, states: &[f64]) -> HashMap<Id, f64> {
        let model = &self.derivation.derived.model;
        let mut values = self.values.clone();
        values.insert(model.inputs[0].leaf, x);
        values.extend(model.states.iter().map(|state| state.leaf).zip(states.iter().copied()));
        values
    }

    /// The unit of the first input, if its documentation says one.
    pub fn input_unit(&self) -> Option<&str> {
        self.derivation.derived.model.inputs[0].doc.last().and_then(|line| units::unit(line))
    }

    /// `h`, and the threshold it is compared with: NaN if the neuron does not fire.
    pub fn charged(&self, x: f64, states: &[f64]) -> (f64, f64) {
        let model = &self.derivation.derived.model;
        let values = self.at(x, states);
        let mut evaluator = Evaluator::new(&model.graph, &values);
        let h = evaluator.number(model.charge);
        (h, model.threshold().map_or(f64::NAN, |threshold| evaluator.number(threshold)))
    }

    /// The states after a step without a spike: `v` is `h`.
    pub fn flow(&self, x: f64, states: &[f64]) -> Vec<f64> {
        let model = &self.derivation.derived.model;
        let (h, _) = self.charged(x, states);
        let mut values = self.at(x, states);
        values.extend([(model.leaves.h, h), (model.leaves.spike, 0.0), (model.leaves.fired, 0.0)]);
        let mut evaluator = Evaluator::new(&model.graph, &values);
        let next =
            model.states[1..].iter().map(|state| state.update.map_or(f64::NAN, |id| evaluator.number(id)));
        std::iter::once(h).chain(next).collect()
    }

    /// Whether `v` and the state number `place` act on each other between spikes, as in a phase plane worth looking at.
    pub fn is_coupled(&self, place: usize) -> bool {
        let model = &self.derivation.derived.model;
        let (graph, v, state) = (&model.graph, &model.states[0], &model.states[place]);
        let follows = |update| graph.contains(update, v.leaf) || graph.contains(update, model.leaves.h);
        // Through the slope, not a condition: a refractory period holds the potential, it does not move it.
        let acts = self.derivation.derived.factor(Quantity::Charged, Quantity::State(place)).is_some();
        acts && state.update.is_some_and(follows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Neurons;
    use crate::simulate::{Drive, Shape, duration, input};

    /// The kernels do what the equations say.
    #[test]
    fn equations_and_kernels_agree() {
        for neuron in Neurons::default().zoo().iter() {
            let (name, subject) = (neuron.spec().name, Subject::new(neuron).unwrap());
            let field = Field::new(&subject).unwrap();
            let drive = Drive::of(&subject).unwrap();
            let steps = duration(&subject, drive).unwrap().min(2000);
            let trace = subject.trace(&input(Shape::Noise, drive.amplitude, steps, 3)).unwrap();
            let mut states = neuron.initial_state();
            for t in 0..steps {
                let (h, threshold) = field.charged(trace.input[t].into(), &states);
                let flow = field.flow(trace.input[t].into(), &states);
                let next: Vec<f64> = trace.states.iter().map(|state| f64::from(state[t])).collect();
                if neuron.spec().fires() {
                    let near = (h - threshold).abs() < 1e-4 * threshold.abs().max(1.0);
                    assert!(
                        near || (h >= threshold) == (trace.output[t] != 0.0),
                        "{name} at {t}: {h} {threshold}"
                    );
                    if trace.output[t] == 0.0 {
                        for (a, b) in flow.iter().zip(&next) {
                            assert!((a - b).abs() <= 1e-4 * b.abs().max(1.0), "{name} at {t}: {a} {b}");
                        }
                    }
                }
                states = next;
            }
        }
    }

    #[test]
    fn phase_planes_are_of_what_acts_on_each_other() {
        let neurons = Neurons::default().zoo();
        let coupled = |name: &str| {
            let subject = Subject::new(neurons.find(name).unwrap()).unwrap();
            Field::new(&subject).unwrap().is_coupled(1)
        };
        let names = [
            "AdEx",
            "Izhikevich",
            "AdaptiveQif",
            "ResonateAndFire",
            "Alif",
            "CubaLif",
            "RefractoryLif",
            "Glif",
        ];
        assert_eq!(names.map(coupled), [true, true, true, true, false, false, false, false]);
    }
}
