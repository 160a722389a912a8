//! Which register each result is in: that of the slot it is written to if it can be, else one that is free.

use std::collections::HashSet;

use neuron_codegen::kernel::SlotId;

use super::lanes::{Computation, Lanes, Operand};
use super::{Draft, Place};
use crate::code::Op;

/// The instructions of a phase. `temporaries` is the number of registers for results so far.
pub fn allocate(lanes: Lanes, temporaries: &mut u32) -> Vec<Draft> {
    let Lanes { computations, writes } = copied_first(lanes);
    let last_uses = last_uses(&computations, &writes);
    let slots = slots(&computations, &writes);
    let mut places: Vec<Place> = Vec::with_capacity(computations.len());
    let mut free: Vec<u32> = Vec::new();
    let mut used = 0;
    let mut drafts = Vec::with_capacity(computations.len());
    for (index, Computation { op, operands }) in computations.iter().enumerate() {
        let from: Vec<Place> = operands.iter().map(|operand| place(*operand, &places)).collect();
        // The result may be where an operand was.
        let mut freed: Vec<usize> = operands.iter().filter_map(|operand| operand.result()).collect();
        freed.sort_unstable();
        freed.dedup();
        for result in freed.into_iter().filter(|result| last_uses[*result] == index) {
            if let Place::Temporary(register) = places[result] {
                free.push(register);
            }
        }
        let to = match slots[index] {
            Some(slot) => Place::Slot(slot),
            None => Place::Temporary(free.pop().unwrap_or_else(|| {
                used += 1;
                used - 1
            })),
        };
        places.push(to);
        drafts.push(Draft::new(*op, to, &from));
    }
    *temporaries = used.max(*temporaries);
    for (slot, operand) in writes {
        let from = place(operand, &places);
        if from != Place::Slot(slot) {
            drafts.push(Draft::new(Op::Copy, Place::Slot(slot), &[from]));
        }
    }
    drafts
}

impl Operand {
    fn result(&self) -> Option<usize> {
        match self {
            Self::Result(place) => Some(*place),
            _ => None,
        }
    }
}

fn place(operand: Operand, places: &[Place]) -> Place {
    match operand {
        Operand::Uniform(value) => Place::Uniform(value),
        Operand::Slot(slot) => Place::Slot(slot),
        Operand::Result(result) => places[result],
    }
}

/// Slots are written one after the other. What another slot gets of one that is written, too, is copied before.
fn copied_first(lanes: Lanes) -> Lanes {
    let Lanes { mut computations, mut writes } = lanes;
    let written: HashSet<SlotId> = writes.iter().map(|(slot, _)| *slot).collect();
    let is_lost = |to: SlotId, operand: &Operand| match operand {
        Operand::Slot(from) => *from != to && written.contains(from),
        _ => false,
    };
    let lost = writes.iter().filter(|(to, operand)| is_lost(*to, operand)).map(|(_, operand)| *operand);
    let lost: Vec<Operand> = lost.collect();
    let later = |operand: &mut Operand| {
        if let Operand::Result(place) = operand {
            *place += lost.len();
        }
    };
    computations.iter_mut().flat_map(|computation| &mut computation.operands).for_each(later);
    for (to, operand) in &mut writes {
        later(operand);
        if is_lost(*to, operand)
            && let Some(place) = lost.iter().position(|it| it == operand)
        {
            *operand = Operand::Result(place);
        }
    }
    let copies = lost.iter().map(|operand| Computation { op: Op::Copy, operands: vec![*operand] });
    Lanes { computations: copies.chain(computations).collect(), writes }
}

/// The last computation that uses each result; those that are written are used to the end.
fn last_uses(computations: &[Computation], writes: &[(SlotId, Operand)]) -> Vec<usize> {
    let mut last = vec![0; computations.len()];
    for (index, computation) in computations.iter().enumerate() {
        computation.operands.iter().filter_map(Operand::result).for_each(|result| last[result] = index);
    }
    writes.iter().filter_map(|(_, operand)| operand.result()).for_each(|result| last[result] = usize::MAX);
    last
}

/// The slot that each result can be computed into: one that it is written to, and that is not read any more.
fn slots(computations: &[Computation], writes: &[(SlotId, Operand)]) -> Vec<Option<SlotId>> {
    let mut slots = vec![None; computations.len()];
    for &(slot, operand) in writes {
        let Operand::Result(result) = operand else { continue };
        let reads = |computation: &Computation| computation.operands.contains(&Operand::Slot(slot));
        if slots[result].is_none() && !computations[result + 1..].iter().any(reads) {
            slots[result] = Some(slot);
        }
    }
    slots
}
