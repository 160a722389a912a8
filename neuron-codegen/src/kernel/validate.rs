//! What must hold of every program, so that its text is a program too.

use std::collections::{BTreeSet, HashSet};

use super::{Phase, Program, SlotId};
use crate::ir::{Graph, Id};

/// Checks that every value is named before it is used and once, that what is read was written and is what is meant, and
/// that everything that goes to memory is computed.
///
/// # Errors
/// What is wrong, for whoever changes a pass.
pub fn validate(g: &Graph, program: &Program) -> Result<(), String> {
    identifiers(program)?;
    let before: BTreeSet<SlotId> = (program.loads.iter().chain(&program.arrays).map(|(slot, _)| *slot))
        .chain(program.carried.iter().map(|carried| carried.slot))
        .chain(program.settled.iter().filter_map(|(slot, _)| *slot))
        .collect();
    let mut there = before.clone();
    for phase in &program.phases {
        for slot in &phase.reads {
            if !there.contains(slot) {
                return Err(format!("`{}` is read before it is written", program.slot(*slot).lanes));
            }
        }
        statements(g, program, phase, &[])?;
        for (slot, _) in &phase.writes {
            // What is carried has the value after the step now, which no expression of this step means.
            if before.contains(slot) {
                there.remove(slot)
            } else {
                there.insert(*slot)
            };
        }
    }
    if let Some(affine) = &program.affine {
        statements(g, program, &affine.phase, &affine.slopes.concat())?;
    }
    let written: BTreeSet<SlotId> =
        program.phases.iter().flat_map(|phase| &phase.writes).map(|(slot, _)| *slot).collect();
    for (slot, buffer) in &program.stores {
        if !written.contains(slot) {
            return Err(format!("`{}` is stored but not computed", program.buffer(*buffer)));
        }
    }
    let to: BTreeSet<usize> = (program.stores.iter().map(|(_, buffer)| buffer.0))
        .chain(program.carried.iter().filter_map(|carried| carried.to).map(|buffer| buffer.0))
        .chain(program.carried.iter().filter_map(|carried| carried.checkpoints).map(|buffer| buffer.0))
        .collect();
    let inputs = program.signature.inputs.len();
    for (index, buffer) in program.signature.outputs.iter().enumerate() {
        if !to.contains(&(inputs + index)) {
            return Err(format!("nothing is written to `{}`", buffer.name));
        }
    }
    Ok(())
}

/// Identifiers of storage and arguments are different from each other and from those of values.
fn identifiers(program: &Program) -> Result<(), String> {
    let storage = program.slots.iter().flat_map(|slot| [&slot.lanes, &slot.chunk, &slot.stage]);
    let values = program.phases.iter().flat_map(|phase| phase.names.values()).collect::<HashSet<_>>();
    let mut seen = HashSet::new();
    let initial = program.initial.iter().map(|(_, name)| name);
    for name in storage.chain(&program.arguments).chain(initial) {
        if values.contains(name) || !seen.insert(name) {
            return Err(format!("`{name}` is the name of two things"));
        }
    }
    Ok(())
}

/// Checks what `phase` computes, and the values `others`, which are made of its names.
fn statements(g: &Graph, program: &Program, phase: &Phase, others: &[Id]) -> Result<(), String> {
    let mut bound: HashSet<&str> = program.names.values().map(String::as_str).collect();
    bound.extend(program.hoisted.iter().map(|binding| binding.name.as_str()));
    for slot in &phase.reads {
        let local = program.slot(*slot).local.as_str();
        if !bound.insert(local) {
            return Err(format!("`{local}` is read twice"));
        }
    }
    let mut done = BTreeSet::new();
    for binding in &phase.lets {
        for operand in g.node(binding.expr).operands() {
            written_out(g, phase, &bound, &mut done, operand)?;
        }
        if !bound.insert(&binding.name) {
            return Err(format!("`{}` is named twice", binding.name));
        }
    }
    let mut exprs = phase.writes.iter().map(|(_, expr)| expr).chain(others);
    exprs.try_for_each(|expr| written_out(g, phase, &bound, &mut done, *expr))
}

/// Whether `id` can be written here: by its name, or by its operands.
fn written_out(
    g: &Graph,
    phase: &Phase,
    bound: &HashSet<&str>,
    done: &mut BTreeSet<Id>,
    id: Id,
) -> Result<(), String> {
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        match phase.names.get(&id) {
            Some(name) if bound.contains(name.as_str()) => {}
            Some(name) => return Err(format!("`{name}` is used before it is defined")),
            None if g.as_leaf(id).is_some() => {
                return Err(format!("the leaf `{}` has no name", crate::print::dsl(g, id)));
            }
            None if done.insert(id) => open.extend(g.node(id).operands()),
            None => {}
        }
    }
    Ok(())
}
