//! Step programs: what one kernel does, in every backend alike.
//!
//! A [`Program`] says what is loaded, computed and stored in a step, what is carried to the next, and what
//! does not change over the sequence and is computed once. The printers in [`crate::emit`] add the loop
//! over steps and neurons that suits their device, and make no decision about neurons, resets or gradients.
//!
//! Values are identified by their expressions and storage by [`SlotId`]s; identifiers are given to them at the end.

mod affine;
mod arrange;
pub(crate) mod cost;
mod draft;
mod hand_over;
mod hoist;
pub mod lower;
mod name;
mod order;
mod phases;
mod plan;
mod prune;
mod validate;

use std::collections::{BTreeSet, HashMap};

use crate::gradient::Derived;
use crate::interface::Role;
use crate::ir::Id;
use crate::model::Model;
use crate::variant::{Extent, Signature, Template, Variant};

pub use affine::Affine;

/// An array of the signature: its place among those read and then those written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferId(pub usize);

/// A [`Slot`] of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId(pub usize);

/// A named value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Let {
    /// Its identifier from here on.
    pub name: String,
    /// Its value.
    pub expr: Id,
}

/// Storage for a value in the middle of a step that comes from or goes to memory, or from one phase to the next.
/// These are identifiers, all different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Under which expressions read its value, if they do.
    pub local: String,
    /// Its array of one value a lane.
    pub lanes: String,
    /// Its array of one value a step and lane.
    pub chunk: String,
    /// Its stage, on a GPU.
    pub stage: String,
    /// Its sums over neurons, on a GPU.
    pub sum: String,
}

/// A quantity carried from step to step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// Its storage.
    pub slot: SlotId,
    /// The buffer it is read from before the first step; without one it begins at 0.
    pub from: Option<BufferId>,
    /// The buffer it is written to after the last step, if it is.
    pub to: Option<BufferId>,
    /// The buffer that has its value before every [`STEPS`](crate::variant::STEPS)th step: a forward kernel writes
    /// it there, a backward kernel reads it.
    pub checkpoints: Option<BufferId>,
}

/// What is applied to a slot between two phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apply {
    /// The surrogate gradient, of `h - threshold`.
    Surrogate,
    /// Its primitive: the spike of the relaxed model.
    Primitive,
    /// The identity, except while differences are taken: see the runtime's `TileGradient::hold`.
    Hold,
}

impl Apply {
    /// The runtime's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Surrogate => "surrogate",
            Self::Primitive => "primitive",
            Self::Hold => "hold",
        }
    }
}

/// A part of a step without a call of the surrogate.
#[derive(Clone, Debug, Default)]
pub struct Phase {
    /// Whether it takes the steps from the last to the first.
    pub is_backward: bool,
    /// What it reads from slots, in order.
    pub reads: Vec<SlotId>,
    /// Values named on the way. Each uses names of values before it only.
    pub lets: Vec<Let>,
    /// What it stores in slots.
    pub writes: Vec<(SlotId, Id)>,
    /// What is applied to which slot after it.
    pub apply: Vec<(Apply, SlotId)>,
    /// The identifiers in scope, by their values.
    pub names: HashMap<Id, String>,
}

/// What an equation above a kernel is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// `h`
    Charged,
    /// `spike`, where a declaration says how it is computed.
    Spike,
    /// `grad_h`
    GradCharged,
    /// What an array holds, in one step.
    Array(Role),
}

/// What one kernel does.
#[derive(Clone, Debug)]
pub struct Program {
    /// Which kernel.
    pub variant: Variant,
    /// Its arrays.
    pub signature: Signature,
    /// The identifiers of its arrays where they are arguments of a CUDA kernel, by [`BufferId`].
    pub arguments: Vec<String>,
    /// The identifiers of the arguments at which states start whose arrays a call leaves out.
    pub initial: Vec<(BufferId, String)>,
    /// Parameters and flags that it reads, in order of declaration.
    pub params: Vec<String>,
    /// Whether it reads `detach_reset`.
    pub detaches: bool,
    /// The identifiers of parameters and flags, and of `detach_reset`.
    pub names: HashMap<Id, String>,
    /// Values that are the same for all neurons and steps, computed before the first step.
    pub hoisted: Vec<Let>,
    /// Parameters that may differ between neurons, read before the first step.
    pub arrays: Vec<(SlotId, BufferId)>,
    /// Values that differ between neurons only, computed before the first step from these. Conditions are not kept for the
    /// steps, since lanes hold numbers.
    pub settled: Vec<(Option<SlotId>, Let)>,
    /// The parameter arrays that settled values are computed from, by their leaves.
    pub settled_from: Vec<(Id, SlotId)>,
    /// Carried from step to step.
    pub carried: Vec<Carried>,
    /// Loaded in each step.
    pub loads: Vec<(SlotId, BufferId)>,
    /// The step.
    pub phases: Vec<Phase>,
    /// Stored in each step.
    pub stores: Vec<(SlotId, BufferId)>,
    /// All storage, by [`SlotId`].
    pub slots: Vec<Slot>,
    /// Its step, if a kernel may scan the sequence instead of taking one step after the other.
    pub affine: Option<Affine>,
    /// What is computed, for the comment above the kernel.
    pub equations: Vec<(Subject, Id)>,
}

impl Program {
    /// The program of one kernel.
    pub fn new(derived: &mut Derived, variant: Variant) -> Self {
        let program = match variant.template {
            Template::LeanBptt => draft::recomputing(derived, variant),
            Template::Backward | Template::Bptt => draft::backward(derived, variant),
            _ => draft::forward(derived, variant),
        };
        let affine = affine::affine(derived, &program);
        let program = Self { affine, ..program };
        debug_assert_eq!(
            validate::validate(&derived.model.graph, &program),
            Ok(()),
            "{}",
            derived.model.name
        );
        program
    }

    /// The storage `id`.
    pub fn slot(&self, id: SlotId) -> &Slot {
        &self.slots[id.0]
    }

    /// The name that the array `id` has in interfaces.
    pub fn buffer(&self, id: BufferId) -> &str {
        &self.signature.buffers().nth(id.0).expect("a buffer of this signature").name
    }

    /// What the array `id` holds.
    fn role(&self, id: BufferId) -> Option<Role> {
        self.signature.buffers().nth(id.0).map(|buffer| buffer.role)
    }

    /// The storage of the parameter array that the leaf `id` stands for, if it is one.
    fn array_of(&self, model: &Model, id: Id) -> Option<SlotId> {
        let is_it = |buffer: &BufferId| match self.role(*buffer) {
            Some(Role::Param(index)) => model.params[index].leaf == id,
            _ => false,
        };
        self.arrays.iter().find(|(_, buffer)| is_it(buffer)).map(|(slot, _)| *slot)
    }

    /// The name that the array `id` has as an argument of a CUDA kernel.
    pub fn argument(&self, id: BufferId) -> &str {
        &self.arguments[id.0]
    }

    /// Whether it returns gradients of parameters.
    pub fn adds_up(&self) -> bool {
        self.signature.sums().next().is_some()
    }

    /// Whether the array `id` is the gradient of a parameter.
    pub fn is_sum(&self, id: BufferId) -> bool {
        self.signature.buffers().nth(id.0).is_some_and(|buffer| buffer.extent == Extent::Parameter)
    }

    /// Whether `slot` is carried from step to step.
    pub fn is_carried(&self, slot: SlotId) -> bool {
        self.carried.iter().any(|carried| carried.slot == slot)
    }

    /// The phases that take the steps in one direction.
    pub fn pass(&self, is_backward: bool) -> impl Iterator<Item = &Phase> {
        self.phases.iter().filter(move |phase| phase.is_backward == is_backward)
    }

    /// Whether it goes forward through a chunk of steps and then back.
    pub fn turns(&self) -> bool {
        self.pass(false).next().is_some() && self.pass(true).next().is_some()
    }

    /// Whether `slot` is written on the way forward and read on the way back.
    pub fn outlasts(&self, slot: SlotId) -> bool {
        self.pass(false).any(|phase| phase.writes.iter().any(|(written, _)| *written == slot))
            && self.pass(true).any(|phase| phase.reads.contains(&slot))
    }

    /// Values that a kernel keeps in arrays of its own: those that phases write, but for what is carried.
    pub fn kept(&self) -> impl Iterator<Item = SlotId> {
        let writes = self.phases.iter().flat_map(|phase| &phase.writes).map(|(slot, _)| *slot);
        let mut seen = BTreeSet::new();
        writes.filter(move |&slot| !self.is_carried(slot) && seen.insert(slot))
    }

    /// Whether `slot` is written to memory in each step.
    pub fn is_stored(&self, slot: SlotId) -> bool {
        self.stores.iter().any(|(stored, _)| *stored == slot)
    }

    /// What the last phase has in common with memory and the phases before it: what it reads of them, and what is stored.
    pub fn around_last_phase(&self) -> Vec<SlotId> {
        let loads = self.loads.iter().map(|(slot, _)| *slot);
        let stores = self.stores.iter().map(|(slot, _)| *slot);
        let kept = self.kept().filter(|slot| !self.is_stored(*slot));
        let reads = |slot: &SlotId| self.phases.last().is_some_and(|phase| phase.reads.contains(slot));
        loads.chain(kept).filter(reads).chain(stores).collect()
    }

    /// Whether `slot` has its value before the first step and keeps it.
    pub fn is_settled(&self, slot: SlotId) -> bool {
        self.arrays.iter().any(|(array, _)| *array == slot)
            || self.settled.iter().any(|(settled, _)| *settled == Some(slot))
    }
}

impl Phase {
    /// Whether it reads or writes `slot`.
    pub fn touches(&self, slot: SlotId) -> bool {
        self.reads.contains(&slot) || self.writes.iter().any(|(written, _)| *written == slot)
    }
}

/// All kernels of a neuron.
pub fn programs(derived: &mut Derived) -> Vec<Program> {
    Variant::all(&derived.model).into_iter().map(|variant| Program::new(derived, variant)).collect()
}
