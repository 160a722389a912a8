//! What one phase of a step leaves for the next ones.
//!
//! A phase computes what it writes from what it finds in slots, from its own definitions, from parameters and
//! invariants. What took an earlier phase a function or a division it finds in a slot, cheap values it computes
//! again. It finds there, too, what only the earlier phase could have: values of leaves defined there, and a state
//! that has been overwritten since.

use std::collections::{BTreeSet, HashMap};

use super::cost::calling;
use super::draft::{Draft, Plan, Storage};
use super::hoist::Invariants;
use super::{Carried, SlotId};
use crate::ir::{Graph, Id, Quantity, Rate, Sort};

/// What a phase computes and where it finds what it does not.
#[derive(Debug, Default)]
pub struct Scope {
    /// Values that it may find in slots.
    pub readable: HashMap<Id, SlotId>,
    /// All that it needs of expressions and leaves, down to what it reads.
    pub needed: BTreeSet<Id>,
}

/// Makes phases write what later ones need of them, and says what each of them computes.
pub fn hand_over(g: &Graph, plan: &mut Plan, invariants: &Invariants) -> Vec<Scope> {
    let mut scopes: Vec<Scope> =
        readable(plan).into_iter().map(|readable| Scope { readable, ..Scope::default() }).collect();
    for index in 0..scopes.len() {
        let (earlier, rest) = scopes.split_at_mut(index);
        let scope = &mut rest[0];
        let mut wanted = BTreeSet::new();
        let computed: BTreeSet<Id> = earlier.iter().flat_map(|scope| &scope.needed).copied().collect();
        let costly = calling(g, &g.reach(computed.iter().copied()));
        let mut walk = |scope: &mut Scope, draft: &Draft| {
            let mut open: Vec<Id> = draft.writes.iter().map(|(_, expr)| *expr).collect();
            while let Some(id) = open.pop() {
                if g.number(id).is_some() || invariants.uniform.contains(&id) || !scope.needed.insert(id) {
                    continue;
                }
                if scope.readable.contains_key(&id) {
                    continue;
                }
                if let Some(expr) = draft.definition(id) {
                    open.push(expr);
                } else if g.as_leaf(id).is_some() {
                    if g.rate(id) != Rate::Uniform {
                        wanted.insert(id);
                    }
                } else if costly.contains(&id) && computed.contains(&id) && g.sort(id) == Sort::Real {
                    wanted.insert(id);
                } else {
                    open.extend(g.node(id).operands());
                }
            }
        };
        walk(scope, &plan.drafts[index]);
        // Written before what a phase writes by itself, in the order in which they are computed.
        let mut written = vec![0; index];
        for id in wanted {
            let provides =
                |earlier: &Scope| earlier.needed.contains(&id) || earlier.readable.contains_key(&id);
            let from = (0..index).rev().find(|&from| provides(&earlier[from]));
            let from = from.expect("what is neither read nor defined was there before");
            let is_overwritten = matches!(g.quantity(id), Some(Quantity::State(_)));
            let slot = plan.slot(Storage { key: Some(id), is_earlier: is_overwritten, stem: None });
            plan.drafts[from].writes.insert(written[from], (slot, id));
            written[from] += 1;
            earlier[from].needed.insert(id);
            earlier[from + 1..].iter_mut().chain([&mut *scope]).for_each(|scope| {
                scope.readable.insert(id, slot);
            });
        }
    }
    scopes
}

/// What each phase may read: what was loaded, carried or computed before the first step and has not been overwritten
/// since, and what earlier phases write.
fn readable(plan: &Plan) -> Vec<HashMap<Id, SlotId>> {
    let carried = plan.carried.iter().map(|Carried { slot, .. }| *slot);
    let before: BTreeSet<SlotId> =
        plan.loads.iter().chain(&plan.arrays).map(|(slot, _)| *slot).chain(carried).collect();
    let settled = plan.settled.iter().copied();
    let mut now: HashMap<Id, SlotId> = before
        .iter()
        .copied()
        .chain(settled)
        .filter_map(|slot| Some((plan.slots[slot.0].key?, slot)))
        .collect();
    let mut all = Vec::new();
    for draft in &plan.drafts {
        all.push(now.clone());
        for (slot, _) in &draft.writes {
            let Some(key) = plan.slots[slot.0].key else { continue };
            if before.contains(slot) {
                now.remove(&key);
            } else {
                now.insert(key, *slot);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use crate::check::analyse;
    use crate::gradient::Derived;
    use crate::kernel::Program;
    use crate::model::Reset;
    use crate::variant::{Template, Variant};

    fn lean_bptt(declaration: &str) -> (Derived, Program) {
        let analysis = analyse(declaration.parse().unwrap());
        assert!(analysis.report.is_empty(), "{:?}", analysis.report);
        let mut derived = Derived::new(analysis.model.unwrap());
        let variant = Variant { template: Template::LeanBptt, reset: Some(Reset::Hard), relaxed: false };
        let program = Program::new(&mut derived, variant);
        (derived, program)
    }

    /// The slots that both phases know, by their lanes.
    fn handed(program: &Program) -> Vec<&str> {
        let [first, second] = &program.phases[..] else { panic!("two phases") };
        let written = first.writes.iter().map(|(slot, _)| *slot).filter(|slot| second.reads.contains(slot));
        written.map(|slot| program.slot(slot).lanes.as_str()).collect()
    }

    /// A derivative that is a part of the charge, as it is or in the middle of something.
    #[test]
    fn functions_are_computed_once() {
        for charge in ["v + tanh(v) * x", "v + (1.0 + tanh(v)) * x"] {
            let (_, program) = lean_bptt(&format!("struct A {{ charge = {charge}; reset hard; }}"));
            let handed = handed(&program);
            assert!(
                handed.iter().any(|name| name.contains("tanh") || name.contains("grad_h_to_x")),
                "{handed:?}"
            );
        }
    }

    /// What is cheap is computed again, of the state as it was before.
    #[test]
    fn states_are_those_before_the_step() {
        let (derived, program) = lean_bptt("struct A { charge = v + v * x; reset hard; }");
        assert!(handed(&program).contains(&"v_before_lanes"));
        let v = derived.model.states[0].leaf;
        let read = program.phases[1]
            .reads
            .iter()
            .find(|slot| program.phases[1].names[&v] == program.slot(**slot).local);
        assert_eq!(program.slot(*read.unwrap()).lanes, "v_before_lanes");
    }
}
