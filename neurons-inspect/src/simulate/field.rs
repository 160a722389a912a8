//! A neuron's equations at any point: what charges it, where it fires, where its states go.

use std::cell::RefCell;
use std::rc::Rc;

use neuron_codegen::evaluate::Repeated;
use neuron_codegen::identifiers;
use neuron_codegen::ir::Quantity;
use neuron_runtime::Value;

use super::Subject;
use crate::derivation::Derivation;
use crate::units;

/// The equations with parameter values.
pub struct Field {
    derivation: Rc<Derivation>,
    /// What charges the neuron, and the threshold.
    charge: RefCell<Repeated>,
    /// How other states go on from there.
    updates: RefCell<Repeated>,
}

impl Field {
    /// Those of a neuron.
    pub fn new(subject: &Subject) -> Self {
        let derivation = subject.derivation.clone();
        let model = &derivation.derived.model;
        let value = |name: &proc_macro2::Ident| match subject.neuron.get(&identifiers::text(name)) {
            Some(Value::Real(value)) => value,
            Some(Value::Flag(value)) => f64::from(u8::from(value)),
            None => f64::NAN,
        };
        let params = model.params.iter().map(|param| (param.leaf, value(&param.name)));
        let flags = model.flags.iter().map(|flag| (flag.leaf, value(&flag.name)));
        let further =
            model.inputs.iter().skip(1).map(|input| input.leaf).zip(subject.further.iter().copied());
        let fired = [(model.leaves.spike, 0.0), (model.leaves.fired, 0.0)];
        let constant: Vec<_> = params.chain(flags).chain(further).chain(fired).collect();
        let of = |exprs: Vec<_>| {
            let mut repeated = Repeated::new(&model.graph, exprs);
            constant.iter().for_each(|(leaf, value)| repeated.set(*leaf, *value));
            RefCell::new(repeated)
        };
        let charge = of(model.threshold().into_iter().chain([model.charge]).collect());
        let updates = of(model.states[1..].iter().filter_map(|state| state.update).collect());
        Self { derivation, charge, updates }
    }

    fn set(&self, repeated: &mut Repeated, x: f64, states: &[f64]) {
        let model = &self.derivation.derived.model;
        repeated.set(model.inputs[0].leaf, x);
        for (state, value) in model.states.iter().zip(states) {
            repeated.set(state.leaf, *value);
        }
    }

    /// The unit of the first input, if its documentation says one.
    pub fn input_unit(&self) -> Option<&str> {
        self.derivation.derived.model.inputs[0].doc.last().and_then(|line| units::unit(line))
    }

    /// `h`, and the threshold it is compared with: NaN if the neuron does not fire.
    pub fn charged(&self, x: f64, states: &[f64]) -> (f64, f64) {
        let model = &self.derivation.derived.model;
        let mut charge = self.charge.borrow_mut();
        self.set(&mut charge, x, states);
        charge.compute();
        let threshold = model.threshold().map_or(f64::NAN, |threshold| charge.number(threshold));
        (charge.number(model.charge), threshold)
    }

    /// The states after a step without a spike: `v` is `h`.
    pub fn flow(&self, x: f64, states: &[f64]) -> Vec<f64> {
        let model = &self.derivation.derived.model;
        let (h, _) = self.charged(x, states);
        let mut updates = self.updates.borrow_mut();
        self.set(&mut updates, x, states);
        updates.set(model.leaves.h, h);
        updates.compute();
        let next =
            model.states[1..].iter().map(|state| state.update.map_or(f64::NAN, |id| updates.number(id)));
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
    use crate::simulate::{Drive, Shape, Stimulus, duration};

    /// The kernels do what the equations say.
    #[test]
    fn equations_and_kernels_agree() {
        for neuron in Neurons::default().zoo().iter() {
            let (name, subject) = (neuron.spec().name, Subject::new(neuron).unwrap());
            let field = Field::new(&subject);
            let drive = Drive::of(&subject).unwrap();
            let steps = duration(&subject, drive).unwrap().min(2000);
            let trace =
                subject.trace(&Stimulus::Shaped(Shape::Noise, 3).input(drive.amplitude, steps)).unwrap();
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
            Field::new(&subject).is_coupled(1)
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
