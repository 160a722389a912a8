//! How a step changes what is carried, where it is affine in that: what a scan over time is made from.

use std::collections::BTreeSet;

use super::lower::Lowering;
use super::{Carried, Phase, Program, SlotId};
use crate::derive::slope;
use crate::gradient::{Derived, Grad};
use crate::interface::Role;
use crate::ir::{Graph, Id};
use crate::variant::Template;

/// A step that is affine in what is carried.
#[derive(Clone, Debug)]
pub struct Affine {
    /// What is carried, except sums.
    pub carried: Vec<SlotId>,
    /// As much of the last phase as computes what is carried, and the slopes.
    pub phase: Phase,
    /// How what is carried changes with what was carried before: a row for each, over the names of the phase.
    pub slopes: Vec<Vec<Id>>,
}

/// The affine step of a sequence's kernel; `None` if it is not affine, or if sequences of that template are not scanned.
pub fn affine(derived: &mut Derived, program: &Program) -> Option<Affine> {
    let variant = program.variant;
    let is_scanned = matches!(variant.template, Template::Fptt | Template::LeanFptt | Template::LeanBptt);
    if variant.relaxed || !is_scanned {
        return None;
    }
    let which = derived.model.resets.iter().position(|&reset| Some(reset) == variant.reset)?;
    // A backward step is linear in any case. It is scanned if the forward step is.
    if derived.nonlinear(which).is_some() {
        return None;
    }
    let (next, before, within, value) = if variant.template.is_backward() {
        let grads = derived.grad_states.clone();
        let before: Vec<Id> = grads.iter().map(|&Grad { index, .. }| derived.grad_next(index)).collect();
        (grads.iter().map(|grad| grad.expr).collect(), before, derived.leaves.h, derived.grad_h)
    } else {
        let model = &derived.model;
        let before = model.states.iter().map(|state| state.leaf).collect();
        (derived.next_states(which), before, model.leaves.h, model.charge)
    };
    let slopes = slopes(&mut derived.model.graph, &next, &before, within, value);

    let last = program.phases.last()?;
    let is_backward = variant.template.is_backward();
    let slot_of = |index| {
        let role = if is_backward { Role::GradState(index) } else { Role::NextState(index) };
        let is_of = |carried: &&Carried| carried.to.and_then(|to| program.role(to)) == Some(role);
        program.carried.iter().find(is_of).map(|carried| carried.slot)
    };
    let carried: Vec<SlotId> = (0..next.len()).map(slot_of).collect::<Option<_>>()?;
    let written = |slot: &SlotId| last.writes.iter().find(|(written, _)| written == slot).copied();
    let writes = carried.iter().map(written).collect::<Option<Vec<_>>>()?;
    let phase = part(derived, program, last, writes, slopes.iter().flatten().copied());
    Some(Affine { carried, phase, slopes })
}

/// The derivatives of `next` with respect to `before`, as kernels compute them. `within` stands for `value` in `next`.
fn slopes(g: &mut Graph, next: &[Id], before: &[Id], within: Id, value: Id) -> Vec<Vec<Id>> {
    let mut lowering = Lowering::default();
    // Lowered first: a map is of the values that a kernel computes, whatever stands in for them in gradients.
    let value = lowering.of(g, value);
    let rows = next.iter().map(|&next| {
        let next = lowering.of(g, next);
        let next = g.replaced(next, within, value);
        let row = before.iter().map(|&before| {
            let slope = slope(g, next, before);
            lowering.of(g, slope)
        });
        row.collect()
    });
    rows.collect()
}

/// As much of `phase` as it takes to compute `writes` and the values `others`.
fn part(
    derived: &Derived,
    program: &Program,
    phase: &Phase,
    writes: Vec<(SlotId, Id)>,
    others: impl Iterator<Item = Id>,
) -> Phase {
    let g = &derived.model.graph;
    let mut names = phase.names.clone();
    let mut needed = BTreeSet::new();
    let mut arrays = Vec::new();
    let mut open: Vec<Id> = writes.iter().map(|(_, expr)| *expr).chain(others).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let Some(name) = names.get(&id) else {
            // A parameter that the phase itself uses only as part of what was computed of it before the first step.
            if let Some(slot) = program.array_of(&derived.model, id) {
                names.insert(id, program.slot(slot).local.clone());
                arrays.push(slot);
            }
            open.extend(g.node(id).operands());
            continue;
        };
        if needed.insert(name.clone())
            && let Some(binding) = phase.lets.iter().find(|binding| binding.name == *name)
        {
            open.extend(g.node(binding.expr).operands());
        }
    }
    let reads = phase.reads.iter().copied().filter(|slot| needed.contains(&program.slot(*slot).local));
    Phase {
        is_backward: phase.is_backward,
        reads: reads.chain(arrays).collect(),
        lets: phase.lets.iter().filter(|binding| needed.contains(&binding.name)).cloned().collect(),
        names,
        writes,
        apply: Vec::new(),
    }
}
