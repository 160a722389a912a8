//! What each kernel computes, before its expressions are arranged into statements.

use super::arrange::arrange;
use super::{Apply, Carried, Let, Program, Slot};
use crate::gradient::Derived;
use crate::ir::{Cmp, Graph, Id, Node, Rate, Sort};
use crate::model::{Leaves, Output};
use crate::variant::{Buffer, Content, Signature, Template, Variant};

/// One phase before its expressions are arranged: values defined by name, then values stored.
#[derive(Default)]
pub struct Draft {
    pub is_backward: bool,
    pub defines: Vec<Let>,
    pub writes: Vec<(Slot, Id)>,
    pub apply: Vec<(Apply, Slot)>,
}

/// What a program is arranged from.
pub struct Plan {
    pub variant: Variant,
    pub signature: Signature,
    pub carried: Vec<Carried>,
    pub loads: Vec<(Slot, String)>,
    pub drafts: Vec<Draft>,
    pub stores: Vec<(Slot, String)>,
    pub equations: Vec<(String, Id)>,
}

/// The program of a forward kernel.
pub fn forward(derived: &mut Derived, variant: Variant) -> Program {
    let signature = Signature::new(derived, variant.template);
    let with_grad = variant.template.is_with_grad();
    let which = which_reset(derived, variant);
    let relax = |derived: &mut Derived, expr| if variant.relaxed { derived.relaxed(expr) } else { expr };
    let mut next = next_states(derived, which);
    next.iter_mut().for_each(|(_, expr)| *expr = relax(derived, *expr));
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
        to: Some(format!("{name}_next")),
        checkpoints: checkpoints(&signature, name),
    });
    let carried = carried.collect();
    let loads = inputs(&signature);
    let mut stores = vec![(Slot::same(output.name()), buffer_of(&signature.outputs, &Content::Output))];
    if variant.template == Template::FpttWithV {
        let slot = Slot::same(&buffer_of(&signature.outputs, &Content::Trace));
        stores.push((slot.clone(), slot.name.clone()));
        drafts[0].writes.push((slot, next[0].1));
    }
    if with_grad {
        if derived.model.threshold().is_some() {
            stores.push((Slot::same("grad_s_to_h"), "grad_s_to_h".to_owned()));
        }
        stores.extend(factors.iter().map(|(name, _)| (Slot::same(name), name.clone())));
    }
    drafts.retain(|draft| !draft.writes.is_empty());
    arrange(derived, Plan { variant, signature, carried, loads, drafts, stores, equations })
}

/// The index of the reset among the model's.
fn which_reset(derived: &Derived, variant: Variant) -> usize {
    derived.model.resets.iter().position(|&r| Some(r) == variant.reset).expect("a declared reset")
}

/// Every state after the step, by its name.
fn next_states(derived: &Derived, which: usize) -> Vec<(String, Id)> {
    let states = derived.model.states.iter().enumerate();
    let next = states.map(|(i, state)| (state, state.update.filter(|_| i > 0)));
    next.map(|(state, update)| (state.name.to_string(), update.unwrap_or(derived.resets[which]))).collect()
}

/// The inputs that a kernel loads: slot and buffer.
fn inputs(signature: &Signature) -> Vec<(Slot, String)> {
    let input = |buffer: &Buffer| match &buffer.content {
        Content::Input(name) => Some((Slot::same(name), buffer.name.clone())),
        _ => None,
    };
    signature.inputs.iter().filter_map(input).collect()
}

/// The buffer of checkpoints of a state, if the kernel has one.
fn checkpoints(signature: &Signature, state: &str) -> Option<String> {
    let content = Content::Checkpoint(state.to_owned());
    signature.buffers().find(|buffer| buffer.content == content).map(|buffer| buffer.name.clone())
}

fn define(name: &str, expr: Id) -> Let {
    Let { name: name.to_owned(), expr }
}

/// What is computed of `h` and the threshold.
struct Spiking {
    /// Whether it fires.
    fires: Id,
    /// The same as a number, of `fired`.
    indicator: Id,
    /// The distance from the threshold.
    above: Id,
    /// Whether it fires, of `spike`.
    has_spiked: Id,
}

impl Spiking {
    fn new(g: &mut Graph, leaves: &Leaves, threshold: Id) -> Self {
        let (one, zero) = (g.num(1.0), g.num(0.0));
        Self {
            fires: g.add(Node::Compare(Cmp::Le, threshold, leaves.h)),
            indicator: g.add(Node::Select(leaves.fired, one, zero)),
            above: g.add(Node::Sub(leaves.h, threshold)),
            has_spiked: g.add(Node::Compare(Cmp::Ne, leaves.spike, zero)),
        }
    }
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
    let Spiking { fires, indicator, above, has_spiked } =
        Spiking::new(&mut derived.model.graph, &leaves, threshold);
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

/// The program of a kernel that finds factors in memory.
pub fn backward(derived: &mut Derived, variant: Variant) -> Program {
    let signature = Signature::new(derived, variant.template);
    let mut plan = gradients(derived, variant, signature);
    plan.loads.extend(derived.kept().map(|factor| (Slot::same(&factor.name), factor.name.clone())));
    arrange(derived, plan)
}

/// The program of a kernel that computes a block of steps again, and then its gradients.
pub fn recomputing(derived: &mut Derived, variant: Variant) -> Program {
    let signature = Signature::new(derived, variant.template);
    let which = which_reset(derived, variant);
    let mut plan = gradients(derived, variant, signature);
    let from = derived.recomputed();
    let leaves = derived.model.leaves;

    // The steps again, as far as factors are made of them.
    let next = next_states(derived, which).into_iter().filter(|(name, _)| from.states.contains(name));
    let mut first = Draft { defines: vec![define("h", derived.model.charge)], ..Draft::default() };
    let mut again = Vec::new();
    let mut equations = vec![("h".to_owned(), derived.model.charge)];
    if let Some(threshold) = derived.model.threshold() {
        let g = &mut derived.model.graph;
        let Spiking { fires, indicator, above, has_spiked } = Spiking::new(g, &leaves, threshold);
        first.defines.extend([define("fired", fires), define("spike", indicator)]);
        first.writes.push((Slot::same("grad_s_to_h"), above));
        first.apply.push((Apply::Surrogate, Slot::same("grad_s_to_h")));
        equations.push(("spike".to_owned(), fires));
        // Where the threshold does not move, `h` says whether there was a spike.
        if g.rate(threshold) == Rate::Step {
            again.push(define("fired", has_spiked));
        } else {
            again.extend([define("fired", fires), define("spike", indicator)]);
        }
    }
    for (name, expr) in next {
        let slot = Slot::same(&name);
        equations.push((format!("{name}_next"), expr));
        first.writes.push((slot.clone(), expr));
        let checkpoints = checkpoints(&plan.signature, &name);
        plan.carried.push(Carried { slot, from: Some(name), to: None, checkpoints });
    }
    let factors = derived.kept().filter(|factor| factor.name != "grad_s_to_h");
    for factor in factors {
        equations.push((factor.name.clone(), factor.exprs[which]));
        again.push(define(&factor.name, factor.exprs[which]));
    }

    let gradients = &mut plan.drafts[0];
    gradients.is_backward = true;
    gradients.defines.splice(0..0, again);
    plan.equations.splice(0..0, equations);
    if derived.kept().next().is_some() {
        plan.loads.splice(0..0, inputs(&plan.signature));
        plan.drafts.insert(0, first);
    } else {
        plan.equations.drain(..1);
    }
    arrange(derived, plan)
}

/// What every backward kernel does, given the factors.
fn gradients(derived: &mut Derived, variant: Variant, signature: Signature) -> Plan {
    let mut draft = Draft { is_backward: true, ..Draft::default() };
    draft.defines.push(define("grad_h", derived.grad_h));
    let mut equations = vec![("grad_h".to_owned(), derived.grad_h)];
    let mut stores = Vec::new();
    for grad in &derived.grad_inputs {
        let slot = Slot::same(&format!("grad_{}", grad.of));
        equations.push((slot.name.clone(), grad.expr));
        stores.push((slot.clone(), buffer_of(&signature.outputs, &Content::Input(grad.of.clone()))));
        draft.writes.push((slot, grad.expr));
    }
    let mut carried = Vec::new();
    for grad in &derived.grad_states {
        // Between steps this is the gradient of the state that the later step started from: it enters a
        // step as the gradient of the state after it.
        let slot = Slot::new(&format!("grad_{}", grad.of), &format!("grad_{}_next", grad.of));
        equations.push((slot.name.clone(), grad.expr));
        let (from, to) = (Some(slot.local.clone()), Some(slot.name.clone()));
        carried.push(Carried { slot: slot.clone(), from, to, checkpoints: None });
        draft.writes.push((slot, grad.expr));
    }
    let g = &mut derived.model.graph;
    for grad in &derived.grad_params {
        // The sum over the steps; that over neurons is not the kernel's.
        let slot = Slot::same(&format!("grad_{}", grad.of));
        let sum = g.leaf(&slot.local, Sort::Real, Rate::Step);
        let expr = g.sum(sum, grad.expr);
        equations.push((slot.name.clone(), grad.expr));
        let to = Some(slot.name.clone());
        carried.push(Carried { slot: slot.clone(), from: None, to, checkpoints: None });
        draft.writes.push((slot, expr));
    }
    let output = Slot::same(&format!("grad_{}", derived.model.output.name()));
    let loads = vec![(output, buffer_of(&signature.inputs, &Content::Output))];
    Plan { variant, signature, carried, loads, drafts: vec![draft], stores, equations }
}

fn buffer_of(buffers: &[Buffer], content: &Content) -> String {
    buffers.iter().find(|buffer| buffer.content == *content).expect("in the signature").name.clone()
}
