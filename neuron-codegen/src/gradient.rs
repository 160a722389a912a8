//! The gradient of one step, from the derivatives of its equations.
//!
//! A step computes `h` from inputs and states, `spike` from `h` and the threshold, and the next states
//! from all of these. Its gradient is a few products of *factors*, each the derivative of one of these
//! quantities with respect to another:
//!
//! ```text
//! grad_h   = grad_spike * grad_s_to_h + sum over states j of grad_<j>_next * grad_<j>_to_h
//! grad_<k> = grad_h * grad_h_to_<k> + sum over states j of grad_<j>_next * grad_<j>_to_<k>
//!          + grad_spike * grad_s_to_<k>               for every input, state and learnable parameter k
//! ```
//!
//! The gradient of a parameter is the sum of this over all steps and neurons. Where a neuron does not fire,
//! `output` takes the place of the spike and of `s`.
//!
//! `grad_<j>_to_<k>` includes the way through the spike: `dg/dk + dg/dS dS/dk`, with the surrogate for
//! `dS/dh`. In `v` that way is the reset, which `detach_reset` drops. Factors that change from step to step
//! are kept by the forward pass; the others are computed again where they are used.

use std::collections::BTreeSet;

use proc_macro2::Ident;

use crate::derive::{derivative, relaxed};
use crate::ir::{Graph, Id, Node, Rate, Sort};
use crate::model::{Model, Output, Reset};

/// How one quantity changes with another.
#[derive(Clone, Debug)]
pub struct Factor {
    /// `grad_<of>_to_<by>`
    pub name: String,
    /// The derivative, for each of the model's resets in order.
    pub exprs: Vec<Id>,
    /// Whether the forward pass has to keep it for the backward pass.
    pub kept: bool,
    /// What the backward pass reads: a leaf if it is kept, else the derivative itself.
    pub value: Id,
}

/// One gradient that the backward pass returns.
#[derive(Clone, Debug)]
pub struct Grad {
    /// The input or state, `x`.
    pub of: String,
    /// `grad_x`, over `grad_h`, `grad_spike`, `grad_<state>_next` and factors.
    pub expr: Id,
}

/// What a backward pass has to start from to compute the kept factors again.
#[derive(Clone, Debug, Default)]
pub struct Recomputed {
    /// Inputs, in order.
    pub inputs: Vec<String>,
    /// States before the step, in order.
    pub states: Vec<String>,
}

/// Leaves that only gradients use.
#[derive(Clone, Copy, Debug)]
pub struct GradLeaves {
    /// The surrogate's value at `h - threshold`.
    pub s_to_h: Id,
    /// Whether the reset takes the spike as a constant.
    pub detach_reset: Id,
    /// `dL/dS`, or the gradient of what leaves a neuron that does not fire.
    pub output: Id,
    /// `dL/dH`
    pub h: Id,
}

/// A model with its gradient.
#[derive(Clone, Debug)]
pub struct Derived {
    /// The model; its graph holds the derivatives too.
    pub model: Model,
    /// Leaves that only gradients use.
    pub leaves: GradLeaves,
    /// `v` after the step, for each of the model's resets in order.
    pub resets: Vec<Id>,
    /// All factors that are not zero.
    pub factors: Vec<Factor>,
    /// `grad_h`
    pub grad_h: Id,
    /// Gradients of the inputs.
    pub grad_inputs: Vec<Grad>,
    /// Gradients of the states that the step starts from.
    pub grad_states: Vec<Grad>,
    /// What a step adds to the gradients of the learnable parameters.
    pub grad_params: Vec<Grad>,
    /// How the initial value of each state changes with each learnable parameter.
    pub initial: Vec<Vec<Id>>,
}

impl Derived {
    /// Differentiates `model`.
    pub fn new(mut model: Model) -> Self {
        let output = model.output.name();
        let leaves = {
            let g = &mut model.graph;
            GradLeaves {
                s_to_h: g.leaf("grad_s_to_h", Sort::Real, Rate::Step),
                detach_reset: g.leaf("detach_reset", Sort::Bool, Rate::Uniform),
                output: g.leaf(&format!("grad_{output}"), Sort::Real, Rate::Step),
                h: g.leaf("grad_h", Sort::Real, Rate::Step),
            }
        };
        let resets: Vec<Id> =
            model.resets.clone().into_iter().map(|reset| after_reset(&mut model, reset)).collect();
        let mut build = Builder { model: &mut model, leaves, resets: &resets, factors: Vec::new() };
        build.factors();
        let factors = build.factors;
        let mut derived = Self {
            model,
            leaves,
            resets,
            factors,
            grad_h: leaves.h,
            grad_inputs: Vec::new(),
            grad_states: Vec::new(),
            grad_params: Vec::new(),
            initial: Vec::new(),
        };
        derived.backward();
        derived
    }

    /// The factor `grad_<of>_to_<by>`, unless it is zero.
    pub fn factor(&self, of: &str, by: &str) -> Option<&Factor> {
        let name = factor_name(of, by);
        self.factors.iter().find(|factor| factor.name == name)
    }

    /// The factors that the forward pass keeps, in the order of the buffers.
    pub fn kept(&self) -> impl Iterator<Item = &Factor> {
        self.factors.iter().filter(|factor| factor.kept)
    }

    /// The inputs and states from which the kept factors of a sequence can be computed again: those that they are
    /// made of, and those that these states are made of.
    pub fn recomputed(&self) -> Recomputed {
        let model = &self.model;
        let g = &model.graph;
        let mut open: Vec<Id> = self.kept().flat_map(|factor| factor.exprs.clone()).collect();
        let mut reached = BTreeSet::new();
        while let Some(expr) = open.pop() {
            for leaf in g.reach([expr]).into_iter().filter(|&id| g.as_leaf(id).is_some()) {
                if !reached.insert(leaf) {
                    continue;
                }
                let leaves = &model.leaves;
                if leaf == leaves.h {
                    open.push(model.charge);
                } else if [leaves.spike, leaves.fired, self.leaves.s_to_h].contains(&leaf) {
                    open.extend([leaves.h].into_iter().chain(model.threshold()));
                } else if let Some(state) = model.states.iter().position(|state| state.leaf == leaf) {
                    match model.states[state].update.filter(|_| state > 0) {
                        Some(update) => open.push(update),
                        None => open.extend(&self.resets),
                    }
                }
            }
        }
        let read = |leaf: Id, name: &Ident| reached.contains(&leaf).then(|| name.to_string());
        Recomputed {
            inputs: model.inputs.iter().filter_map(|input| read(input.leaf, &input.name)).collect(),
            states: model.states.iter().filter_map(|state| read(state.leaf, &state.name)).collect(),
        }
    }

    /// `expr` in the relaxed model; see [`relaxed`].
    pub fn relaxed(&mut self, expr: Id) -> Id {
        relaxed(&mut self.model.graph, &self.model.leaves, expr)
    }

    fn backward(&mut self) {
        let states: Vec<String> = self.model.states.iter().map(|s| s.name.to_string()).collect();
        let inputs: Vec<String> = self.model.inputs.iter().map(|i| i.name.to_string()).collect();
        self.grad_h = self.accumulate("h", &states);
        self.grad_inputs = inputs.into_iter().map(|of| self.grad(of, &states)).collect();
        self.grad_states = states.clone().into_iter().map(|of| self.grad(of, &states)).collect();
        let params: Vec<String> = self.model.learnables().map(|param| param.name.to_string()).collect();
        self.grad_params = params.into_iter().map(|of| self.grad(of, &states)).collect();
        let leaves = self.model.leaves;
        let learnables: Vec<Id> = self.model.learnables().map(|param| param.leaf).collect();
        for state in self.model.states.clone() {
            let g = &mut self.model.graph;
            let slopes = learnables.iter().map(|&leaf| derivative(g, &leaves, state.init, leaf));
            self.initial.push(slopes.collect());
        }
    }

    fn grad(&mut self, of: String, states: &[String]) -> Grad {
        let expr = self.accumulate(&of, states);
        Grad { of, expr }
    }

    /// The sum over everything that depends on `by` of its gradient times its factor.
    fn accumulate(&mut self, by: &str, states: &[String]) -> Id {
        let through_h = ("h", self.leaves.h);
        let through_output = (self.model.output.symbol(), self.leaves.output);
        // In the order in which an expert writes it: `grad_h` first comes from the spike, others from `grad_h`.
        let mut sources = if by == "h" { vec![through_output] } else { vec![through_h] };
        let next: Vec<Id> = states
            .iter()
            .map(|state| self.model.graph.leaf(&format!("grad_{state}_next"), Sort::Real, Rate::Step))
            .collect();
        sources.extend(states.iter().map(String::as_str).zip(next));
        if by != "h" {
            sources.push(through_output);
        }
        let mut total = self.model.graph.num(0.0);
        for (of, grad) in sources {
            let Some(value) = self.factor(of, by).map(|factor| factor.value) else { continue };
            let product = self.model.graph.mul(grad, value);
            total = self.model.graph.sum(total, product);
        }
        total
    }
}

fn factor_name(of: &str, by: &str) -> String {
    format!("grad_{of}_to_{by}")
}

/// `v` after the step.
fn after_reset(model: &mut Model, reset: Reset) -> Id {
    let leaves = model.leaves;
    let g = &mut model.graph;
    match reset {
        Reset::Hard => g.add(Node::Select(leaves.fired, leaves.v_reset, leaves.h)),
        Reset::Soft => {
            let drop = g.add(Node::Mul(leaves.spike, leaves.v_threshold));
            g.add(Node::Sub(leaves.h, drop))
        }
        Reset::None => leaves.h,
        Reset::Custom => model.states[0].update.expect("the reset is written out"),
    }
}

struct Builder<'a> {
    model: &'a mut Model,
    leaves: GradLeaves,
    resets: &'a [Id],
    factors: Vec<Factor>,
}

impl Builder<'_> {
    fn factors(&mut self) {
        let h = self.model.leaves.h;
        let variables: Vec<(String, Id)> = (self.model.inputs.iter().map(|i| (i.name.to_string(), i.leaf)))
            .chain(self.model.states.iter().map(|s| (s.name.to_string(), s.leaf)))
            .chain(self.model.learnables().map(|p| (p.name.to_string(), p.leaf)))
            .collect();

        match self.model.output {
            // The surrogate, and by the chain rule minus it for a threshold that moves.
            Output::Spike { threshold } => {
                let s_to_h = self.leaves.s_to_h;
                self.keep("s", "h", vec![s_to_h; self.resets.len()]);
                for (by, leaf) in &variables {
                    let slope = self.derivative(threshold, *leaf);
                    let fall = self.model.graph.mul(s_to_h, slope);
                    let expr = self.model.graph.neg(fall);
                    self.push("s", by, vec![expr; self.resets.len()]);
                }
            }
            Output::Value(value) => {
                for (by, leaf) in [("h".to_owned(), h)].iter().chain(&variables) {
                    let expr = self.derivative(value, *leaf);
                    self.push("output", by, vec![expr; self.resets.len()]);
                }
            }
        }

        // The charged potential.
        let charge = self.model.charge;
        for (by, leaf) in &variables {
            let expr = self.derivative(charge, *leaf);
            self.push("h", by, vec![expr; self.resets.len()]);
        }

        // The states: with respect to `h`, then to inputs and old states.
        let states: Vec<(String, Option<Id>)> =
            self.model.states.iter().map(|s| (s.name.to_string(), s.update)).collect();
        for (state, update) in &states {
            for (by, leaf) in [("h".to_owned(), h)].iter().chain(&variables) {
                let exprs = self.resets.iter().map(|&reset| match update {
                    Some(update) if state != "v" => self.state_factor(*update, *leaf, by, false),
                    _ => self.state_factor(reset, *leaf, by, true),
                });
                let exprs: Vec<Id> = exprs.collect();
                // That one is part of the contract of the 2020 API.
                let is_classical =
                    self.model.resets.iter().any(|reset| matches!(reset, Reset::Hard | Reset::Soft));
                if state == "v" && by == "h" && is_classical {
                    self.keep("v", "h", exprs);
                } else {
                    self.push(state, by, exprs);
                }
            }
        }
    }

    /// `dg/dk + dg/dS dS/dk`; the second part is dropped by `detach_reset` if `g` is the reset.
    fn state_factor(&mut self, expr: Id, leaf: Id, by: &str, is_reset: bool) -> Id {
        let direct = self.derivative(expr, leaf);
        let Some(spike_factor) = self.find("s", by) else { return direct };
        let jump = self.derivative(expr, self.model.leaves.spike);
        let g = &mut self.model.graph;
        let through_spike = g.mul(jump, spike_factor);
        let total = g.sum(direct, through_spike);
        if is_reset { g.select(self.leaves.detach_reset, direct, total) } else { total }
    }

    fn derivative(&mut self, expr: Id, leaf: Id) -> Id {
        let leaves = self.model.leaves;
        derivative(&mut self.model.graph, &leaves, expr, leaf)
    }

    fn find(&self, of: &str, by: &str) -> Option<Id> {
        let name = factor_name(of, by);
        self.factors.iter().find(|f| f.name == name).map(|f| f.exprs[0])
    }

    /// Adds a factor, kept if it has to be; nothing if it is zero.
    fn push(&mut self, of: &str, by: &str, exprs: Vec<Id>) {
        if exprs.iter().all(|&expr| self.model.graph.number(expr) == Some(0.0)) {
            return;
        }
        let same_in_all = exprs.iter().all(|expr| *expr == exprs[0]);
        if same_in_all && available(&self.model.graph, &self.leaves, exprs[0]) {
            let value = exprs[0];
            self.factors.push(Factor { name: factor_name(of, by), exprs, kept: false, value });
        } else if let Some(equal) = self.factors.iter().find(|factor| factor.kept && factor.exprs == exprs) {
            let value = equal.value;
            self.factors.push(Factor { name: factor_name(of, by), exprs, kept: false, value });
        } else {
            self.keep(of, by, exprs);
        }
    }

    fn keep(&mut self, of: &str, by: &str, exprs: Vec<Id>) {
        let name = factor_name(of, by);
        let value = self.model.graph.leaf(&name, Sort::Real, Rate::Step);
        self.factors.push(Factor { name, exprs, kept: true, value });
    }
}

/// Whether the backward pass can compute `expr` from parameters and the surrogate's value alone.
fn available(g: &Graph, leaves: &GradLeaves, expr: Id) -> bool {
    g.reach([expr]).into_iter().all(|id| match g.node(id) {
        Node::Leaf(_) => id == leaves.s_to_h || (g.rate(id) != Rate::Step && id != leaves.detach_reset),
        _ => true,
    })
}
