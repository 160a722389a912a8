//! Kernels for few neurons over many steps, in which waiting takes the time: for memory, and for the step before.
//!
//! A block computes as many neurons as a warp has threads. One of its warps takes the steps, one after the other; what is
//! loaded, stored or computed for a chunk of steps without regard to the other chunks is the task of another warp. They
//! exchange groups of chunks through shared memory, and each works on a group while the other works on the one before.

use super::{Blocks, Form, Group, Schedule, Staging, TURN, Target, Width, turn_registers};
use crate::kernel::{Phase, Program, SlotId};
use crate::variant::Template;

impl Schedule {
    /// Of a program's second kernel, for few neurons; `None` if it has none.
    ///
    /// Inference over a sequence and the recompute pair have one: sequences are long where they are computed in one call.
    pub fn few(program: &Program, target: Target) -> Option<Self> {
        let template = program.variant.template;
        let is_sequence = matches!(template, Template::Fptt | Template::LeanFptt | Template::LeanBptt);
        if program.variant.relaxed || !is_sequence || !is_split(program) {
            return None;
        }
        let shared = shared(program);
        // What a warp computes of the next group waits in its registers, of which half a group leaves each more.
        let waiting = shared.iter().filter(|slot| !is_stored(program, **slot)).count();
        let fits = |group: &Group| shared.len() * group.bytes() <= target.shared;
        let groups = if waiting <= WAITING { &[Group::Whole, Group::Half][..] } else { &[Group::Half] };
        let group = groups.iter().copied().find(fits)?;
        // Forward few registers are used, and told so the compiler arranges the steps worse.
        let is_tight = template == Template::LeanBptt && turn_registers(&program.signature) <= TURN;
        let blocks = if is_tight { Blocks::Four } else { Blocks::Any };
        Some(Self { form: Form::Groups, width: Width::One, blocks, staging: Staging::Group(group) })
    }
}

/// Whether one phase takes the steps, and those before it can be computed for each chunk by itself: from checkpoints.
fn is_split(program: &Program) -> bool {
    let Some((last, before)) = program.phases.split_last() else { return false };
    let is_backward = program.variant.template.is_backward();
    let is_out = |(slot, _): &(SlotId, _)| program.is_carried(*slot) || is_stored(program, *slot);
    last.is_backward == is_backward
        && last.apply.is_empty()
        && last.writes.iter().all(is_out)
        && before.iter().all(|phase| is_backward && !phase.is_backward)
}

/// Arrays of a chunk for which the registers of a whole group's threads suffice, besides what they compute with.
const WAITING: usize = 3;

/// Whether `slot` is written to memory in each step.
pub fn is_stored(program: &Program, slot: SlotId) -> bool {
    program.stores.iter().any(|(stored, _)| *stored == slot)
}

/// What the warps exchange: what the last phase reads of other phases or of memory, and what is stored.
pub fn shared(program: &Program) -> Vec<SlotId> {
    let loads = program.loads.iter().map(|(slot, _)| *slot);
    let stores = program.stores.iter().map(|(slot, _)| *slot);
    let reads = |slot: &SlotId| program.phases.last().is_some_and(|phase: &Phase| phase.reads.contains(slot));
    let kept = program.kept().filter(|slot| !is_stored(program, *slot));
    loads.chain(kept).filter(reads).chain(stores).collect()
}
