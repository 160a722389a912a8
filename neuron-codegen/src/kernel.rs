//! Step programs: what one kernel does, in every backend alike.
//!
//! A [`Program`] says what is loaded, computed and stored in a step, what is carried to the next, and what
//! does not change over the sequence and is computed once. The printers in [`crate::emit`] add the loop
//! over steps and neurons that suits their device, and make no decision about neurons, resets or gradients.

mod arrange;
pub(crate) mod cost;
mod draft;

use std::collections::{BTreeSet, HashMap};

use crate::gradient::Derived;
use crate::ir::{Graph, Id};
use crate::variant::{Signature, Template, Variant};

/// A named value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Let {
    /// Its name from here on.
    pub name: String,
    /// Its value.
    pub expr: Id,
}

/// A value in the middle of a step that comes from or goes to memory, or from one phase to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The name of its storage.
    pub name: String,
    /// The name under which expressions read it.
    pub local: String,
}

/// A quantity carried from step to step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// Its storage.
    pub slot: Slot,
    /// The buffer it is read from before the first step; without one it begins at 0.
    pub from: Option<String>,
    /// The buffer it is written to after the last step, if it is.
    pub to: Option<String>,
    /// The buffer that has its value before every [`STEPS`](crate::variant::STEPS)th step: a forward kernel writes
    /// it there, a backward kernel reads it.
    pub checkpoints: Option<String>,
}

/// What is applied to a slot between two phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apply {
    /// The surrogate gradient, of `h - threshold`.
    Surrogate,
    /// Its primitive: the spike of the relaxed model.
    Primitive,
}

impl Apply {
    /// The runtime's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Surrogate => "surrogate",
            Self::Primitive => "primitive",
        }
    }
}

/// A part of a step without a call of the surrogate.
#[derive(Clone, Debug, Default)]
pub struct Phase {
    /// Whether it takes the steps from the last to the first.
    pub is_backward: bool,
    /// What it reads from slots, in order.
    pub reads: Vec<Slot>,
    /// Values named on the way.
    pub lets: Vec<Let>,
    /// What it stores in slots.
    pub writes: Vec<(Slot, Id)>,
    /// What is applied to which slot after it.
    pub apply: Vec<(Apply, Slot)>,
    /// The names in scope, by their values.
    pub names: HashMap<Id, String>,
}

/// What one kernel does.
#[derive(Clone, Debug)]
pub struct Program {
    /// Which kernel.
    pub variant: Variant,
    /// Its arrays.
    pub signature: Signature,
    /// Parameters and flags that it reads, in order of declaration.
    pub params: Vec<String>,
    /// Whether it reads `detach_reset`.
    pub detaches: bool,
    /// Values that are the same for all neurons and steps, computed before the first step.
    pub hoisted: Vec<Let>,
    /// Parameters that may differ between neurons, read before the first step: slot and buffer.
    pub arrays: Vec<(Slot, String)>,
    /// Values that differ between neurons only, computed before the first step from these.
    pub settled: Vec<Let>,
    /// Carried from step to step.
    pub carried: Vec<Carried>,
    /// Loaded in each step: slot and buffer.
    pub loads: Vec<(Slot, String)>,
    /// The step.
    pub phases: Vec<Phase>,
    /// Stored in each step: slot and buffer.
    pub stores: Vec<(Slot, String)>,
    /// What is computed, for the comment above the kernel.
    pub equations: Vec<(String, Id)>,
}

impl Program {
    /// The program of one kernel.
    pub fn new(derived: &mut Derived, variant: Variant) -> Self {
        match variant.template {
            Template::LeanBptt => draft::recomputing(derived, variant),
            Template::Backward | Template::Bptt => draft::backward(derived, variant),
            _ => draft::forward(derived, variant),
        }
    }

    /// What is added up over the steps, from 0.
    pub fn sums(&self) -> impl Iterator<Item = &str> {
        self.carried.iter().filter(|carried| carried.from.is_none()).map(|carried| carried.slot.name.as_str())
    }

    /// Whether `slot` is carried from step to step.
    pub fn is_carried(&self, slot: &Slot) -> bool {
        self.carried.iter().any(|carried| carried.slot == *slot)
    }

    /// The parameter arrays that settled values are computed from.
    pub fn settled_from<'a>(&'a self, graph: &Graph) -> Vec<&'a Slot> {
        let reached = graph.reach(self.settled.iter().map(|binding| binding.expr));
        let leaves: BTreeSet<&str> =
            reached.into_iter().filter_map(|id| graph.as_leaf(id)).map(|leaf| leaf.name.as_str()).collect();
        let slots = self.arrays.iter().map(|(slot, _)| slot);
        slots.filter(|slot| leaves.contains(slot.local.as_str())).collect()
    }

    /// The phases that take the steps in one direction.
    pub fn pass(&self, is_backward: bool) -> impl Iterator<Item = &Phase> {
        self.phases.iter().filter(move |phase| phase.is_backward == is_backward)
    }

    /// Whether it goes forward through a block of steps and then back.
    pub fn turns(&self) -> bool {
        self.pass(false).next().is_some() && self.pass(true).next().is_some()
    }

    /// Whether `slot` is written on the way forward and read on the way back.
    pub fn outlasts(&self, slot: &Slot) -> bool {
        self.pass(false).any(|phase| phase.writes.iter().any(|(written, _)| written == slot))
            && self.pass(true).any(|phase| phase.reads.contains(slot))
    }

    /// Values that a kernel keeps in arrays of its own: those that phases write, but for what is carried.
    pub fn kept(&self) -> impl Iterator<Item = &Slot> {
        let writes = self.phases.iter().flat_map(|phase| &phase.writes).map(|(slot, _)| slot);
        let mut seen = BTreeSet::new();
        writes.filter(move |slot| !self.is_carried(slot) && seen.insert(slot.name.as_str()))
    }

    /// Whether `slot` has its value before the first step and keeps it.
    pub fn is_settled(&self, slot: &Slot) -> bool {
        self.arrays.iter().any(|(array, _)| array == slot)
            || self.settled.iter().any(|binding| binding.name == slot.name)
    }
}

impl Phase {
    /// Whether it reads or writes `slot`.
    pub fn touches(&self, slot: &Slot) -> bool {
        self.reads.contains(slot) || self.writes.iter().any(|(written, _)| written == slot)
    }
}

impl Slot {
    fn new(name: &str, local: &str) -> Self {
        Self { name: name.to_owned(), local: local.to_owned() }
    }

    fn same(name: &str) -> Self {
        Self::new(name, name)
    }
}

/// All kernels of a neuron.
pub fn programs(derived: &mut Derived) -> Vec<Program> {
    Variant::all(&derived.model).into_iter().map(|variant| Program::new(derived, variant)).collect()
}
