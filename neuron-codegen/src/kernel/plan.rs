//! What a kernel computes and where it is kept, before its expressions are arranged into statements.

use super::{Apply, BufferId, Carried, SlotId, Subject};
use crate::gradient::Derived;
use crate::interface::Role;
use crate::ir::Id;
use crate::variant::{Signature, Variant};

/// A leaf and what it stands for in a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Define {
    pub leaf: Id,
    pub expr: Id,
}

/// One phase before its expressions are arranged: leaves that it defines, then values that it stores.
#[derive(Debug, Default)]
pub struct Draft {
    pub is_backward: bool,
    pub defines: Vec<Define>,
    pub writes: Vec<(SlotId, Id)>,
    pub apply: Vec<(Apply, SlotId)>,
}

impl Draft {
    /// What the leaf stands for, if it is defined here.
    pub fn definition(&self, leaf: Id) -> Option<Id> {
        self.defines.iter().find(|define| define.leaf == leaf).map(|define| define.expr)
    }
}

/// A slot before it has its identifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// The value that reading it gives. What is only stored has none.
    pub key: Option<Id>,
    /// Whether it keeps the value of a state before the step.
    pub is_earlier: bool,
    /// What its identifiers begin with; unless given, the name of the value.
    pub stem: Option<String>,
}

/// What a program is arranged from.
pub struct Plan {
    pub variant: Variant,
    pub signature: Signature,
    pub slots: Vec<Storage>,
    pub carried: Vec<Carried>,
    pub loads: Vec<(SlotId, BufferId)>,
    pub arrays: Vec<(SlotId, BufferId)>,
    pub settled: Vec<SlotId>,
    pub drafts: Vec<Draft>,
    pub stores: Vec<(SlotId, BufferId)>,
    pub equations: Vec<(Subject, Id)>,
}

impl Plan {
    /// Of a kernel that nothing is known of yet but its arrays.
    pub fn new(derived: &Derived, variant: Variant) -> Self {
        Self {
            variant,
            signature: Signature::new(derived, variant.template),
            slots: Vec::new(),
            carried: Vec::new(),
            loads: Vec::new(),
            arrays: Vec::new(),
            settled: Vec::new(),
            drafts: Vec::new(),
            stores: Vec::new(),
            equations: Vec::new(),
        }
    }

    /// New storage.
    pub fn slot(&mut self, storage: Storage) -> SlotId {
        self.slots.push(storage);
        SlotId(self.slots.len() - 1)
    }

    /// New storage whose identifiers begin with `stem`.
    pub fn named(&mut self, key: Option<Id>, stem: &str) -> SlotId {
        self.slot(Storage { key, is_earlier: false, stem: Some(stem.to_owned()) })
    }

    /// Storage for what the array of that role has in one step.
    pub fn of(&mut self, derived: &Derived, role: Role, key: Option<Id>) -> SlotId {
        match role {
            Role::Factor(index) => self.named(key, &derived.kept_factor(index).name),
            role => self.named(key, derived.interface.name(role, false)),
        }
    }

    /// The array of that role, if the template has it.
    pub fn find(&self, role: Role) -> Option<BufferId> {
        self.signature.buffers().position(|buffer| buffer.role == role).map(BufferId)
    }

    /// The array of that role, which the template has.
    pub fn buffer(&self, role: Role) -> BufferId {
        self.find(role).expect("in the signature")
    }

    /// Loads the inputs that the template reads.
    pub fn load_inputs(&mut self, derived: &Derived) {
        for (index, input) in derived.model.inputs.iter().enumerate() {
            if let Some(buffer) = self.find(Role::Input(index)) {
                let slot = self.of(derived, Role::Input(index), Some(input.leaf));
                self.loads.push((slot, buffer));
            }
        }
    }

    /// Carries a state forward; returns where its next values go.
    pub fn carry(&mut self, derived: &Derived, state: usize) -> SlotId {
        let slot = self.of(derived, Role::State(state), Some(derived.model.states[state].leaf));
        let [from, to, checkpoints] =
            [Role::State(state), Role::NextState(state), Role::Checkpoint(state)].map(|role| self.find(role));
        self.carried.push(Carried { slot, from, to, checkpoints });
        slot
    }

    /// Stores in every step what goes to the array of that role; returns where to write it.
    pub fn store(&mut self, derived: &Derived, role: Role, key: Option<Id>) -> SlotId {
        let slot = self.of(derived, role, key);
        self.stores.push((slot, self.buffer(role)));
        slot
    }
}
