//! Step programs: what one kernel does, in every backend alike.
//!
//! A [`Program`] says what is loaded, computed and stored in a step, what is carried to the next, and what
//! does not change over the sequence and is computed once. The printers in [`crate::emit`] add the loop
//! over steps and neurons that suits their device, and make no decision about neurons, resets or gradients.

mod arrange;
mod cost;

use std::collections::HashMap;

use crate::gradient::Derived;
use crate::ir::{Cmp, Id, Node};
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

/// All kernels of a neuron.
pub fn programs(derived: &mut Derived) -> Vec<Program> {
    Variant::all(&derived.model).into_iter().map(|variant| Program::new(derived, variant)).collect()
}
