//! From the values of a step to its statements, in passes that each make one decision:
//!
//! ```text
//! lower      powers and quotients become products
//! prune      definitions that nothing needs are dropped
//! hoist      what does not change over time is computed before the first step
//! hand over  what a later phase needs of an earlier one goes through a slot
//! order      values that are used several times are named, before they are used
//! name       everything that needs one gets an identifier
//! ```

use std::collections::HashMap;

use super::hand_over::{Scope, hand_over};
use super::hoist::{Invariants, hoist};
use super::lower::Lowering;
use super::name::{Hints, Names};
use super::order::order;
use super::plan::{Plan, Storage};
use super::prune::prune;
use super::{BufferId, Let, Phase, Program, Slot, SlotId};
use crate::gradient::Derived;
use crate::interface::Role;
use crate::ir::{Graph, Id, Sort};
use crate::model::ParamKind;
use crate::variant::Absent;

/// The program of what `plan` computes.
pub fn arrange(derived: &mut Derived, mut plan: Plan) -> Program {
    let mut lowering = Lowering::default();
    lower(&mut derived.model.graph, &mut plan, &mut lowering);
    let hints = Hints::new(derived, &mut lowering);
    prune(&derived.model.graph, &mut plan.drafts);
    let invariants = hoist(&derived.model.graph, roots(&plan), |id| hints.has(id));
    before_the_first_step(derived, &mut plan, &invariants);
    let scopes = hand_over(&derived.model.graph, &mut plan, &invariants);
    statements(derived, plan, &invariants, &scopes, &hints)
}

fn lower(g: &mut Graph, plan: &mut Plan, lowering: &mut Lowering) {
    for draft in &mut plan.drafts {
        draft.defines.iter_mut().for_each(|define| define.expr = lowering.of(g, define.expr));
        draft.writes.iter_mut().for_each(|(_, expr)| *expr = lowering.of(g, *expr));
    }
}

/// What the drafts compute.
fn roots(plan: &Plan) -> impl Iterator<Item = Id> {
    plan.drafts.iter().flat_map(|draft| {
        let defines = draft.defines.iter().map(|define| define.expr);
        defines.chain(draft.writes.iter().map(|(_, expr)| *expr))
    })
}

/// Storage for the parameter arrays that the kernel uses, and for what it computes of them.
fn before_the_first_step(derived: &Derived, plan: &mut Plan, invariants: &Invariants) {
    let g = &derived.model.graph;
    let reached = g.reach(roots(plan));
    for (index, param) in derived.model.params.iter().enumerate() {
        if param.kind != ParamKind::Scalar && reached.contains(&param.leaf) {
            let slot = plan.slot(Storage { key: Some(param.leaf), is_earlier: false, stem: None });
            let buffer = plan.find(Role::Param(index)).expect("every template has all parameters");
            plan.arrays.push((slot, buffer));
        }
    }
    // Conditions are not kept: lanes hold numbers.
    for &id in invariants.per_neuron.iter().filter(|id| g.sort(**id) == Sort::Real) {
        let slot = plan.slot(Storage { key: Some(id), is_earlier: false, stem: None });
        plan.settled.push(slot);
    }
}

fn statements(
    derived: &Derived,
    mut plan: Plan,
    invariants: &Invariants,
    scopes: &[Scope],
    hints: &Hints,
) -> Program {
    let g = &derived.model.graph;
    let mut names = Names::new(derived, hints);
    let arguments = arguments(&plan, &mut names);
    let initial = initial(&plan, &mut names);
    let mut before = parameters(derived, &names);
    let mut read: Vec<Id> = invariants.uniform.iter().chain(&invariants.per_neuron).copied().collect();
    let parameter_names = before.clone();
    let hoisted: Vec<Let> =
        invariants.uniform.iter().map(|&expr| Let { name: names.value(expr, "constant"), expr }).collect();
    before.extend(hoisted.iter().map(|binding| (binding.expr, binding.name.clone())));
    invariants.per_neuron.iter().for_each(|&expr| drop(names.value(expr, "constant")));
    let slots: Vec<Slot> = plan.slots.iter().map(|storage| names.slot(storage)).collect();

    let order_of_reads = order_of_reads(&plan);
    let drafts = std::mem::take(&mut plan.drafts);
    let mut phases: Vec<Phase> = Vec::new();
    for (draft, scope) in drafts.into_iter().zip(scopes) {
        read.extend(scope.needed.iter().copied());
        let reads = order_of_reads.iter().filter_map(|&slot| {
            let key = plan.slots[slot.0].key?;
            let is_read = scope.readable.get(&key) == Some(&slot) && scope.needed.contains(&key);
            is_read.then(|| (slot, key, slots[slot.0].local.clone()))
        });
        phases.push(order(g, draft, scope, &before, reads.collect(), hints, &mut names));
    }
    let (settled, settled_from) = settled(g, &plan, invariants, &phases, &mut names);
    let reached = g.reach(read);
    let model = &derived.model;
    let scalars = model.params.iter().enumerate().filter(|(_, param)| param.kind == ParamKind::Scalar);
    let scalars = scalars.map(|(index, param)| (param.leaf, derived.interface.param(index)));
    let flags = model.flags.iter().enumerate();
    let flags = flags.map(|(index, flag)| (flag.leaf, derived.interface.flag(index)));
    let used = scalars.chain(flags).filter(|(leaf, _)| reached.contains(leaf));
    Program {
        params: used.map(|(_, name)| name.to_owned()).collect(),
        detaches: reached.contains(&derived.leaves.detach_reset),
        names: parameter_names,
        variant: plan.variant,
        signature: plan.signature,
        arguments,
        initial,
        hoisted,
        arrays: plan.arrays,
        settled,
        settled_from,
        carried: plan.carried,
        loads: plan.loads,
        phases,
        stores: plan.stores,
        affine: None,
        slots,
        equations: plan.equations,
    }
}

fn arguments(plan: &Plan, names: &mut Names<'_>) -> Vec<String> {
    let inputs = plan.signature.inputs.iter().map(|buffer| (buffer, "in"));
    let outputs = plan.signature.outputs.iter().map(|buffer| (buffer, "out"));
    inputs.chain(outputs).map(|(buffer, direction)| names.argument(&buffer.name, direction)).collect()
}

/// Arguments for the initial values of states that are read from arrays.
fn initial(plan: &Plan, names: &mut Names<'_>) -> Vec<(BufferId, String)> {
    let buffers = plan.signature.buffers().enumerate();
    let states = buffers.filter(|(_, buffer)| matches!(buffer.role.absent(), Some(Absent::Initial(_))));
    states.map(|(id, buffer)| (BufferId(id), names.argument(&buffer.name, "initial"))).collect()
}

/// The names of parameters and flags that are the same for all neurons, and of `detach_reset`.
fn parameters(derived: &Derived, names: &Names<'_>) -> HashMap<Id, String> {
    let model = &derived.model;
    let scalars = model.params.iter().filter(|param| param.kind == ParamKind::Scalar);
    let leaves = scalars.map(|param| param.leaf).chain(model.flags.iter().map(|flag| flag.leaf));
    let leaves = leaves.chain([derived.leaves.detach_reset]);
    leaves.map(|leaf| (leaf, names.leaf(leaf).expect("a leaf"))).collect()
}

/// What is computed of parameter arrays before the first step, with the storage of what phases read, and the arrays
/// themselves. What only conditions are made of is not among it: conditions are computed again in each step.
#[expect(clippy::type_complexity, reason = "a pair of lists")]
fn settled(
    g: &Graph,
    plan: &Plan,
    invariants: &Invariants,
    phases: &[Phase],
    names: &mut Names<'_>,
) -> (Vec<(Option<SlotId>, Let)>, Vec<(Id, SlotId)>) {
    let is_read = |slot: &SlotId| phases.iter().any(|phase| phase.reads.contains(slot));
    let read: Vec<SlotId> = plan.settled.iter().copied().filter(is_read).collect();
    let slot_of = |id: Id| read.iter().copied().find(|slot| plan.slots[slot.0].key == Some(id));
    let reached = g.reach(read.iter().filter_map(|slot| plan.slots[slot.0].key));
    let settled = invariants.per_neuron.iter().filter(|id| reached.contains(id));
    let settled = settled.map(|&expr| (slot_of(expr), Let { name: names.value(expr, "constant"), expr }));
    let arrays = plan.arrays.iter().filter_map(|(slot, _)| Some((plan.slots[slot.0].key?, *slot)));
    let from = arrays.filter(|(leaf, _)| reached.contains(leaf));
    (settled.collect(), from.collect())
}

/// All slots, in the order in which phases read them: what comes from memory first, what is handed over last.
fn order_of_reads(plan: &Plan) -> Vec<SlotId> {
    let loads = plan.loads.iter().map(|(slot, _)| *slot);
    let carried = plan.carried.iter().map(|carried| carried.slot);
    let arrays = plan.arrays.iter().map(|(slot, _)| *slot);
    let mut all: Vec<SlotId> =
        loads.chain(carried).chain(arrays).chain(plan.settled.iter().copied()).collect();
    let others = (0..plan.slots.len()).map(SlotId).filter(|slot| !all.contains(slot)).collect::<Vec<_>>();
    all.extend(others);
    all
}
