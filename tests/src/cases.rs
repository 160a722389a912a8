//! Calls of every template, to compare other executors of a neuron with the CPU: settings, sizes, inputs.

use neurons::evaluate::Output;
use neurons::{
    BufferSpec, Class, DeclaredNeuron, Element, Gradient, Parameter, Real, Role, Source, Surrogate, Template,
    Value,
};

/// An input or output on the CPU.
#[derive(Clone, Debug)]
pub enum Host<E: Element> {
    /// In the data's format.
    Signal(Vec<E>),
    /// In the format of the arithmetic.
    State(Vec<E::Real>),
    /// Values of a parameter, each of so many neurons next to each other; or their gradient.
    Parameter(Vec<E::Real>, usize),
    /// Words of bits, which templates write only.
    Bits(Vec<u32>),
}

/// What a template wrote. A parameter's gradient is as many values as it has.
impl<E: Element> From<Output<E>> for Host<E> {
    fn from(output: Output<E>) -> Self {
        match output {
            Output::Signal(array) => Self::Signal(array),
            Output::State(array) => Self::State(array),
            Output::Parameter(array) => Self::Parameter(array, 1),
            Output::Bits(words) => Self::Bits(words),
        }
    }
}

impl<E: Element> Host<E> {
    fn new(class: Class, values: impl Iterator<Item = f64>) -> Self {
        match class {
            Class::Signal => Self::Signal(values.map(|v| E::store(E::Real::from_f64(v))).collect()),
            Class::State => Self::State(values.map(E::Real::from_f64).collect()),
            Class::Bits => panic!("no template reads bits"),
        }
    }

    /// As an input of a call on the CPU.
    pub fn source(&self) -> Source<'_, E> {
        match self {
            Self::Signal(array) => Source::Signal(array),
            Self::State(array) => Source::State(array),
            Self::Parameter(values, inner) => Source::Parameter(Parameter::per_channel(values, *inner)),
            Self::Bits(_) => panic!("no template reads bits"),
        }
    }

    /// As many of the same number.
    pub fn filled(&self, value: f64) -> Self {
        match self {
            Self::Signal(array) => Self::Signal(vec![E::store(E::Real::from_f64(value)); array.len()]),
            Self::State(array) => Self::State(vec![E::Real::from_f64(value); array.len()]),
            Self::Parameter(array, inner) => {
                Self::Parameter(vec![E::Real::from_f64(value); array.len()], *inner)
            }
            Self::Bits(_) => panic!("bits are no numbers"),
        }
    }

    /// The same without elements, which means that a call leaves it out.
    pub fn without_elements(&self) -> Self {
        match self {
            Self::Signal(_) => Self::Signal(Vec::new()),
            Self::State(_) => Self::State(Vec::new()),
            Self::Parameter(_, inner) => Self::Parameter(Vec::new(), *inner),
            Self::Bits(_) => Self::Bits(Vec::new()),
        }
    }

    /// A parameter with a value for each of the neurons; other arrays as they are.
    pub fn per_neuron(&self, neurons: usize) -> Self {
        match self {
            Self::Parameter(values, inner) => {
                let value = |n: usize| values[n / inner % values.len()];
                Self::Parameter((0..neurons).map(value).collect(), 1)
            }
            other => other.clone(),
        }
    }

    /// The same numbers in float64.
    pub fn in_double(&self) -> Host<f64> {
        match self {
            Self::Signal(_) => Host::Signal(self.numbers()),
            Self::State(_) => Host::State(self.numbers()),
            Self::Parameter(_, inner) => Host::Parameter(self.numbers(), *inner),
            Self::Bits(words) => Host::Bits(words.clone()),
        }
    }

    /// Every element, exactly.
    pub fn numbers(&self) -> Vec<f64> {
        match self {
            Self::Signal(array) => array.iter().map(|v| v.load().to_f64()).collect(),
            Self::State(array) | Self::Parameter(array, _) => array.iter().map(|v| v.to_f64()).collect(),
            Self::Bits(words) => words.iter().map(|&word| f64::from(word)).collect(),
        }
    }
}

/// What inputs are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inputs {
    /// Numbers around the threshold.
    Common,
    /// The same with NaN, infinities, huge, tiny and subnormal numbers among them.
    Special,
}

/// Those of float64, float32 and the half formats, and what lies between two numbers of the latter.
const SPECIAL: [f64; 16] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::MAX,
    -1e300,
    f32::MAX as f64,
    -1e30,
    65504.0,
    65519.99,
    -65520.0,
    0.0,
    -0.0,
    1e-40,
    -6e-8,
    3.1e-5,
    1e-310,
];

/// Numbers in 0..1, the same in every run.
fn random(seed: u64) -> impl Iterator<Item = f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    })
}

fn numbers(inputs: Inputs, seed: u64) -> impl Iterator<Item = f64> {
    let mut choice = random(seed + 1000);
    random(seed).map(move |value| match inputs {
        // One in eight: most sequences stay finite for some steps.
        Inputs::Special if choice.next().is_some_and(|c| c < 0.125) => {
            SPECIAL[(value * SPECIAL.len() as f64) as usize]
        }
        _ => value * 3.0 - 1.1,
    })
}

/// One call of one template, in any format.
#[derive(Clone, Debug)]
pub struct Case<N> {
    /// With its parameters, flags and reset.
    pub neuron: N,
    /// What to compute.
    pub template: Template,
    /// How spikes are differentiated.
    pub gradient: Gradient,
    /// Number of steps; 1 for the single-step templates.
    pub steps: usize,
    /// Number of neurons.
    pub neurons: usize,
    /// What inputs are made of.
    pub inputs: Inputs,
}

impl<N: DeclaredNeuron> Case<N> {
    /// Inputs, in the order of the signature.
    pub fn input_arrays<E: Element>(&self) -> Vec<Host<E>> {
        let signature = N::SPEC.signature(self.template);
        let parameters = self.parameters();
        let array = |(seed, buffer): (u64, &BufferSpec)| match self.len(buffer) {
            Some(len) => Host::new(buffer.class, numbers(self.inputs, seed).take(len)),
            None => {
                let Role::Param(index) = buffer.role else { panic!("{buffer:?}") };
                let name = N::SPEC.params[index].name;
                let (_, values, inner) = parameters.iter().find(|(known, ..)| *known == name).unwrap();
                Host::Parameter(values.iter().map(|&value| E::Real::from_f64(value)).collect(), *inner)
            }
        };
        (3..).zip(signature.inputs).map(array).collect()
    }

    /// Outputs full of NaN for such inputs, in the order of the signature: what is not written shows.
    pub fn poisoned<E: Element>(&self, inputs: &[Host<E>]) -> Vec<Host<E>> {
        let signature = N::SPEC.signature(self.template);
        let array = |buffer: &BufferSpec| match self.len(buffer) {
            // All bits set.
            Some(len) if buffer.class == Class::Bits => Host::Bits(vec![u32::MAX; len]),
            Some(len) => Host::new(buffer.class, std::iter::repeat_n(f64::NAN, len)),
            None => {
                let Role::GradParam(index) = buffer.role else { panic!("{buffer:?}") };
                let of = signature.inputs.iter().position(|input| input.role == Role::Param(index));
                let Host::Parameter(values, inner) = &inputs[of.unwrap()] else { panic!("{buffer:?}") };
                Host::Parameter(vec![E::Real::from_f64(f64::NAN); values.len()], *inner)
            }
        };
        signature.outputs.iter().map(array).collect()
    }

    /// Number of elements, but of a parameter.
    fn len(&self, buffer: &BufferSpec) -> Option<usize> {
        buffer.elements(self.steps, self.neurons)
    }

    /// The parameters that may differ between neurons, with values around the neuron's own that are in range, one
    /// for all or one a channel or a neuron by turns: name, values, neurons next to each other of each.
    fn parameters(&self) -> Vec<(&'static str, Vec<f64>, usize)> {
        let divisor = [3, 11, 2, 5, 31].into_iter().find(|d| self.neurons.is_multiple_of(*d)).unwrap_or(1);
        let layouts = [[self.neurons, 1], [1, 1], [divisor, self.neurons / divisor], [divisor, 1]];
        let own: Vec<f64> = N::SPEC
            .arrays()
            .map(|param| match self.neuron.get(param.name) {
                Some(Value::Real(value)) => value,
                _ => param.default,
            })
            .collect();
        let parameter = |(i, param): (usize, &neurons::ParamSpec)| {
            let [count, inner] = layouts[(i + self.steps + self.neurons) % layouts.len()];
            let near = |r: f64| {
                let mut values = own.clone();
                values[i] += 0.2 * (r - 0.5);
                if self.neuron.validate_at(&values).is_ok() { values[i] } else { own[i] }
            };
            (param.name, random(90 + i as u64).take(count).map(near).collect(), inner)
        };
        N::SPEC.arrays().enumerate().map(parameter).collect()
    }
}

/// Sizes `[T, N]` around those of blocks of steps and of tiles.
pub const SIZES: [[usize; 2]; 8] = [[1, 1], [2, 31], [7, 33], [8, 32], [9, 33], [64, 1], [17, 34], [9, 1000]];

/// Sizes of which not every surrogate is tried: a test needs no more.
const LARGE: usize = 1000;

/// Every template of `N` under every reset, flag and surrogate, at every size.
pub fn every_case<N: DeclaredNeuron>(sizes: &[[usize; 2]]) -> Vec<Case<N>> {
    let mut cases = Vec::new();
    for (k, &[steps, neurons]) in sizes.iter().enumerate() {
        for neuron in settings::<N>(k % 2 == 1) {
            for template in N::SPEC.templates() {
                let steps = if template.is_multi_step() { steps } else { 1 };
                let is_large = neurons >= LARGE;
                for gradient in gradients(template, k, is_large) {
                    let case = |inputs| {
                        let neuron = neuron.clone();
                        Case { neuron, template, gradient, steps, neurons, inputs }
                    };
                    cases.push(case(Inputs::Common));
                    if !is_large {
                        cases.push(case(Inputs::Special));
                    }
                }
            }
        }
    }
    cases
}

/// Which arrays a call leaves out, as far as the template can do without them.
pub type LeftOut = fn(Role) -> bool;

/// Calls of every template that leave arrays out: all, those that are read, those that are written, every other state's.
pub fn left_out_cases<N: DeclaredNeuron>() -> Vec<(Case<N>, LeftOut)> {
    let all: LeftOut = |_| true;
    let read: LeftOut = |role| matches!(role, Role::State(_) | Role::GradNextState(_));
    let written: LeftOut = |role| matches!(role, Role::NextState(_) | Role::GradState(_));
    let alternating: LeftOut = |role| match role {
        Role::State(index) | Role::GradState(index) => index % 2 == 0,
        Role::NextState(index) | Role::GradNextState(index) => index % 2 == 1,
        _ => false,
    };
    let cases = every_case::<N>(&[[1, 3], [9, 33], [17, 130]]).into_iter();
    let cases = cases.filter(|case| case.gradient.surrogate == Surrogate::default());
    cases
        .flat_map(|case| [all, read, written, alternating].map(|left_out| (case.clone(), left_out)))
        .collect()
}

/// `N` under every reset and flag, with default parameters or with others, each of its own value.
fn settings<N: DeclaredNeuron>(is_changed: bool) -> Vec<N> {
    let mut all = Vec::new();
    for &reset in N::SPEC.resets {
        for setting in 0..1usize << N::SPEC.flags.len() {
            let mut neuron = N::default();
            neuron.set_reset(reset);
            for (i, flag) in N::SPEC.flags.iter().enumerate() {
                neuron.set(flag.name, Value::Flag(setting >> i & 1 == 1)).unwrap();
            }
            for (i, param) in N::SPEC.params.iter().enumerate().filter(|_| is_changed) {
                let mut changed = neuron.clone();
                changed.set(param.name, Value::Real(param.default + 0.01 * (i + 1) as f64)).unwrap();
                // Ranges may forbid it.
                if changed.validate().is_ok() {
                    neuron = changed;
                }
            }
            all.push(neuron);
        }
    }
    all
}

/// What `template` is to be called with at size number `k`: every surrogate, if it reads them.
fn gradients(template: Template, k: usize, is_large: bool) -> Vec<Gradient> {
    if !template.takes_gradient() {
        return vec![Gradient::default()];
    }
    let surrogates = Surrogate::all().enumerate().filter(|(s, _)| !is_large || s % 4 == k % 4);
    surrogates
        .flat_map(|(s, surrogate)| {
            // Default parameters at one size, others at the next.
            let changed = [1.7, 3.0].map(|value| Surrogate::from_name(surrogate.name(), &[value]));
            let changed = changed.into_iter().flatten().find(|surrogate| surrogate.validate().is_ok());
            let changed = changed.expect("one of the two is in the range of every first parameter");
            let surrogate = if k % 2 == 1 { changed } else { surrogate };
            let detach = [false, true].into_iter().filter(move |d| !is_large || *d == (s % 2 == 0));
            detach.map(move |detach_reset| Gradient { surrogate, detach_reset })
        })
        .collect()
}
