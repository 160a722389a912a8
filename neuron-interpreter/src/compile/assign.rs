//! Gives every register its number.

use neuron_codegen::kernel::SlotId;
use neuron_codegen::variant::STEPS;

use super::{Draft, Place, index};
use crate::code::{Code, Instruction};
use crate::formula::{Formulas, Value};

/// The code of `drafts`: what is the same for all lanes comes first, then slots, results on the way, and what outlasts a step
/// of a chunk.
pub fn assign(drafts: &[Draft], formulas: Formulas, slots: usize, temporaries: u32) -> Code {
    let mut broadcast: Vec<Value> = Vec::new();
    let mut chunks: Vec<SlotId> = Vec::new();
    for place in drafts.iter().flat_map(|draft| draft.from.into_iter().chain([draft.to])) {
        match place {
            Place::Uniform(value) if !broadcast.contains(&value) => broadcast.push(value),
            Place::Chunk(slot, _) if !chunks.contains(&slot) => chunks.push(slot),
            _ => {}
        }
    }
    let position = |found: Option<usize>| found.expect("collected above");
    let first_slot = broadcast.len();
    let first_temporary = first_slot + slots;
    let first_chunk = first_temporary + temporaries as usize;
    let register = |place: Place| match place {
        Place::Number(number) => number,
        Place::Uniform(value) => index(position(broadcast.iter().position(|it| *it == value))),
        Place::Slot(slot) => index(first_slot + slot.0),
        Place::Temporary(place) => index(first_temporary) + place,
        Place::Chunk(slot, step) => {
            index(first_chunk + STEPS * position(chunks.iter().position(|it| *it == slot)) + step)
        }
    };
    let instruction =
        |&Draft { op, to, from }: &Draft| Instruction { op, to: register(to), from: from.map(register) };
    Code {
        instructions: drafts.iter().map(instruction).collect(),
        registers: first_chunk + STEPS * chunks.len(),
        formulas,
        broadcast,
    }
}
