//! What one phase of a step leaves for the next ones.
//!
//! A phase computes what it writes from what it finds in slots, from its own definitions, from parameters and
//! invariants. What took an earlier phase a function or a division it finds in a slot, cheap values it computes
//! again. It finds there, too, what only the earlier phase could have: values of leaves defined there, and a state
//! that has been overwritten since.

use std::collections::{BTreeSet, HashMap};

use super::cost::calling;
use super::hoist::Invariants;
use super::plan::{Plan, Storage};
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
    let scopes = readable(plan).into_iter().map(|readable| Scope { readable, ..Scope::default() }).collect();
    let mut work = HandOver { g, plan, invariants, scopes, handed: Vec::new() };
    for phase in 0..work.scopes.len() {
        work.handed.push(0);
        let roots = work.plan.drafts[phase].writes.iter().map(|(_, expr)| *expr).collect();
        work.need(phase, roots);
    }
    work.scopes
}

struct HandOver<'a> {
    g: &'a Graph,
    plan: &'a mut Plan,
    invariants: &'a Invariants,
    scopes: Vec<Scope>,
    /// How many of what each phase writes it writes for later ones.
    handed: Vec<usize>,
}

impl HandOver<'_> {
    /// Sees to it that `phase` can compute `roots`.
    fn need(&mut self, phase: usize, roots: Vec<Id>) {
        for id in self.walk(phase, roots) {
            let provides = |earlier: &usize| {
                let scope = &self.scopes[*earlier];
                scope.needed.contains(&id)
                    || scope.readable.contains_key(&id)
                    || self.plan.drafts[*earlier].definition(id).is_some()
            };
            let from = (0..phase).rev().find(provides);
            let from = from.expect("what is neither read nor defined was there before");
            let is_earlier = matches!(self.g.quantity(id), Some(Quantity::State(_)));
            let slot = self.plan.slot(Storage { key: Some(id), is_earlier, stem: None });
            // Before what the phase writes by itself, in the order in which it is asked for.
            self.plan.drafts[from].writes.insert(self.handed[from], (slot, id));
            self.handed[from] += 1;
            for later in &mut self.scopes[from + 1..] {
                later.readable.insert(id, slot);
            }
            // A definition that nothing else there needs may need more itself.
            self.need(from, vec![id]);
        }
    }

    /// Notes all that `phase` needs for `roots`; returns what of that earlier phases have.
    fn walk(&mut self, phase: usize, roots: Vec<Id>) -> BTreeSet<Id> {
        let (earlier, rest) = self.scopes.split_at_mut(phase);
        let scope = &mut rest[0];
        let computed: BTreeSet<Id> = earlier.iter().flat_map(|scope| &scope.needed).copied().collect();
        let costly = calling(self.g, &self.g.reach(computed.iter().copied()));
        let mut wanted = BTreeSet::new();
        let mut open = roots;
        while let Some(id) = open.pop() {
            let is_known = self.g.number(id).is_some() || self.invariants.uniform.contains(&id);
            if is_known || !scope.needed.insert(id) || scope.readable.contains_key(&id) {
                continue;
            }
            if let Some(expr) = self.plan.drafts[phase].definition(id) {
                open.push(expr);
            } else if self.g.as_leaf(id).is_some() {
                if self.g.rate(id) != Rate::Uniform {
                    wanted.insert(id);
                }
            } else if computed.contains(&id) && costly.contains(&id) && self.g.sort(id) == Sort::Real {
                wanted.insert(id);
            } else {
                open.extend(self.g.node(id).operands());
            }
        }
        wanted
    }
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

    /// A definition that the first phase has no use for itself.
    #[test]
    fn definitions_are_computed_where_later_phases_need_them() {
        let declaration = "struct A { state a = 0.0; charge = v + x; threshold = v_threshold + a; update a = a; reset hard; }";
        let (_, program) = lean_bptt(declaration);
        assert!(handed(&program).contains(&"spike_lanes"));
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
