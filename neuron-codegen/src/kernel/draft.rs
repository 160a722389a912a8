//! What each kernel computes, before its expressions are arranged into statements.

use super::arrange::arrange;
use super::phases::{Phases, Request, applied, fired_of_spike};
use super::plan::{Define, Draft, Plan, Storage};
use super::{Apply, Carried, Program, SlotId, Subject};
use crate::gradient::{Derived, Grad};
use crate::interface::Role;
use crate::ir::{Cmp, Graph, Id, Node, Quantity, Rate, Sort};
use crate::model::{Leaves, Output};
use crate::variant::{Template, Variant};

/// The program of a forward kernel.
pub fn forward(derived: &mut Derived, variant: Variant) -> Program {
    let mut plan = Plan::new(derived, variant);
    let with_grad = variant.template.is_with_grad();
    let which = which_reset(derived, variant);
    let relax = |derived: &mut Derived, expr| if variant.relaxed { derived.relaxed(expr) } else { expr };
    let next: Vec<Id> = derived.next_states(which).into_iter().map(|expr| relax(derived, expr)).collect();
    let factors: Vec<(usize, Id)> = if with_grad { kept(derived, which) } else { Vec::new() };
    let factors: Vec<(usize, Id)> =
        factors.into_iter().map(|(index, expr)| (index, relax(derived, expr))).collect();
    let charge = relax(derived, derived.model.charge);

    plan.load_inputs(derived);
    let states: Vec<SlotId> = (0..next.len()).map(|state| plan.carry(derived, state)).collect();
    plan.equations.push((Subject::Charged, charge));
    let leaves = derived.model.leaves;
    let mut phases = Phases::new(Define { leaf: leaves.h, expr: charge });
    if let Some(spike) = derived.model.spike {
        let value = relax(derived, spike.value);
        phases.computed_spike(&mut derived.model.graph, &leaves, value);
        plan.equations.push((Subject::Spike, value));
    }
    match derived.model.output {
        Output::Spike { threshold, strict } => {
            let threshold = relax(derived, threshold);
            let spiking = Spiking::new(&mut derived.model.graph, &leaves, threshold, strict);
            // Spikes of one bit go to the same place in a step as others.
            let spike = plan.store(derived, Role::Output, Some(leaves.spike));
            if variant.relaxed {
                // The spike itself waits for its primitive.
                let apply = Apply::Primitive;
                phases.requests.push(Request { key: leaves.spike, slot: spike, of: spiking.above, apply });
            } else {
                plan.equations.push((Subject::Array(Role::Output), spiking.fires.expr));
                phases.defines.extend([spiking.fires, spiking.indicator]);
                phases.later.push(spiking.has_spiked);
                phases.writes.push((spike, leaves.spike));
            }
            if with_grad {
                let (role, key) = (surrogate(derived), derived.leaves.s_to_h);
                let slot = plan.store(derived, role, Some(key));
                phases.requests.push(Request { key, slot, of: spiking.above, apply: Apply::Surrogate });
            }
        }
        Output::Spikes => {
            let slot = plan.store(derived, Role::Output, Some(leaves.spike));
            phases.writes.push((slot, leaves.spike));
        }
        Output::Value(value) => {
            let value = relax(derived, value);
            plan.equations.push((Subject::Array(Role::Output), value));
            phases.writes.push((plan.store(derived, Role::Output, None), value));
        }
    }
    phases.writes.extend(states.iter().copied().zip(next.iter().copied()));
    for &(index, expr) in &factors {
        phases.writes.push((plan.store(derived, Role::Factor(index), None), expr));
    }
    if variant.template == Template::FpttWithV {
        phases.writes.push((plan.store(derived, Role::Trace, None), next[0]));
    }
    phases.request_others(&derived.model.graph, &mut plan);
    let states = next.iter().enumerate();
    plan.equations.extend(states.map(|(state, expr)| (Subject::Array(Role::NextState(state)), *expr)));
    plan.equations.extend(factors.iter().map(|&(index, expr)| (Subject::Array(Role::Factor(index)), expr)));
    plan.drafts = phases.drafts(&derived.model.graph);
    arrange(derived, plan)
}

/// The index of the reset among the model's.
fn which_reset(derived: &Derived, variant: Variant) -> usize {
    derived.model.resets.iter().position(|&r| Some(r) == variant.reset).expect("a declared reset")
}

/// The factors that are kept, by their places, but for the surrogate.
fn kept(derived: &Derived, which: usize) -> Vec<(usize, Id)> {
    let kept = derived.kept().enumerate().filter(|(_, factor)| factor.value != derived.leaves.s_to_h);
    kept.map(|(index, factor)| (index, factor.exprs[which])).collect()
}

/// What holds the surrogate of a neuron that fires.
fn surrogate(derived: &Derived) -> Role {
    let surrogate = derived.kept().position(|factor| factor.value == derived.leaves.s_to_h);
    Role::Factor(surrogate.expect("the neuron fires"))
}

/// What is computed of `h` and the threshold.
struct Spiking {
    /// Whether it fires.
    fires: Define,
    /// The same as a number, of `fired`.
    indicator: Define,
    /// Whether it fires, of `spike`.
    has_spiked: Define,
    /// The distance from the threshold.
    above: Id,
}

impl Spiking {
    fn new(g: &mut Graph, leaves: &Leaves, threshold: Id, strict: bool) -> Self {
        let (one, zero) = (g.num(1.0), g.num(0.0));
        let mut define = |leaf, node| Define { leaf, expr: g.add(node) };
        let compare = if strict { Cmp::Lt } else { Cmp::Le };
        Self {
            fires: define(leaves.fired, Node::Compare(compare, threshold, leaves.h)),
            indicator: define(leaves.spike, Node::Select(leaves.fired, one, zero)),
            has_spiked: define(leaves.fired, Node::Compare(Cmp::Ne, leaves.spike, zero)),
            above: g.add(Node::Sub(leaves.h, threshold)),
        }
    }
}

/// The program of a kernel that finds factors in memory.
pub fn backward(derived: &mut Derived, variant: Variant) -> Program {
    let mut plan = Plan::new(derived, variant);
    load_grad_output(derived, &mut plan);
    for (index, factor) in derived.kept().enumerate() {
        let slot = plan.of(derived, Role::Factor(index), Some(factor.value));
        plan.loads.push((slot, plan.buffer(Role::Factor(index))));
    }
    gradients(derived, &mut plan);
    arrange(derived, plan)
}

/// The program of a kernel that computes a block of steps again, and then its gradients.
pub fn recomputing(derived: &mut Derived, variant: Variant) -> Program {
    let mut plan = Plan::new(derived, variant);
    if derived.kept().next().is_none() {
        load_grad_output(derived, &mut plan);
        gradients(derived, &mut plan);
        return arrange(derived, plan);
    }
    let which = which_reset(derived, variant);
    let from = derived.recomputed();
    let leaves = derived.model.leaves;
    let charge = derived.model.charge;

    // The steps again, as far as factors are made of them.
    plan.load_inputs(derived);
    load_grad_output(derived, &mut plan);
    let mut first = Draft { defines: vec![Define { leaf: leaves.h, expr: charge }], ..Draft::default() };
    let mut again = Vec::new();
    plan.equations.push((Subject::Charged, charge));
    if let Some(threshold) = derived.model.threshold() {
        let g = &mut derived.model.graph;
        let strict = matches!(derived.model.output, Output::Spike { strict: true, .. });
        let Spiking { fires, indicator, has_spiked, above } = Spiking::new(g, &leaves, threshold, strict);
        // Where the threshold does not move, `h` says whether there was a spike.
        if g.rate(threshold) == Rate::Step {
            again.push(has_spiked);
        } else {
            again.extend([fires, indicator]);
        }
        first.defines.extend([fires, indicator]);
        plan.equations.push((Subject::Array(Role::Output), fires.expr));
        let role = surrogate(derived);
        let slot = plan.of(derived, role, Some(derived.leaves.s_to_h));
        first.writes.push((slot, above));
        first.apply.push((Apply::Surrogate, slot));
    }
    if let Some(spike) = derived.model.spike {
        let fired = fired_of_spike(&mut derived.model.graph, &leaves);
        first.defines.extend([Define { leaf: leaves.spike, expr: spike.value }, fired]);
        again.push(fired);
        plan.equations.push((Subject::Spike, spike.value));
    }
    let kept = kept(derived, which);
    for (leaf, distance) in applied(&derived.model.graph, kept.iter().map(|(_, expr)| *expr)) {
        let slot = plan.slot(Storage { key: Some(leaf), is_earlier: false, stem: None });
        first.writes.push((slot, distance));
        first.apply.push((Apply::Surrogate, slot));
    }
    let next = derived.next_states(which);
    for state in from.states {
        plan.equations.push((Subject::Array(Role::NextState(state)), next[state]));
        let slot = plan.carry(derived, state);
        first.writes.push((slot, next[state]));
    }
    for (index, expr) in kept {
        plan.equations.push((Subject::Array(Role::Factor(index)), expr));
        again.push(Define { leaf: derived.kept_factor(index).value, expr });
    }
    plan.drafts.push(first);
    gradients(derived, &mut plan);
    plan.drafts[1].defines.splice(0..0, again);
    arrange(derived, plan)
}

/// Loads what the loss changes with at once.
fn load_grad_output(derived: &Derived, plan: &mut Plan) {
    let slot = plan.of(derived, Role::GradOutput, Some(derived.leaves.output));
    plan.loads.push((slot, plan.buffer(Role::GradOutput)));
}

/// What every backward kernel does, given the factors.
fn gradients(derived: &mut Derived, plan: &mut Plan) {
    let grad_h = Define { leaf: derived.leaves.h, expr: derived.grad_h };
    let mut draft = Draft { is_backward: true, defines: vec![grad_h], ..Draft::default() };
    plan.equations.push((Subject::GradCharged, derived.grad_h));
    for &Grad { index, expr } in &derived.grad_inputs {
        plan.equations.push((Subject::Array(Role::GradInput(index)), expr));
        draft.writes.push((plan.store(derived, Role::GradInput(index), None), expr));
    }
    for Grad { index, expr } in derived.grad_states.clone() {
        // Between steps this is the gradient of the state that the later step started from: it enters a
        // step as the gradient of the state after it.
        let leaf = derived.grad_next(index);
        let slot = plan.of(derived, Role::GradState(index), Some(leaf));
        plan.equations.push((Subject::Array(Role::GradState(index)), expr));
        let (from, to) = (plan.find(Role::GradNextState(index)), plan.find(Role::GradState(index)));
        plan.carried.push(Carried { slot, from, to, checkpoints: None });
        draft.writes.push((slot, expr));
    }
    for Grad { index, expr } in derived.grad_params.clone() {
        // The sum over the steps; that over neurons is not the kernel's.
        let name = derived.interface.name(Role::GradParam(index), true).to_owned();
        let g = &mut derived.model.graph;
        let sum = g.leaf(Quantity::GradSum(index), &name, Sort::Real, Rate::Step);
        let total = g.sum(sum, expr);
        let slot = plan.of(derived, Role::GradParam(index), Some(sum));
        plan.equations.push((Subject::Array(Role::GradParam(index)), expr));
        let to = plan.find(Role::GradParam(index));
        plan.carried.push(Carried { slot, from: None, to, checkpoints: None });
        draft.writes.push((slot, total));
    }
    plan.drafts.push(draft);
}
