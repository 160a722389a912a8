//! Kernels for few neurons over many steps, where latency dominates: of memory, and of each step, which waits for the one before.
//!
//! Warps are specialised. A block computes as many neurons as a warp has threads. One of its warps takes the steps, one after
//! the other; each of the others has a chunk of steps, which it loads and stores, and of which it computes what depends on no other
//! chunk. They exchange groups of chunks through shared memory: while one group is stepped through, the next is prepared.

use super::{Blocks, Form, Group, Schedule, Staging, Sums, TURN, Target, Width, turn_registers};
use crate::kernel::{Program, SlotId};
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
        let shared = program.around_last_phase();
        // A warp holds its chunk of the next group in registers, of which the threads of half a group have more each.
        let waiting = shared.iter().filter(|slot| !program.is_stored(**slot)).count();
        let fits = |group: &Group| shared.len() * group.bytes() <= target.shared;
        let groups = if waiting <= WAITING { &[Group::Whole, Group::Half][..] } else { &[Group::Half] };
        let group = groups.iter().copied().find(fits)?;
        // Forward kernels need few registers anyway, and the compiler schedules their steps worse under a bound.
        let is_tight = template == Template::LeanBptt && turn_registers(&program.signature) <= TURN;
        let blocks = if is_tight { Blocks::Four } else { Blocks::Any };
        Some(Self {
            form: Form::Groups,
            width: Width::One,
            blocks,
            staging: Staging::Group(group),
            sums: Sums::Registers,
        })
    }
}

/// Whether one phase takes the steps, and those before it can be computed for each chunk by itself: from checkpoints.
fn is_split(program: &Program) -> bool {
    let Some((last, before)) = program.phases.split_last() else { return false };
    let is_backward = program.variant.template.is_backward();
    let is_out = |(slot, _): &(SlotId, _)| program.is_carried(*slot) || program.is_stored(*slot);
    last.is_backward == is_backward
        && last.apply.is_empty()
        && last.writes.iter().all(is_out)
        && before.iter().all(|phase| is_backward && !phase.is_backward)
}

/// Arrays of a chunk that fit into the registers of a thread in a whole group, besides what it computes with.
const WAITING: usize = 3;
