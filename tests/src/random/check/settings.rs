//! Parameters, flags and resets that a neuron is checked with, and numbers to check it on.

use neurons::{Gradient, ParamKind, Spec, Surrogate as Declared};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::random::ast::{Declaration, Reset};
use crate::random::compiled::{Compiled, Configured, Setting};
use crate::random::evaluate::Mode;
use crate::random::number::Surrogate;

/// A setting for each reset: the defaults with the first, then others that are in range.
pub fn settings(declaration: &Declaration, neuron: &dyn Compiled, seed: u64) -> Vec<Setting> {
    let spec = neuron.spec();
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let mut all = Vec::new();
    let repeat = if spec.resets.len() == 1 && !declaration.flags.is_empty() { 2 } else { 1 };
    for (i, &reset) in spec.resets.iter().cycle().take(spec.resets.len() * repeat).enumerate() {
        let params = spec.params.iter().map(|param| (param.name, param.default)).collect();
        let flags = spec.flags.iter().map(|flag| (flag.name, flag.default)).collect();
        let mut setting = Setting { params, flags, reset };
        if i > 0 {
            for place in 0..setting.params.len() {
                let mut other = setting.clone();
                other.params[place].1 += rng.random_range(-0.2..0.2);
                if neuron.with(&other).is_ok() {
                    setting = other;
                }
            }
            setting.flags.iter_mut().for_each(|(_, value)| *value = rng.random());
        }
        all.push(setting);
    }
    all
}

/// A configured neuron, and what is needed to evaluate its declaration in the same way.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub declaration: &'a Declaration,
    pub spec: &'static Spec,
    pub setting: &'a Setting,
    pub neuron: &'a dyn Configured,
    pub seed: u64,
}

impl<'a> Subject<'a> {
    pub fn new(
        declaration: &'a Declaration,
        spec: &'static Spec,
        setting: &'a Setting,
        neuron: &'a dyn Configured,
        seed: u64,
    ) -> Self {
        Self { declaration, spec, setting, neuron, seed }
    }

    /// Numbers for something to be checked.
    pub fn rng(&self, purpose: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.seed.wrapping_mul(1000).wrapping_add(purpose))
    }

    /// Values of the parameters that may differ: for each of them and of so many neurons one, in range.
    pub fn drawn_parameters(&self, rng: &mut ChaCha8Rng, neurons: usize) -> Vec<Vec<f64>> {
        let own: Vec<f64> = self.spec.arrays().map(|param| self.param(param.name)).collect();
        let mut arrays = vec![Vec::new(); own.len()];
        for _ in 0..neurons {
            let near: Vec<f64> = own.iter().map(|value| value + rng.random_range(-0.1..0.1)).collect();
            let values = if self.neuron.is_in_range(&near) { &near } else { &own };
            arrays.iter_mut().zip(values).for_each(|(array, &value)| array.push(value));
        }
        arrays
    }

    /// The value of a parameter.
    pub fn param(&self, name: &str) -> f64 {
        let found = self.setting.params.iter().find(|(known, _)| is_same(known, name));
        found.expect("the specification has what was declared").1
    }

    /// The values of all parameters in the order of the declaration, for a neuron with these values of those that may
    /// differ.
    pub fn params_at(&self, arrays: &[f64]) -> Vec<f64> {
        let value = |name: &str| {
            let place = self.spec.arrays().position(|param| is_same(param.name, name));
            place.map_or_else(|| self.param(name), |place| arrays[place])
        };
        self.declaration.params.iter().map(|param| value(&param.name)).collect()
    }

    /// The places of the learnable parameters in the declaration, in the order of the specification.
    pub fn learnables(&self) -> Vec<usize> {
        let place = |name: &str| self.declaration.params.iter().position(|param| is_same(&param.name, name));
        let learnables = self.spec.params.iter().filter(|param| param.kind == ParamKind::Learnable);
        learnables.map(|param| place(param.name).expect("it was declared")).collect()
    }

    /// The values of all flags in the order of the declaration.
    pub fn flags(&self) -> Vec<bool> {
        let value = |name: &str| self.setting.flags.iter().find(|(known, _)| is_same(known, name));
        self.declaration.flags.iter().map(|flag| value(&flag.name).expect("it was declared").1).collect()
    }

    /// The places of the states of the specification among those of the declaration.
    pub fn states(&self) -> Vec<usize> {
        let place = |name: &str| match name {
            "v" => 0,
            _ => 1 + self.declaration.states.iter().position(|it| is_same(&it.name, name)).expect("declared"),
        };
        self.spec.states.iter().map(|state| place(state.name)).collect()
    }

    /// The same for the inputs.
    pub fn inputs(&self) -> Vec<usize> {
        let place = |name: &str| self.declaration.inputs.iter().position(|input| is_same(input, name));
        self.spec.inputs.iter().map(|name| place(name).expect("declared")).collect()
    }

    /// How to evaluate the declaration.
    pub fn mode(&self, surrogate: Surrogate, detach_reset: bool, is_relaxed: bool) -> Mode {
        let reset = match self.setting.reset {
            neurons::Reset::Hard => Reset::Hard,
            neurons::Reset::Soft => Reset::Soft,
            _ => Reset::None,
        };
        Mode { reset, surrogate, detach_reset, is_relaxed }
    }
}

/// The runtime's name for it.
pub fn declared(surrogate: Surrogate, detach_reset: bool) -> Gradient {
    let surrogate = match surrogate {
        Surrogate::Atan(alpha) => Declared::atan(alpha),
        Surrogate::Sigmoid(alpha) => Declared::sigmoid(alpha),
    };
    Gradient { surrogate, detach_reset }
}

/// Whether two names are one, raw or not.
fn is_same(a: &str, b: &str) -> bool {
    a.trim_start_matches("r#") == b.trim_start_matches("r#")
}
