//! Step programs: what one kernel does, in every backend alike.
//!
//! A [`Program`] says what is loaded, computed and stored in a step, what is carried to the next, and what
//! does not change over the sequence and is computed once. The printers in [`crate::emit`] add the loop
//! over steps and neurons that suits their device, and make no decision about neurons, resets or gradients.

use std::collections::{BTreeSet, HashMap};

use crate::gradient::Derived;
use crate::ir::{Cmp, Graph, Id, Node, Rate, Sort};
use crate::variant::{Content, Signature, Variant};

/// A named value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Let {
    /// Its name from here on.
    pub name: String,
    /// Its value.
    pub expr: Id,
}

/// A value in the middle of a step that comes from or goes to memory, or from one phase to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The name of its storage.
    pub name: String,
    /// The name under which expressions read it.
    pub local: String,
}

/// A quantity carried from step to step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// Its storage.
    pub slot: Slot,
    /// The buffer it is read from before the first step.
    pub from: String,
    /// The buffer it is written to after the last step.
    pub to: String,
}

/// What is applied to a slot between two phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apply {
    /// The surrogate gradient, of `h - threshold`.
    Surrogate,
    /// Its primitive: the spike of the relaxed model.
    Primitive,
}

impl Apply {
    /// The runtime's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Surrogate => "surrogate",
            Self::Primitive => "primitive",
        }
    }
}

/// A part of a step without a call of the surrogate.
#[derive(Clone, Debug, Default)]
pub struct Phase {
    /// What it reads from slots, in order.
    pub reads: Vec<Slot>,
    /// Values named on the way.
    pub lets: Vec<Let>,
    /// What it stores in slots.
    pub writes: Vec<(Slot, Id)>,
    /// What is applied to which slot after it.
    pub apply: Vec<(Apply, Slot)>,
    /// The names in scope, by their values.
    pub names: HashMap<Id, String>,
}

/// What one kernel does.
#[derive(Clone, Debug)]
pub struct Program {
    /// Which kernel.
    pub variant: Variant,
    /// Its arrays.
    pub signature: Signature,
    /// Parameters and flags that it reads, in order of declaration.
    pub params: Vec<String>,
    /// Whether it reads `detach_reset`.
    pub detaches: bool,
    /// Values that do not change, computed before the first step.
    pub hoisted: Vec<Let>,
    /// Carried from step to step.
    pub carried: Vec<Carried>,
    /// Loaded in each step: slot and buffer.
    pub loads: Vec<(Slot, String)>,
    /// The step.
    pub phases: Vec<Phase>,
    /// Stored in each step: slot and buffer.
    pub stores: Vec<(Slot, String)>,
    /// What is computed, for the comment above the kernel.
    pub equations: Vec<(String, Id)>,
}

impl Program {
    /// The program of one kernel.
    pub fn new(derived: &mut Derived, variant: Variant) -> Self {
        if variant.template.is_backward() { backward(derived, variant) } else { forward(derived, variant) }
    }
}

impl Slot {
    fn new(name: &str, local: &str) -> Self {
        Self { name: name.to_owned(), local: local.to_owned() }
    }

    fn same(name: &str) -> Self {
        Self::new(name, name)
    }
}

/// One phase before its expressions are arranged: values defined by name, then values stored.
#[derive(Default)]
struct Draft {
    defines: Vec<Let>,
    writes: Vec<(Slot, Id)>,
    apply: Vec<(Apply, Slot)>,
}

fn forward(derived: &mut Derived, variant: Variant) -> Program {
    let signature = Signature::new(derived, variant.template);
    let with_grad = variant.template.is_with_grad();
    let model = &derived.model;
    let leaves = model.leaves;
    let which = model.resets.iter().position(|&r| Some(r) == variant.reset).expect("a declared reset");
    let next: Vec<(String, Id)> = (model.states.iter())
        .map(|state| (state.name.to_string(), state.update.unwrap_or(derived.resets[which])))
        .collect();
    let factors: Vec<(String, Id)> = (derived.kept())
        .filter(|factor| with_grad && factor.name != "grad_s_to_h")
        .map(|factor| (factor.name.clone(), factor.exprs[which]))
        .collect();
    let (charge, threshold) = (model.charge, model.threshold);
    let inputs: Vec<String> = model.inputs.iter().map(|input| input.name.to_string()).collect();

    let mut equations = vec![("h".to_owned(), charge)];
    let mut relax = |expr| if variant.relaxed { derived.relaxed(expr) } else { expr };
    let next: Vec<_> = next.into_iter().map(|(name, expr)| (name, relax(expr))).collect();
    let factors: Vec<_> = factors.into_iter().map(|(name, expr)| (name, relax(expr))).collect();

    let g = &mut derived.model.graph;
    let fires = g.add(Node::Compare(Cmp::Le, threshold, leaves.h));
    let (one, zero) = (g.num(1.0), g.num(0.0));
    let indicator = g.add(Node::Select(leaves.fired, one, zero));
    let above = g.add(Node::Sub(leaves.h, threshold));
    let has_spiked = g.add(Node::Compare(Cmp::Ne, leaves.spike, zero));
    let g = &derived.model.graph;
    if !variant.relaxed {
        equations.push(("spike".to_owned(), fires));
    }
    equations.extend(next.iter().map(|(name, expr)| (format!("{name}_next"), *expr)));
    equations.extend(factors.iter().cloned());

    // Nothing but the factors that contain the surrogate has to wait for it: the first phase is the whole
    // forward pass. In the relaxed model the spike itself waits for its primitive.
    let waits = |expr: Id| g.contains(expr, derived.leaves.s_to_h);
    let write = |list: &[(String, Id)], when: bool| {
        let chosen = list.iter().filter(|(_, expr)| waits(*expr) == when);
        chosen.map(|(name, expr)| (Slot::same(name), *expr)).collect::<Vec<_>>()
    };
    let define = |name: &str, expr| Let { name: name.to_owned(), expr };
    let mut first = Draft { defines: vec![define("h", charge)], ..Draft::default() };
    let mut second = Draft::default();
    if variant.relaxed {
        first.writes.push((Slot::same("spike"), above));
        first.apply.push((Apply::Primitive, Slot::same("spike")));
        second.writes.extend(next.iter().chain(&factors).map(|(name, expr)| (Slot::same(name), *expr)));
    } else {
        first.defines.extend([define("fired", fires), define("spike", indicator)]);
        first.writes.push((Slot::same("spike"), leaves.spike));
        first.writes.extend(next.iter().map(|(name, expr)| (Slot::same(name), *expr)));
        first.writes.extend(write(&factors, false));
        second.defines.push(define("fired", has_spiked));
        second.writes.extend(write(&factors, true));
    }
    let mut drafts = vec![first];
    if with_grad {
        drafts[0].writes.push((Slot::same("grad_s_to_h"), above));
        drafts[0].apply.push((Apply::Surrogate, Slot::same("grad_s_to_h")));
        drafts.push(second);
    }

    let carried = next.iter().map(|(name, _)| Carried {
        slot: Slot::same(name),
        from: name.clone(),
        to: format!("{name}_next"),
    });
    let carried = carried.collect();
    let loads =
        inputs.iter().map(|name| (Slot::same(name), buffer_of(&signature, &Content::Input(name.clone()))));
    let loads = loads.collect();
    let mut stores = vec![(Slot::same("spike"), buffer_of(&signature, &Content::Spike))];
    if with_grad {
        stores.push((Slot::same("grad_s_to_h"), "grad_s_to_h".to_owned()));
        stores.extend(factors.iter().map(|(name, _)| (Slot::same(name), name.clone())));
    }
    Arrange::new(derived).program(variant, signature, carried, loads, drafts, stores, equations)
}

fn backward(derived: &mut Derived, variant: Variant) -> Program {
    let signature = Signature::new(derived, variant.template);
    let mut draft = Draft::default();
    draft.defines.push(Let { name: "grad_h".into(), expr: derived.grad_h });
    let mut equations = vec![("grad_h".to_owned(), derived.grad_h)];
    let mut stores = Vec::new();
    for grad in &derived.grad_inputs {
        let slot = Slot::same(&format!("grad_{}", grad.of));
        equations.push((slot.name.clone(), grad.expr));
        stores.push((slot.clone(), buffer_of(&signature, &Content::Input(grad.of.clone()))));
        draft.writes.push((slot, grad.expr));
    }
    let mut carried = Vec::new();
    for grad in &derived.grad_states {
        // Between steps this is the gradient of the state that the later step started from: it enters a
        // step as the gradient of the state after it.
        let slot = Slot::new(&format!("grad_{}", grad.of), &format!("grad_{}_next", grad.of));
        equations.push((slot.name.clone(), grad.expr));
        carried.push(Carried { slot: slot.clone(), from: slot.local.clone(), to: slot.name.clone() });
        draft.writes.push((slot, grad.expr));
    }
    let mut loads = vec![(Slot::same("grad_spike"), buffer_of(&signature, &Content::Spike))];
    loads.extend(derived.kept().map(|factor| (Slot::same(&factor.name), factor.name.clone())));
    Arrange::new(derived).program(variant, signature, carried, loads, vec![draft], stores, equations)
}

fn buffer_of(signature: &Signature, content: &Content) -> String {
    signature.buffers().find(|buffer| buffer.content == *content).expect("in the signature").name.clone()
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
    fn new(derived: &'a mut Derived) -> Self {
        Self { derived, names: HashMap::new(), taken: BTreeSet::new(), lowered: HashMap::new() }
    }

    fn graph(&self) -> &Graph {
        &self.derived.model.graph
    }

    #[allow(clippy::too_many_arguments)]
    fn program(
        mut self,
        variant: Variant,
        signature: Signature,
        carried: Vec<Carried>,
        loads: Vec<(Slot, String)>,
        mut drafts: Vec<Draft>,
        stores: Vec<(Slot, String)>,
        equations: Vec<(String, Id)>,
    ) -> Program {
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
        let hoisted = self.hoist(&drafts, &hints);
        let slots = self.slots(&carried, &loads);
        let phases = self.phases(drafts, &hints, slots);

        let roots = || {
            let lets = phases.iter().flat_map(|phase| &phase.lets).chain(&hoisted).map(|l| l.expr);
            lets.chain(phases.iter().flat_map(|phase| &phase.writes).map(|(_, expr)| *expr))
        };
        let reached = self.graph().reach(roots());
        let model = &self.derived.model;
        let params = (model.params.iter().map(|p| (p.leaf, &p.name)))
            .chain(model.flags.iter().map(|f| (f.leaf, &f.name)))
            .filter(|(leaf, _)| reached.contains(leaf))
            .map(|(_, name)| name.to_string());
        Program {
            variant,
            signature,
            params: params.collect(),
            detaches: reached.contains(&self.derived.leaves.detach_reset),
            hoisted,
            carried,
            loads,
            phases,
            stores,
            equations,
        }
    }

    /// Replaces integer powers by multiplications.
    fn lower(&mut self, id: Id) -> Id {
        if let Some(&done) = self.lowered.get(&id) {
            return done;
        }
        let result = match self.graph().node(id) {
            Node::Powi(base, n) => {
                let base = self.lower(base);
                let g = &mut self.derived.model.graph;
                let power = power(g, base, n.unsigned_abs());
                if n < 0 {
                    let one = g.num(1.0);
                    g.add(Node::Div(one, power))
                } else {
                    power
                }
            }
            node => {
                let node = node.map(|operand| self.lower(operand));
                self.derived.model.graph.add(node)
            }
        };
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
            if self.graph().as_leaf(lowered).is_none() {
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
        let stem = match self.graph().node(id) {
            Node::Call(func, _) => format!("{}_", func.name()),
            _ => format!("{stem}_"),
        };
        let name = (1..).map(|k| format!("{stem}{k}")).find(|name| !self.taken.contains(name));
        let name = name.expect("some number is free");
        self.taken.insert(name.clone());
        name
    }

    /// Names the largest expressions that do not change, so that they are computed once.
    fn hoist(&mut self, drafts: &[Draft], hints: &HashMap<Id, String>) -> Vec<Let> {
        let g = self.graph();
        let roots: Vec<Id> = drafts
            .iter()
            .flat_map(|d| d.defines.iter().map(|l| l.expr).chain(d.writes.iter().map(|(_, expr)| *expr)))
            .collect();
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open = roots;
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let uniform = g.rate(id) == Rate::Uniform;
            if uniform && worth_hoisting(g, id) {
                found.insert(id);
            } else {
                open.extend(g.node(id).operands());
            }
        }
        let mut lets = Vec::new();
        for id in found {
            // Its own parts come first if the user named them.
            for part in self.graph().reach([id]) {
                let named = hints.contains_key(&part) && worth_hoisting(self.graph(), part);
                if (part == id || named) && !self.names.contains_key(&part) {
                    let name = self.fresh(part, hints, "constant");
                    lets.push(Let { name: name.clone(), expr: part });
                    self.names.insert(part, name);
                }
            }
        }
        lets
    }

    /// Where expressions find loaded and carried values.
    fn slots(&mut self, carried: &[Carried], loads: &[(Slot, String)]) -> Vec<(Id, Slot)> {
        let all = loads.iter().map(|(slot, _)| slot).chain(carried.iter().map(|c| &c.slot));
        let g = &mut self.derived.model.graph;
        all.map(|slot| (g.leaf(&slot.local, Sort::Real, Rate::Step), slot.clone())).collect()
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
            let mut phase = Phase { apply: draft.apply, ..Phase::default() };
            let roots: Vec<Id> =
                draft.defines.iter().map(|l| l.expr).chain(draft.writes.iter().map(|(_, e)| *e)).collect();
            let shared = self.shared(&roots, hints);
            for Let { name, expr } in draft.defines {
                self.bind_parts(&mut phase.lets, expr, &shared, hints);
                phase.lets.push(Let { name: name.clone(), expr });
                if self.graph().as_leaf(expr).is_none() {
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

/// `base` to the power `n` by multiplications, few of them.
fn power(g: &mut Graph, base: Id, n: u32) -> Id {
    match n {
        0 => g.num(1.0),
        1 => base,
        _ => {
            let half = power(g, base, n / 2);
            let square = g.add(Node::Mul(half, half));
            if n % 2 == 1 { g.add(Node::Mul(square, base)) } else { square }
        }
    }
}

/// Whether an unchanging expression is better computed once: not a number, not a parameter, not a choice
/// made of flags only.
fn worth_hoisting(g: &Graph, id: Id) -> bool {
    match g.node(id) {
        Node::Num(_) | Node::Leaf(_) | Node::Not(_) | Node::And(..) | Node::Or(..) => false,
        Node::Neg(a) => g.number(a).is_none(),
        _ => true,
    }
}

/// Whether computing `id` involves a function or a division.
fn calls(g: &Graph, id: Id) -> bool {
    let costly = |id| g.rate(id) == Rate::Step && matches!(g.node(id), Node::Call(..) | Node::Div(..));
    g.reach([id]).into_iter().any(costly)
}

/// A rough number of operations.
fn cost(g: &Graph, id: Id) -> usize {
    let own = |id| match g.node(id) {
        _ if g.rate(id) == Rate::Uniform => 0,
        Node::Num(_) | Node::Leaf(_) => 0,
        Node::Call(..) | Node::Div(..) => 4,
        _ => 1,
    };
    g.reach([id]).into_iter().map(own).sum()
}

/// All kernels of a neuron.
pub fn programs(derived: &mut Derived) -> Vec<Program> {
    Variant::all(&derived.model).into_iter().map(|variant| Program::new(derived, variant)).collect()
}
