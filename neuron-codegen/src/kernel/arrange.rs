//! From the values of a step to its statements.

use std::collections::{BTreeSet, HashMap};

use super::cost::{calls, calls_ever, cost, lowered, worth_hoisting};
use super::draft::{Draft, Plan};
use super::{Carried, Let, Phase, Program, Slot};
use crate::gradient::Derived;
use crate::ir::{Graph, Id, Node, Rate, Sort};
use crate::model::ParamKind;
use crate::variant::{Content, Signature};

/// The program of what `plan` computes.
pub fn arrange(derived: &mut Derived, plan: Plan) -> Program {
    Arrange { derived, names: HashMap::new(), taken: BTreeSet::new(), lowered: HashMap::new() }.program(plan)
}

/// Arranges expressions into statements: names what is shared, hoists what does not change, replaces
/// powers by multiplications.
struct Arrange<'a> {
    derived: &'a mut Derived,
    names: HashMap<Id, String>,
    taken: BTreeSet<String>,
    lowered: HashMap<Id, Id>,
}

impl<'a> Arrange<'a> {
    fn graph(&self) -> &Graph {
        &self.derived.model.graph
    }

    fn program(mut self, plan: Plan) -> Program {
        let Plan { variant, signature, carried, loads, mut drafts, stores, equations } = plan;
        for draft in &mut drafts {
            for Let { expr, .. } in &mut draft.defines {
                *expr = self.lower(*expr);
            }
            for (_, expr) in &mut draft.writes {
                *expr = self.lower(*expr);
            }
        }
        drop_unused(self.graph(), &mut drafts);
        self.reserve(&signature, &drafts);
        let hints = self.hints();
        let arrays = self.arrays(&signature, &drafts);
        let (hoisted, settled) = self.hoist(&drafts, &hints);
        let slots = self.slots(&carried, &loads, &arrays, &settled);
        let phases = self.phases(drafts, &hints, slots);

        let roots = || {
            let lets = phases.iter().flat_map(|phase| &phase.lets).chain(&hoisted).chain(&settled);
            let lets = lets.map(|l| l.expr);
            lets.chain(phases.iter().flat_map(|phase| &phase.writes).map(|(_, expr)| *expr))
        };
        let reached = self.graph().reach(roots());
        let model = &self.derived.model;
        let params = (model.params.iter().filter(|p| p.kind == ParamKind::Scalar).map(|p| (p.leaf, &p.name)))
            .chain(model.flags.iter().map(|f| (f.leaf, &f.name)))
            .filter(|(leaf, _)| reached.contains(leaf))
            .map(|(_, name)| name.to_string());
        Program {
            variant,
            signature,
            params: params.collect(),
            detaches: reached.contains(&self.derived.leaves.detach_reset),
            hoisted,
            arrays,
            settled,
            carried,
            loads,
            phases,
            stores,
            equations,
        }
    }

    /// Replaces integer powers by multiplications, and division by what does not change over time, too.
    fn lower(&mut self, id: Id) -> Id {
        if let Some(&done) = self.lowered.get(&id) {
            return done;
        }
        let node = self.graph().node(id).map(|operand| self.lower(operand));
        let is_step = self.graph().rate(id) == Rate::Step;
        let inverts = |g: &Graph, divisor| is_step && g.rate(divisor) != Rate::Step;
        let result = lowered(&mut self.derived.model.graph, node, inverts);
        // A name that the user gave stays with the value.
        if let Some(name) = self.derived.model.names.get(&id).cloned() {
            self.derived.model.names.entry(result).or_insert(name);
        }
        self.lowered.insert(id, result);
        result
    }

    /// Names that generated ones must not take.
    fn reserve(&mut self, signature: &Signature, drafts: &[Draft]) {
        let model = &self.derived.model;
        self.taken.extend(model.params.iter().map(|p| p.name.to_string()));
        self.taken.extend(model.flags.iter().map(|f| f.name.to_string()));
        self.taken.extend(model.inputs.iter().map(|i| i.name.to_string()));
        self.taken.extend(model.states.iter().map(|s| s.name.to_string()));
        self.taken.extend(model.names.values().cloned());
        self.taken.extend(signature.buffers().map(|buffer| buffer.name.clone()));
        self.taken.extend(drafts.iter().flat_map(|d| &d.defines).map(|l| l.name.clone()));
    }

    /// Good names for values that may need one: those that the user gave, and those of factors.
    fn hints(&mut self) -> HashMap<Id, String> {
        let mut hints = self.derived.model.names.clone();
        let factors: Vec<(Id, String)> =
            self.derived.factors.iter().filter(|f| !f.kept).map(|f| (f.value, f.name.clone())).collect();
        for (value, name) in factors {
            let lowered = self.lower(value);
            // `reciprocal_tau` says more.
            if self.graph().as_leaf(lowered).is_none() && self.graph().inverted(lowered).is_none() {
                hints.entry(lowered).or_insert(name);
            }
        }
        hints
    }

    fn fresh(&mut self, id: Id, hints: &HashMap<Id, String>, stem: &str) -> String {
        if let Some(name) = hints.get(&id) {
            self.taken.insert(name.clone());
            return name.clone();
        }
        let g = self.graph();
        let function = match g.node(id) {
            Node::Call(func, operand) => Some((func.name(), operand)),
            _ => g.inverted(id).map(|operand| ("reciprocal", operand)),
        };
        // `exp_x`, if there is no other.
        let leaf = function.and_then(|(name, operand)| Some(format!("{name}_{}", g.as_leaf(operand)?.name)));
        if let Some(name) = leaf.filter(|name| !self.taken.contains(name)) {
            self.taken.insert(name.clone());
            return name;
        }
        let stem = format!("{}_", function.map_or(stem, |(name, _)| name));
        let name = (1..).map(|k| format!("{stem}{k}")).find(|name| !self.taken.contains(name));
        let name = name.expect("some number is free");
        self.taken.insert(name.clone());
        name
    }

    /// The parameter arrays that the kernel uses.
    fn arrays(&self, signature: &Signature, drafts: &[Draft]) -> Vec<(Slot, String)> {
        let reached = self.graph().reach(roots(drafts));
        let used = self.derived.model.arrays().filter(|param| reached.contains(&param.leaf));
        let buffer = |name: String| {
            let content = Content::Param(name.clone());
            let buffer = signature.inputs.iter().find(|buffer| buffer.content == content);
            (Slot::same(&name), buffer.expect("in the signature").name.clone())
        };
        used.map(|param| buffer(param.name.to_string())).collect()
    }

    /// Names the largest expressions that do not change over time, so that they are computed once: those
    /// that are the same for all neurons, and those that are not.
    fn hoist(&mut self, drafts: &[Draft], hints: &HashMap<Id, String>) -> (Vec<Let>, Vec<Let>) {
        let g = self.graph();
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open: Vec<(Id, Rate)> = roots(drafts).map(|id| (id, Rate::Step)).collect();
        while let Some((id, above)) = open.pop() {
            if !seen.insert((id, above)) {
                continue;
            }
            let rate = g.rate(id);
            // Conditions that differ between neurons are not kept: lanes hold numbers.
            let keeps = rate < above && (rate == Rate::Uniform || g.sort(id) == Sort::Real);
            let is_found = keeps && worth_hoisting(g, id);
            if is_found {
                found.insert(id);
            }
            if rate != Rate::Uniform || !is_found {
                let above = if is_found { rate } else { above };
                open.extend(g.node(id).operands().map(|operand| (operand, above)));
            }
        }
        let mut uses: HashMap<Id, usize> = HashMap::new();
        for id in g.reach(found.iter().copied()) {
            for operand in g.node(id).operands() {
                *uses.entry(operand).or_default() += 1;
            }
        }
        let (mut hoisted, mut settled) = (Vec::new(), Vec::new());
        for id in found {
            // Its own parts come first if the user named them, or if they cost something and are used twice.
            for part in self.graph().reach([id]) {
                let g = self.graph();
                let rate = g.rate(part);
                let fits = rate == Rate::Uniform || g.sort(part) == Sort::Real;
                let costs =
                    matches!(g.node(part), Node::Call(..)) || (rate == Rate::Neuron && calls_ever(g, part));
                let is_shared = costs && uses.get(&part).copied().unwrap_or(0) > 1;
                let named = (hints.contains_key(&part) || is_shared) && worth_hoisting(g, part) && fits;
                if (part == id || named) && !self.names.contains_key(&part) {
                    let name = self.fresh(part, hints, "constant");
                    let list = if rate == Rate::Uniform { &mut hoisted } else { &mut settled };
                    list.push(Let { name: name.clone(), expr: part });
                    self.names.insert(part, name);
                }
            }
        }
        (hoisted, settled)
    }

    /// Where expressions find values that were loaded, carried or computed before the first step.
    fn slots(
        &mut self,
        carried: &[Carried],
        loads: &[(Slot, String)],
        arrays: &[(Slot, String)],
        settled: &[Let],
    ) -> Vec<(Id, Slot)> {
        let all = loads.iter().map(|(slot, _)| slot).chain(carried.iter().map(|c| &c.slot));
        let g = &mut self.derived.model.graph;
        let mut slots: Vec<(Id, Slot)> =
            all.map(|slot| (g.leaf(&slot.local, Sort::Real, Rate::Step), slot.clone())).collect();
        slots.extend(
            arrays.iter().map(|(slot, _)| (g.leaf(&slot.local, Sort::Real, Rate::Neuron), slot.clone())),
        );
        slots.extend(settled.iter().map(|binding| (binding.expr, Slot::same(&binding.name))));
        slots
    }

    fn phases(
        &mut self,
        drafts: Vec<Draft>,
        hints: &HashMap<Id, String>,
        mut slots: Vec<(Id, Slot)>,
    ) -> Vec<Phase> {
        let mut phases: Vec<Phase> = Vec::new();
        for draft in drafts {
            // What an earlier phase computed at some cost is handed over rather than computed again.
            if let Some(earlier) = phases.last_mut() {
                self.hand_over(earlier, &draft, hints, &mut slots);
            }
            let mut phase = Phase { is_backward: draft.is_backward, apply: draft.apply, ..Phase::default() };
            let roots: Vec<Id> =
                draft.defines.iter().map(|l| l.expr).chain(draft.writes.iter().map(|(_, e)| *e)).collect();
            let shared = self.shared(&roots, hints);
            for Let { name, expr } in draft.defines {
                self.bind_parts(&mut phase.lets, expr, &shared, hints);
                phase.lets.push(Let { name: name.clone(), expr });
                if self.graph().as_leaf(expr).is_none() && self.graph().number(expr).is_none() {
                    self.names.entry(expr).or_insert(name);
                }
            }
            for (slot, expr) in draft.writes {
                self.bind_parts(&mut phase.lets, expr, &shared, hints);
                if shared.contains(&expr) && !self.names.contains_key(&expr) {
                    self.bind(&mut phase.lets, expr, hints);
                }
                phase.writes.push((slot, expr));
            }
            phase.reads = self.reads(&phase, &slots);
            phase.names = self.names.clone();
            // What this phase stores for the next under the name of a leaf.
            for (_, slot) in &phase.apply {
                let leaf = self.derived.model.graph.leaf(&slot.local, Sort::Real, Rate::Step);
                slots.push((leaf, slot.clone()));
            }
            phases.push(phase);
        }
        phases
    }

    fn bind_parts(
        &mut self,
        lets: &mut Vec<Let>,
        expr: Id,
        shared: &BTreeSet<Id>,
        hints: &HashMap<Id, String>,
    ) {
        for part in self.graph().reach([expr]) {
            if part != expr && shared.contains(&part) && !self.names.contains_key(&part) {
                self.bind(lets, part, hints);
            }
        }
    }

    fn bind(&mut self, lets: &mut Vec<Let>, expr: Id, hints: &HashMap<Id, String>) {
        let name = self.fresh(expr, hints, "term");
        lets.push(Let { name: name.clone(), expr });
        self.names.insert(expr, name);
    }

    /// Expressions that deserve a name: the user gave one, or they cost something and are used twice.
    fn shared(&self, roots: &[Id], hints: &HashMap<Id, String>) -> BTreeSet<Id> {
        let g = self.graph();
        let mut uses: HashMap<Id, usize> = HashMap::new();
        let reached = g.reach(roots.iter().copied());
        for &id in &reached {
            for operand in g.node(id).operands() {
                *uses.entry(operand).or_default() += 1;
            }
        }
        for &root in roots {
            *uses.entry(root).or_default() += 1;
        }
        let candidate = |id: &Id| {
            let is_leaf = g.as_leaf(*id).is_some() || g.number(*id).is_some();
            let named = hints.contains_key(id);
            let costly = uses.get(id).copied().unwrap_or(0) > 1 && cost(g, *id) > 1;
            !is_leaf && g.rate(*id) == Rate::Step && (named || costly)
        };
        reached.iter().copied().filter(candidate).collect()
    }

    /// Makes `earlier` store what `draft` needs of it: values under a name, and values that took a function
    /// or a division to compute. Cheap ones are computed again.
    fn hand_over(
        &mut self,
        earlier: &mut Phase,
        draft: &Draft,
        hints: &HashMap<Id, String>,
        slots: &mut Vec<(Id, Slot)>,
    ) {
        let g = self.graph();
        let computed =
            g.reach(earlier.lets.iter().map(|l| l.expr).chain(earlier.writes.iter().map(|(_, expr)| *expr)));
        let mut costly = BTreeSet::new();
        let mut leaves = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open: Vec<Id> =
            draft.defines.iter().map(|l| l.expr).chain(draft.writes.iter().map(|(_, expr)| *expr)).collect();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            if g.as_leaf(id).is_some() {
                leaves.insert(id);
            } else if computed.contains(&id) && g.sort(id) == Sort::Real && calls(g, id) {
                costly.insert(id);
            } else {
                open.extend(g.node(id).operands());
            }
        }
        let defined: Vec<Id> = earlier.lets.iter().map(|l| l.expr).collect();
        for id in costly {
            if !self.names.contains_key(&id) {
                // Defined before the first let that contains it.
                let name = self.fresh(id, hints, "term");
                let g = self.graph();
                let at =
                    earlier.lets.iter().position(|l| g.contains(l.expr, id)).unwrap_or(earlier.lets.len());
                earlier.lets.insert(at, Let { name: name.clone(), expr: id });
                self.names.insert(id, name);
            }
            let name = self.names[&id].clone();
            let leaf = self.derived.model.graph.leaf(&name, Sort::Real, Rate::Step);
            let slot = Slot::same(&name);
            store(earlier, &slot, leaf);
            slots.extend([(id, slot.clone()), (leaf, slot)]);
        }
        earlier.names = self.names.clone();
        // Other names of the earlier phase end with it.
        for id in defined {
            if !slots.iter().any(|(slot, _)| *slot == id) {
                self.names.remove(&id);
            }
        }
        for id in leaves {
            let Some(name) = self.graph().as_leaf(id).map(|leaf| leaf.name.clone()) else { continue };
            if earlier.lets.iter().any(|l| l.name == name) && !draft.defines.iter().any(|l| l.name == name) {
                let slot = Slot::same(&name);
                store(earlier, &slot, id);
                slots.push((id, slot));
            } else if let Some(at) = slots.iter().position(|(leaf, _)| *leaf == id)
                && earlier.writes.iter().any(|(written, _)| *written == slots[at].1)
                && earlier.apply.iter().all(|(_, applied)| *applied != slots[at].1)
            {
                // A state, which has its next value by now.
                let slot = Slot::new(&format!("{name}_before"), &name);
                store(earlier, &slot, id);
                slots[at].1 = slot;
            }
        }
    }

    /// The slots that a phase reads: whatever it uses and does not define itself.
    fn reads(&self, phase: &Phase, slots: &[(Id, Slot)]) -> Vec<Slot> {
        let g = self.graph();
        let mut used = BTreeSet::new();
        let roots =
            phase.lets.iter().map(|l| (l.expr, true)).chain(phase.writes.iter().map(|(_, e)| (*e, false)));
        let mut open: Vec<(Id, bool)> = roots.collect();
        while let Some((id, definition)) = open.pop() {
            let stop = !definition && self.names.contains_key(&id);
            if used.insert((id, stop)) && !stop {
                open.extend(g.node(id).operands().map(|operand| (operand, false)));
            }
        }
        let defined = |name: &str| phase.lets.iter().any(|l| l.name == name);
        let mut reads: Vec<Slot> = Vec::new();
        for (id, slot) in slots {
            let is_used = used.iter().any(|(used, _)| used == id);
            if is_used && !defined(&slot.local) && !reads.contains(slot) {
                reads.push(slot.clone());
            }
        }
        reads
    }
}

/// What the drafts compute.
fn roots(drafts: &[Draft]) -> impl Iterator<Item = Id> {
    drafts.iter().flat_map(|d| d.defines.iter().map(|l| l.expr).chain(d.writes.iter().map(|(_, expr)| *expr)))
}

/// Makes `phase` write `value` to `slot`, before it overwrites what it has read.
fn store(phase: &mut Phase, slot: &Slot, value: Id) {
    if !phase.writes.iter().any(|(written, _)| written == slot) {
        phase.writes.insert(0, (slot.clone(), value));
    }
}

/// Removes definitions that nothing uses, such as `spike` as a number where only the condition is needed.
fn drop_unused(g: &Graph, drafts: &mut [Draft]) {
    let uses = |draft: &Draft, name: &str| {
        let others = draft.defines.iter().filter(|l| l.name != name).map(|l| l.expr);
        let reached = g.reach(others.chain(draft.writes.iter().map(|(_, expr)| *expr)));
        reached.into_iter().any(|id| g.as_leaf(id).is_some_and(|leaf| leaf.name == name))
    };
    for i in (0..drafts.len()).rev() {
        // Each is used by later ones only.
        for k in (0..drafts[i].defines.len()).rev() {
            let name = &drafts[i].defines[k].name;
            let redefined = drafts[i + 1..].iter().any(|draft| draft.defines.iter().any(|l| l.name == *name));
            let later = if redefined { 0 } else { drafts.len() - i - 1 };
            if !drafts[i..=i + later].iter().any(|draft| uses(draft, name)) {
                drafts[i].defines.remove(k);
            }
        }
    }
}
