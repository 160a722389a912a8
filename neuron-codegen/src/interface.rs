//! What the arrays and quantities of a neuron are called, in interfaces and in generated code.
//!
//! Names are allocated once per neuron, all of them distinct, and are looked up by what they denote. Code never parses
//! them: a user may call a state `x_seq`, in which case the array of inputs `x` gets another name.

use std::collections::HashMap;

pub use neuron_abi::Role;

use crate::identifiers::{self, Namespace};
use crate::ir::Quantity;
use crate::model::{Model, Output};

/// The names of one neuron.
#[derive(Clone, Debug)]
pub struct Interface {
    /// All of them.
    namespace: Namespace,
    /// Arrays of single steps and of sequences.
    arrays: HashMap<(Role, bool), String>,
    /// Factors, by what they are derivatives of and by.
    factors: HashMap<(Quantity, Quantity), String>,
    /// The array of spikes of one bit.
    bits: String,
    /// Parameters, in order.
    params: Vec<String>,
    /// Flags, in order.
    flags: Vec<String>,
    /// Whether the neuron fires, as a condition.
    fired: String,
}

impl Interface {
    /// Names for everything in `model`. Those that the 2020 API has come first, then the user's, and what is made of
    /// these gives way.
    pub fn new(model: &Model) -> Self {
        let mut names = Self {
            namespace: Namespace::default(),
            arrays: HashMap::new(),
            factors: HashMap::new(),
            bits: String::new(),
            params: Vec::new(),
            flags: Vec::new(),
            fired: String::new(),
        };
        let output = model.output.name();
        for name in ["h", "grad_h"] {
            names.namespace.claim(name);
        }
        names.array(Role::Output, output, "_seq");
        names.array(Role::GradOutput, &format!("grad_{output}"), "_seq");
        names.states(0, "v");
        names.array(Role::Trace, "v_seq", "");
        if let Output::Spike { .. } | Output::Spikes = model.output {
            names.bits = names.namespace.claim("spike_bits");
            names.factor(model, Quantity::Output, Quantity::Charged);
        }
        names.factor(model, Quantity::State(0), Quantity::Charged);

        let claim = |names: &mut Self, ident| names.namespace.claim(&identifiers::text(ident));
        names.params = model.params.iter().map(|param| claim(&mut names, &param.name)).collect();
        names.flags = model.flags.iter().map(|flag| claim(&mut names, &flag.name)).collect();
        let inputs: Vec<String> = model.inputs.iter().map(|input| claim(&mut names, &input.name)).collect();
        let states: Vec<String> =
            model.states[1..].iter().map(|state| claim(&mut names, &state.name)).collect();

        for (index, input) in inputs.iter().enumerate() {
            let sequence = names.namespace.claim(&format!("{input}_seq"));
            names.arrays.insert((Role::Input(index), false), input.clone());
            names.arrays.insert((Role::Input(index), true), sequence);
            names.array(Role::GradInput(index), &format!("grad_{input}"), "_seq");
        }
        for (index, state) in states.iter().enumerate() {
            names.states(index + 1, state);
        }
        for (index, param) in model.params.iter().enumerate() {
            if param.kind == crate::model::ParamKind::Scalar {
                continue;
            }
            let name = names.params[index].clone();
            names.both(Role::Param(index), &name);
            names.array(Role::GradParam(index), &format!("grad_{name}"), "");
        }
        names.fired = names.namespace.claim("fired");
        names
    }

    /// The arrays of a state called `name`, which is claimed only if it is `v`: other states have their names.
    fn states(&mut self, index: usize, name: &str) {
        let name = if index == 0 { self.namespace.claim(name) } else { name.to_owned() };
        self.both(Role::State(index), &name);
        for (role, name) in [
            (Role::NextState(index), format!("{name}_next")),
            (Role::Checkpoint(index), format!("{name}_checkpoints")),
            (Role::GradState(index), format!("grad_{name}")),
            (Role::GradNextState(index), format!("grad_{name}_next")),
        ] {
            self.array(role, &name, "");
        }
    }

    /// Claims the name of an array; that of a sequence ends in `suffix`.
    fn array(&mut self, role: Role, name: &str, suffix: &str) {
        let single = self.namespace.claim(name);
        let multi = match suffix {
            "" => single.clone(),
            suffix => self.namespace.claim(&format!("{name}{suffix}")),
        };
        self.arrays.insert((role, false), single);
        self.arrays.insert((role, true), multi);
    }

    /// A name for a value of generated code that no interface has: `name`, or that with a number. What the user has `named`
    /// by `let` keeps its name.
    pub fn value<'n>(&mut self, name: &str, named: impl Iterator<Item = &'n String> + Clone) -> String {
        if self.namespace.is_free(name) && named.clone().all(|taken| taken != name) {
            return self.namespace.claim(name);
        }
        loop {
            let numbered = self.namespace.number(name);
            if named.clone().all(|taken| *taken != numbered) {
                return numbered;
            }
        }
    }

    /// Gives a name that has been claimed to the array of a step and to that of a sequence.
    fn both(&mut self, role: Role, name: &str) {
        self.arrays.extend([false, true].map(|multi| ((role, multi), name.to_owned())));
    }

    /// The factor `grad_<of>_to_<by>`, by that name or one like it.
    pub fn factor(&mut self, model: &Model, of: Quantity, by: Quantity) -> String {
        let namespace = &mut self.namespace;
        let word = |quantity| match quantity {
            Quantity::Output => model.output.symbol().to_owned(),
            quantity => model.name_of(quantity),
        };
        let name = self
            .factors
            .entry((of, by))
            .or_insert_with(|| namespace.claim(&format!("grad_{}_to_{}", word(of), word(by))));
        name.clone()
    }

    /// The array of that role, of single steps or of sequences. Factors have names of their own.
    ///
    /// # Panics
    /// There is no such array.
    pub fn name(&self, role: Role, multi_step: bool) -> &str {
        &self.arrays[&(role, multi_step)]
    }

    /// The array of spikes of one bit.
    pub fn bits(&self) -> &str {
        &self.bits
    }

    /// The parameter at that place.
    pub fn param(&self, index: usize) -> &str {
        &self.params[index]
    }

    /// The flag at that place.
    pub fn flag(&self, index: usize) -> &str {
        &self.flags[index]
    }

    /// Whether the neuron fires, as a condition.
    pub fn fired(&self) -> &str {
        &self.fired
    }

    /// A namespace in which all of these are taken.
    pub(crate) fn namespace(&self) -> Namespace {
        self.namespace.clone()
    }
}
