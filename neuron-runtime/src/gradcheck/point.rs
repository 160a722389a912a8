//! Where a neuron is checked: numbers for everything that it reads, drawn around those that it is declared with.

use crate::surrogate::PAIRS;
use crate::{Neuron, ParamKind, Value};

/// Neurons of a sequence. Each has numbers of its own.
pub const NEURONS: usize = 24;
const _: () = assert!(NEURONS <= PAIRS);

/// A neuron, with what it reads over some steps and the weights of what it gives in the loss.
#[derive(Clone)]
pub struct Point<N> {
    pub neuron: N,
    /// The distance over which the neuron does something.
    pub scale: f64,
    pub inputs: Vec<Vec<f64>>,
    pub states: Vec<Vec<f64>>,
    /// The parameters that may differ between neurons: here they do.
    pub parameters: Vec<Vec<f64>>,
    /// Weights of the spikes and of the final states.
    pub weights: Vec<Vec<f64>>,
}

impl<N: Neuron + Clone> Point<N> {
    /// Of a neuron that is valid.
    pub fn new(neuron: N, steps: usize, seed: u64) -> Self {
        let scale = scale(&neuron);
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1));
        let mut draw = |count: usize, from: f64, to: f64| -> Vec<f64> {
            (0..count).map(|_| random.within(from, to)).collect()
        };
        let signals = steps * NEURONS;
        let inputs = neuron.spec().inputs.iter().map(|_| draw(signals, -0.5 * scale, 1.5 * scale)).collect();
        let initial = neuron.initial_state();
        let states = initial.iter().map(|&s| draw(NEURONS, s - 0.3 * scale, s + 0.7 * scale)).collect();
        let own: Vec<f64> = neuron.spec().arrays().map(|param| real(&neuron, param.name)).collect();
        let mut parameters = vec![Vec::new(); own.len()];
        for _ in 0..NEURONS {
            let near: Vec<f64> =
                own.iter().map(|&value| value + 0.1 * width(value, scale) * draw(1, -1.0, 1.0)[0]).collect();
            let values = if neuron.validate_at(&near).is_ok() { &near } else { &own };
            parameters.iter_mut().zip(values).for_each(|(array, &value)| array.push(value));
        }
        let mut weights = vec![draw(signals, -1.0, 1.0)];
        for (i, state) in initial.iter().enumerate() {
            // A state far from 0 may be of another unit than the potential.
            let unit = if i > 0 && state.is_normal() { scale.max(state.abs()) } else { scale };
            weights.push(draw(NEURONS, -1.0 / unit, 1.0 / unit));
        }
        Self { neuron, scale, inputs, states, parameters, weights }
    }

    /// Of the sequence.
    pub fn steps(&self) -> usize {
        self.weights[0].len() / NEURONS
    }

    /// The same neuron over the first step only, and over the others from the same states on.
    pub fn split_first(&self) -> (Self, Self) {
        let (mut first, mut others) = (self.clone(), self.clone());
        first.inputs.iter_mut().chain(&mut first.weights[..1]).for_each(|array| array.truncate(NEURONS));
        others
            .inputs
            .iter_mut()
            .chain(&mut others.weights[..1])
            .for_each(|array| drop(array.drain(..NEURONS)));
        (first, others)
    }

    /// The array that the gradient number `index` of `bptt` is the gradient of: an input, a state or a learnable
    /// parameter, and the number of that parameter among all that may differ between neurons.
    fn place(&self, index: usize) -> Option<Place> {
        let (inputs, states) = (self.inputs.len(), self.states.len());
        if index < inputs {
            return Some(Place::Input(index));
        }
        if index < inputs + states {
            return Some(Place::State(index - inputs));
        }
        let mut arrays = self.neuron.spec().arrays().enumerate();
        let learnables = arrays.by_ref().filter(|(_, param)| param.kind == ParamKind::Learnable);
        learnables.map(|(at, _)| Place::Parameter(at)).nth(index - inputs - states)
    }

    /// The values that gradient number `index` of `bptt` is with respect to, if there is such a gradient.
    pub fn variable(&mut self, index: usize) -> Option<&mut Vec<f64>> {
        match self.place(index)? {
            Place::Input(at) => self.inputs.get_mut(at),
            Place::State(at) => self.states.get_mut(at),
            Place::Parameter(at) => self.parameters.get_mut(at),
        }
    }

    /// Over which distance variable number `index` of neuron `neuron` may be expected to make a difference.
    pub fn width(&self, index: usize, neuron: usize) -> f64 {
        match self.place(index) {
            Some(Place::Parameter(at)) => width(self.parameters[at][neuron], self.scale),
            _ => self.scale,
        }
    }

    /// Whether variable number `index` of neuron `neuron` may be moved by `by`.
    pub fn may_move(&self, index: usize, neuron: usize, by: f64) -> bool {
        let Some(Place::Parameter(moved)) = self.place(index) else { return true };
        let mut values: Vec<f64> = self.parameters.iter().map(|array| array[neuron]).collect();
        values[moved] += by;
        self.neuron.validate_at(&values).is_ok()
    }
}

/// An array of a point.
enum Place {
    Input(usize),
    State(usize),
    Parameter(usize),
}

/// The distance over which a neuron does something: that from its reset potential to its threshold.
pub fn scale<N: Neuron>(neuron: &N) -> f64 {
    match (real(neuron, "v_threshold") - real(neuron, "v_reset")).abs() {
        scale if scale.is_normal() => scale,
        _ => 1.0,
    }
}

fn real<N: Neuron>(neuron: &N, name: &str) -> f64 {
    match neuron.get(name) {
        Some(Value::Real(value)) => value,
        _ => 1.0,
    }
}

/// The distance over which a parameter of that value may be expected to make a difference: that of potentials at most,
/// since it may be one of them.
fn width(value: f64, scale: f64) -> f64 {
    if value.is_normal() { value.abs().min(scale) } else { scale }
}

/// Uniform numbers in 0..1: SplitMix64 (Steele et al., 2014), the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A number of about the 24 leading bits: moved by a power of two that is not too small, it is exact.
    fn within(&mut self, from: f64, to: f64) -> f64 {
        let number = from + (to - from) * self.next();
        let short = f64::from(number as f32);
        if short.is_normal() { short } else { number }
    }
}
