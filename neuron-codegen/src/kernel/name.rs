//! Identifiers of one kernel, all different: of values, of storage, of arguments.

use std::collections::HashMap;

use super::Slot;
use super::lower::Lowering;
use super::plan::Storage;
use crate::gradient::Derived;
use crate::identifiers::Namespace;
use crate::interface::Role;
use crate::ir::{Graph, Id, Node, Quantity};

/// What a value is best called.
#[derive(Clone, Debug)]
enum Hint {
    /// The user named it, with `let`.
    Let(String),
    /// It is a derivative, which has that name already.
    Factor(String),
}

/// Names for the values of one kernel that may need one: those that the user gave, and those of derivatives.
#[derive(Debug, Default)]
pub struct Hints {
    hints: HashMap<Id, Hint>,
}

impl Hints {
    /// Of expressions as they were lowered.
    pub fn new(derived: &mut Derived, lowering: &mut Lowering) -> Self {
        let mut hints = HashMap::new();
        let mut given: Vec<(Id, String)> =
            derived.model.names.iter().map(|(&id, name)| (id, name.clone())).collect();
        // Of two names for what becomes the same value, the older expression's stays.
        given.sort();
        for (id, name) in given {
            let lowered = lowering.of(&mut derived.model.graph, id);
            hints.entry(lowered).or_insert(Hint::Let(name));
        }
        for factor in derived.factors.iter().filter(|factor| !factor.kept) {
            let lowered = lowering.of(&mut derived.model.graph, factor.value);
            let g = &derived.model.graph;
            // `reciprocal_tau` says more.
            if !g.is_atom(lowered) && g.inverted(lowered).is_none() {
                hints.entry(lowered).or_insert_with(|| Hint::Factor(factor.name.clone()));
            }
        }
        Self { hints }
    }

    /// Whether there is a name for it.
    pub fn has(&self, id: Id) -> bool {
        self.hints.contains_key(&id)
    }
}

/// The identifiers given so far.
pub struct Names<'a> {
    derived: &'a Derived,
    hints: &'a Hints,
    namespace: Namespace,
    values: HashMap<Id, String>,
}

impl<'a> Names<'a> {
    /// With the names that all kernels of the neuron share taken.
    pub fn new(derived: &'a Derived, hints: &'a Hints) -> Self {
        Self { derived, hints, namespace: derived.interface.namespace(), values: HashMap::new() }
    }

    fn graph(&self) -> &'a Graph {
        &self.derived.model.graph
    }

    /// The argument of a CUDA kernel that is the array called `buffer`.
    pub fn argument(&mut self, buffer: &str, direction: &str) -> String {
        self.namespace.claim(&format!("{buffer}_{direction}"))
    }

    /// A value, under the same name in every phase; where it needs one of its own, that begins with `stem`.
    pub fn value(&mut self, id: Id, stem: &str) -> String {
        if let Some(leaf) = self.leaf(id) {
            return leaf;
        }
        if let Some(name) = self.values.get(&id) {
            return name.clone();
        }
        let name = match self.hints.hints.get(&id) {
            Some(Hint::Factor(name)) => name.clone(),
            Some(Hint::Let(name)) => self.namespace.claim(name),
            None => self.made(id, stem),
        };
        self.values.insert(id, name.clone());
        name
    }

    /// `exp_x`, if there is no other, or `exp_1`; `term_1` of what is no function.
    fn made(&mut self, id: Id, stem: &str) -> String {
        let g = self.graph();
        let function = match g.node(id) {
            Node::Call(func, operand) => Some((func.name(), operand)),
            _ => g.inverted(id).map(|operand| ("reciprocal", operand)),
        };
        let Some((function, operand)) = function else { return self.namespace.number(stem) };
        let specific = self.leaf(operand).map(|leaf| format!("{function}_{leaf}"));
        match specific.filter(|name| self.namespace.is_free(name)) {
            Some(name) => self.namespace.claim(&name),
            None => self.namespace.number(function),
        }
    }

    /// A leaf, by the name that it has in every kernel.
    pub fn leaf(&self, id: Id) -> Option<String> {
        let Self { derived: Derived { model, interface, factors, leaves, .. }, .. } = self;
        let param = |index| interface.param(index).to_owned();
        let of = |role| interface.name(role, false).to_owned();
        Some(match self.graph().quantity(id)? {
            Quantity::Param(_) | Quantity::Threshold | Quantity::ResetPotential => {
                param(model.params.iter().position(|param| param.leaf == id)?)
            }
            Quantity::Flag(index) => interface.flag(index).to_owned(),
            Quantity::Input(index) => of(Role::Input(index)),
            Quantity::State(index) => of(Role::State(index)),
            Quantity::GradOutput => of(Role::GradOutput),
            Quantity::GradNext(index) => of(Role::GradNextState(index)),
            Quantity::GradSum(index) => of(Role::GradParam(index)),
            Quantity::Surrogate => factors.iter().find(|factor| factor.value == leaves.s_to_h)?.name.clone(),
            Quantity::Factor(index) => factors[index].name.clone(),
            Quantity::Fired => interface.fired().to_owned(),
            // These are words of the language, or reserved.
            Quantity::Charged => "h".to_owned(),
            Quantity::Spike => "spike".to_owned(),
            Quantity::GradCharged => "grad_h".to_owned(),
            Quantity::DetachReset => "detach_reset".to_owned(),
            Quantity::Slope(_) => self.graph().as_leaf(id)?.name.clone(),
            Quantity::Smooth(_) | Quantity::Held(_) | Quantity::Output | Quantity::Distance => return None,
        })
    }

    /// Storage.
    pub fn slot(&mut self, storage: &Storage) -> Slot {
        let local = storage.key.map(|key| self.value(key, "term"));
        let stem = match (&storage.stem, &local) {
            (Some(stem), _) => stem.clone(),
            (None, Some(local)) if storage.is_earlier => format!("{local}_before"),
            (None, Some(local)) => local.clone(),
            (None, None) => unreachable!("what is never read is named after its array"),
        };
        let mut claim = |kind| self.namespace.claim(&format!("{stem}_{kind}"));
        let [lanes, chunk, stage, sum] = ["lanes", "chunk", "stage", "sum"].map(&mut claim);
        Slot { local: local.unwrap_or_default(), lanes, chunk, stage, sum }
    }
}
