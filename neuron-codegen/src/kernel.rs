//! Step programs: what one kernel does, in every backend alike.
//!
//! A [`Program`] says what is loaded, computed and stored in a step, what is carried to the next, and what
//! does not change over the sequence and is computed once. The printers in [`crate::emit`] add the loop
//! over steps and neurons that suits their device, and make no decision about neurons, resets or gradients.

mod arrange;
pub(crate) mod cost;

use std::collections::HashMap;

use crate::gradient::Derived;
use crate::ir::{Cmp, Id, Node, Rate, Sort};
use crate::model::Output;
use crate::variant::{Content, Signature, Variant};
use arrange::Arrange;

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
    /// The buffer it is read from before the first step; without one it begins at 0.
    pub from: Option<String>,
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
    /// Values that are the same for all neurons and steps, computed before the first step.
    pub hoisted: Vec<Let>,
    /// Parameters that may differ between neurons, read before the first step: slot and buffer.
    pub arrays: Vec<(Slot, String)>,
    /// Values that differ between neurons only, computed before the first step from these.
    pub settled: Vec<Let>,
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

    /// What is added up over the steps, from 0.
    pub fn sums(&self) -> impl Iterator<Item = &str> {
        self.carried.iter().filter(|carried| carried.from.is_none()).map(|carried| carried.to.as_str())
    }

    /// Whether `slot` has its value before the first step and keeps it.
    pub fn is_settled(&self, slot: &Slot) -> bool {
        self.arrays.iter().any(|(array, _)| array == slot)
            || self.settled.iter().any(|binding| binding.name == slot.name)
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
    let which =
        derived.model.resets.iter().position(|&r| Some(r) == variant.reset).expect("a declared reset");
    let relax = |derived: &mut Derived, expr| if variant.relaxed { derived.relaxed(expr) } else { expr };
    let mut values = Vec::new();
    for state in derived.model.states.clone() {
        let is_v = state.leaf == derived.model.states[0].leaf;
        let expr = state.update.filter(|_| !is_v).unwrap_or(derived.resets[which]);
        values.push((state.name.to_string(), relax(derived, expr)));
    }
    let next = values;
    let mut factors = Vec::new();
    let kept: Vec<_> = derived.kept().map(|factor| (factor.name.clone(), factor.exprs[which])).collect();
    for (name, expr) in kept.into_iter().filter(|(name, _)| with_grad && name != "grad_s_to_h") {
        factors.push((name, relax(derived, expr)));
    }
    let charge = relax(derived, derived.model.charge);
    let output = match derived.model.output {
        Output::Spike { threshold } => Output::Spike { threshold: relax(derived, threshold) },
        Output::Value(value) => Output::Value(relax(derived, value)),
    };

    let mut equations = vec![("h".to_owned(), charge)];
    let mut drafts = match output {
        Output::Spike { threshold } => {
            spiking(derived, variant, &mut equations, [charge, threshold], &next, &factors)
        }
        Output::Value(value) => {
            equations.push(("output".to_owned(), value));
            let mut draft = Draft { defines: vec![define("h", charge)], ..Draft::default() };
            draft.writes.push((Slot::same("output"), value));
            draft.writes.extend(next.iter().chain(&factors).map(|(name, expr)| (Slot::same(name), *expr)));
            vec![draft]
        }
    };
    equations.extend(next.iter().map(|(name, expr)| (format!("{name}_next"), *expr)));
    equations.extend(factors.iter().cloned());

    let carried = next.iter().map(|(name, _)| Carried {
        slot: Slot::same(name),
        from: Some(name.clone()),
        to: format!("{name}_next"),
    });
    let carried = carried.collect();
    let input = |name: &proc_macro2::Ident| {
        let name = name.to_string();
        (Slot::same(&name), buffer_of(&signature, &Content::Input(name)))
    };
    let loads = derived.model.inputs.iter().map(|i| input(&i.name)).collect();
    let mut stores = vec![(Slot::same(output.name()), buffer_of(&signature, &Content::Output))];
    if with_grad {
        if derived.model.threshold().is_some() {
            stores.push((Slot::same("grad_s_to_h"), "grad_s_to_h".to_owned()));
        }
        stores.extend(factors.iter().map(|(name, _)| (Slot::same(name), name.clone())));
    }
    drafts.retain(|draft| !draft.writes.is_empty());
    Arrange::new(derived).program(variant, signature, carried, loads, drafts, stores, equations)
}

fn define(name: &str, expr: Id) -> Let {
    Let { name: name.to_owned(), expr }
}

/// The phases of a step of a neuron that fires.
fn spiking(
    derived: &mut Derived,
    variant: Variant,
    equations: &mut Vec<(String, Id)>,
    [charge, threshold]: [Id; 2],
    next: &[(String, Id)],
    factors: &[(String, Id)],
) -> Vec<Draft> {
    let with_grad = variant.template.is_with_grad();
    let leaves = derived.model.leaves;
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

    // Nothing but the factors that contain the surrogate has to wait for it: the first phase is the whole
    // forward pass. In the relaxed model the spike itself waits for its primitive.
    let waits = |expr: Id| g.contains(expr, derived.leaves.s_to_h);
    let write = |list: &[(String, Id)], when: bool| {
        let chosen = list.iter().filter(|(_, expr)| waits(*expr) == when);
        chosen.map(|(name, expr)| (Slot::same(name), *expr)).collect::<Vec<_>>()
    };
    let mut first = Draft { defines: vec![define("h", charge)], ..Draft::default() };
    let mut second = Draft::default();
    if variant.relaxed {
        first.writes.push((Slot::same("spike"), above));
        first.apply.push((Apply::Primitive, Slot::same("spike")));
        second.writes.extend(next.iter().chain(factors).map(|(name, expr)| (Slot::same(name), *expr)));
    } else {
        first.defines.extend([define("fired", fires), define("spike", indicator)]);
        first.writes.push((Slot::same("spike"), leaves.spike));
        first.writes.extend(next.iter().map(|(name, expr)| (Slot::same(name), *expr)));
        first.writes.extend(write(factors, false));
        second.defines.push(define("fired", has_spiked));
        second.writes.extend(write(factors, true));
    }
    let mut drafts = vec![first];
    if with_grad {
        drafts[0].writes.push((Slot::same("grad_s_to_h"), above));
        drafts[0].apply.push((Apply::Surrogate, Slot::same("grad_s_to_h")));
        drafts.push(second);
    }
    drafts
}

fn backward(derived: &mut Derived, variant: Variant) -> Program {
    let signature = Signature::new(derived, variant.template);
    let mut draft = Draft::default();
    draft.defines.push(define("grad_h", derived.grad_h));
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
        let (from, to) = (Some(slot.local.clone()), slot.name.clone());
        carried.push(Carried { slot: slot.clone(), from, to });
        draft.writes.push((slot, grad.expr));
    }
    let g = &mut derived.model.graph;
    for grad in &derived.grad_params {
        // The sum over the steps; that over neurons is not the kernel's.
        let slot = Slot::same(&format!("grad_{}", grad.of));
        let sum = g.leaf(&slot.local, Sort::Real, Rate::Step);
        let expr = g.sum(sum, grad.expr);
        equations.push((slot.name.clone(), grad.expr));
        carried.push(Carried { slot: slot.clone(), from: None, to: slot.name.clone() });
        draft.writes.push((slot, expr));
    }
    let output = Slot::same(&format!("grad_{}", derived.model.output.name()));
    let mut loads = vec![(output, buffer_of(&signature, &Content::Output))];
    loads.extend(derived.kept().map(|factor| (Slot::same(&factor.name), factor.name.clone())));
    Arrange::new(derived).program(variant, signature, carried, loads, vec![draft], stores, equations)
}

fn buffer_of(signature: &Signature, content: &Content) -> String {
    signature.buffers().find(|buffer| buffer.content == *content).expect("in the signature").name.clone()
}

/// All kernels of a neuron.
pub fn programs(derived: &mut Derived) -> Vec<Program> {
    Variant::all(&derived.model).into_iter().map(|variant| Program::new(derived, variant)).collect()
}
