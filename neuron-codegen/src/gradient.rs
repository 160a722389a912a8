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

use crate::derive::{derivative, relaxed};
use crate::interface::{Interface, Role};
use crate::ir::{Graph, Id, Node, Quantity, Rate, Sort};
use crate::model::{Model, Output, ParamKind, Reset};

/// How one quantity changes with another.
#[derive(Clone, Debug)]
pub struct Factor {
    /// What changes: [`Quantity::Output`], [`Quantity::Charged`], or a state after the step.
    pub of: Quantity,
    /// With what: [`Quantity::Charged`], an input, a state before the step or a learnable parameter.
    pub by: Quantity,
    /// What equations call it: `grad_<of>_to_<by>`. No other factor has that name.
    pub name: String,
    /// The derivative, for each of the model's resets in order.
    pub exprs: Vec<Id>,
    /// Whether the forward pass has to keep it for the backward pass.
    pub kept: bool,
    /// What the backward pass reads: a leaf if it is kept, else the derivative itself.
    pub value: Id,
}

/// One gradient that the backward pass returns.
#[derive(Clone, Copy, Debug)]
pub struct Grad {
    /// Its place among the model's inputs, states or parameters.
    pub index: usize,
    /// Over `grad_h`, `grad_spike`, `grad_<state>_next` and factors.
    pub expr: Id,
}

/// What a backward pass has to start from to compute the kept factors again.
#[derive(Clone, Debug, Default)]
pub struct Recomputed {
    /// Inputs, by their places.
    pub inputs: Vec<usize>,
    /// States before the step, by their places.
    pub states: Vec<usize>,
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
    /// What everything is called in interfaces and in generated code.
    pub interface: Interface,
}

impl Derived {
    /// Differentiates `model`.
    pub fn new(mut model: Model) -> Self {
        let output = format!("grad_{}", model.output.name());
        let leaves = {
            let g = &mut model.graph;
            GradLeaves {
                s_to_h: g.leaf(Quantity::Surrogate, "grad_s_to_h", Sort::Real, Rate::Step),
                detach_reset: g.leaf(Quantity::DetachReset, "detach_reset", Sort::Bool, Rate::Uniform),
                output: g.leaf(Quantity::GradOutput, &output, Sort::Real, Rate::Step),
                h: g.leaf(Quantity::GradCharged, "grad_h", Sort::Real, Rate::Step),
            }
        };
        let resets: Vec<Id> =
            model.resets.clone().into_iter().map(|reset| after_reset(&mut model, reset)).collect();
        let mut interface = Interface::new(&model);
        name_slopes(&mut model, &resets, &mut interface);
        let mut build = Builder {
            model: &mut model,
            leaves,
            resets: &resets,
            interface: &mut interface,
            factors: Vec::new(),
        };
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
            interface,
        };
        derived.backward();
        derived
    }

    /// How `of` changes with `by`, unless that is zero.
    pub fn factor(&self, of: Quantity, by: Quantity) -> Option<&Factor> {
        self.factors.iter().find(|factor| (factor.of, factor.by) == (of, by))
    }

    /// The factors that the forward pass keeps, in the order of the buffers.
    pub fn kept(&self) -> impl Iterator<Item = &Factor> {
        self.factors.iter().filter(|factor| factor.kept)
    }

    /// The factor that [`Role::Factor`] says the place of.
    ///
    /// # Panics
    /// No such factor is kept.
    pub fn kept_factor(&self, index: usize) -> &Factor {
        self.kept().nth(index).expect("a factor that is kept")
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
                match g.quantity(leaf) {
                    Some(Quantity::Charged) => open.push(model.charge),
                    Some(Quantity::Spike | Quantity::Fired | Quantity::Surrogate) => match model.spike {
                        Some(spike) => open.push(spike.value),
                        None => open.extend([model.leaves.h].into_iter().chain(model.threshold())),
                    },
                    Some(Quantity::Slope(distance)) => open.push(distance),
                    Some(Quantity::State(state)) => match model.states[state].update.filter(|_| state > 0) {
                        Some(update) => open.push(update),
                        None => open.extend(&self.resets),
                    },
                    _ => {}
                }
            }
        }
        let read = |leaves: Vec<Id>| {
            let reached = leaves.into_iter().enumerate().filter(|(_, leaf)| reached.contains(leaf));
            reached.map(|(place, _)| place).collect()
        };
        Recomputed {
            inputs: read(model.inputs.iter().map(|input| input.leaf).collect()),
            states: read(model.states.iter().map(|state| state.leaf).collect()),
        }
    }

    /// `expr` in the relaxed model; see [`relaxed`].
    pub fn relaxed(&mut self, expr: Id) -> Id {
        relaxed(&mut self.model.graph, &self.model.leaves, expr)
    }

    fn backward(&mut self) {
        let model = &self.model;
        let inputs: Vec<_> = model.inputs.iter().map(|input| input.leaf).enumerate().collect();
        let states: Vec<_> = model.states.iter().map(|state| state.leaf).enumerate().collect();
        let params = model.params.iter().enumerate();
        let learnables = params.filter(|(_, param)| param.kind == ParamKind::Learnable);
        let learnables: Vec<_> = learnables.map(|(index, param)| (index, param.leaf)).collect();
        self.grad_h = self.accumulate(model.leaves.h);
        self.grad_inputs = self.grads(&inputs);
        self.grad_states = self.grads(&states);
        self.grad_params = self.grads(&learnables);
        let leaves = self.model.leaves;
        for state in self.model.states.clone() {
            let g = &mut self.model.graph;
            let slopes = learnables.iter().map(|&(_, leaf)| derivative(g, &leaves, state.init, leaf));
            self.initial.push(slopes.collect());
        }
    }

    fn grads(&mut self, leaves: &[(usize, Id)]) -> Vec<Grad> {
        leaves.iter().map(|&(index, leaf)| Grad { index, expr: self.accumulate(leaf) }).collect()
    }

    /// The leaf that stands for the gradient of a state after the step.
    pub(crate) fn grad_next(&mut self, state: usize) -> Id {
        let name = self.interface.name(Role::GradNextState(state), true);
        self.model.graph.leaf(Quantity::GradNext(state), name, Sort::Real, Rate::Step)
    }

    /// The sum over everything that depends on the leaf `by` of its gradient times its factor.
    fn accumulate(&mut self, by: Id) -> Id {
        let by = self.model.graph.quantity(by).expect("a leaf");
        let through_output = (Quantity::Output, self.leaves.output);
        // In the order in which an expert writes it: `grad_h` first comes from the spike, others from `grad_h`.
        let is_h = by == Quantity::Charged;
        let mut sources = if is_h { vec![through_output] } else { vec![(Quantity::Charged, self.leaves.h)] };
        for state in 0..self.model.states.len() {
            sources.push((Quantity::State(state), self.grad_next(state)));
        }
        if !is_h {
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

/// Gives names to the surrogate gradients of step functions other than the spike's.
fn name_slopes(model: &mut Model, resets: &[Id], interface: &mut Interface) {
    let updates = model.states.iter().filter_map(|state| state.update);
    let roots: Vec<Id> = [model.charge]
        .into_iter()
        .chain(model.outputs())
        .chain(resets.iter().copied())
        .chain(updates)
        .collect();
    for part in model.graph.reach(roots) {
        if let Node::Primitive(distance) = model.graph.node(part) {
            let name = interface.value("slope", model.names.values());
            model.graph.leaf(Quantity::Slope(distance), &name, Sort::Real, Rate::Step);
        }
    }
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
    interface: &'a mut Interface,
    factors: Vec<Factor>,
}

impl Builder<'_> {
    fn factors(&mut self) {
        let h = self.model.leaves.h;
        // What a step starts from and is differentiated with respect to.
        let variables: Vec<Id> = (self.model.inputs.iter().map(|input| input.leaf))
            .chain(self.model.states.iter().map(|state| state.leaf))
            .chain(self.model.learnables().map(|param| param.leaf))
            .collect();
        let h_and_variables: Vec<Id> = [h].into_iter().chain(variables.iter().copied()).collect();

        match self.model.output {
            // The surrogate, and by the chain rule minus it for a threshold that moves.
            Output::Spike { threshold, .. } => {
                let s_to_h = self.leaves.s_to_h;
                self.push_kept(Quantity::Output, h, vec![s_to_h; self.resets.len()], s_to_h);
                for &by in &variables {
                    let slope = self.derivative(threshold, by);
                    let fall = self.model.graph.mul(s_to_h, slope);
                    let expr = self.model.graph.neg(fall);
                    self.push(Quantity::Output, by, vec![expr; self.resets.len()]);
                }
            }
            Output::Spikes | Output::Value(_) => {
                for &by in &h_and_variables {
                    let expr = match self.model.output {
                        Output::Value(value) => self.state_factor(value, by, false),
                        _ => self.of_spike(by).expect("the spike is computed"),
                    };
                    self.push(Quantity::Output, by, vec![expr; self.resets.len()]);
                }
            }
        }

        // The charged potential.
        let charge = self.model.charge;
        for &by in &variables {
            let expr = self.derivative(charge, by);
            self.push(Quantity::Charged, by, vec![expr; self.resets.len()]);
        }

        // The states: with respect to `h`, then to inputs and old states.
        let is_classical = self.model.resets.iter().any(|reset| matches!(reset, Reset::Hard | Reset::Soft));
        let updates: Vec<Option<Id>> = self.model.states.iter().map(|state| state.update).collect();
        for (state, update) in updates.into_iter().enumerate() {
            let of = Quantity::State(state);
            for &by in &h_and_variables {
                let exprs = self.resets.iter().map(|&reset| match update {
                    Some(update) if state > 0 => self.state_factor(update, by, false),
                    _ => self.state_factor(reset, by, true),
                });
                let exprs: Vec<Id> = exprs.collect();
                // That one is part of the contract of the 2020 API.
                if state == 0 && by == h && is_classical {
                    self.keep(of, by, exprs);
                } else {
                    self.push(of, by, exprs);
                }
            }
        }
    }

    /// `dg/dk + dg/dS dS/dk`; the second part is dropped by `detach_reset` if `g` is the reset.
    fn state_factor(&mut self, expr: Id, by: Id, is_reset: bool) -> Id {
        let direct = self.derivative(expr, by);
        let Some(spike_factor) = self.of_spike(by) else { return direct };
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

    /// How the spike changes with the leaf `by`, if it does. It is the same under every reset.
    fn of_spike(&mut self, by: Id) -> Option<Id> {
        if let Some(spike) = self.model.spike {
            return Some(self.derivative(spike.value, by));
        }
        self.model.threshold()?;
        let by = self.quantity(by);
        let factor = self.factors.iter().find(|f| (f.of, f.by) == (Quantity::Output, by));
        factor.map(|factor| factor.exprs[0])
    }

    fn quantity(&self, leaf: Id) -> Quantity {
        self.model.graph.quantity(leaf).expect("derivatives are with respect to leaves")
    }

    /// Adds the factor of `of` by the leaf `by`, kept if it has to be; nothing if it is zero.
    fn push(&mut self, of: Quantity, by: Id, exprs: Vec<Id>) {
        if exprs.iter().all(|&expr| self.model.graph.number(expr) == Some(0.0)) {
            return;
        }
        let same_in_all = exprs.iter().all(|expr| *expr == exprs[0]);
        let value = if same_in_all && available(&self.model.graph, &self.leaves, exprs[0]) {
            Some(exprs[0])
        } else {
            let mut kept = self.factors.iter().filter(|factor| factor.kept);
            kept.find(|factor| factor.exprs == exprs).map(|equal| equal.value)
        };
        match value {
            Some(value) => {
                let by = self.quantity(by);
                let name = self.interface.factor(self.model, of, by);
                self.factors.push(Factor { of, by, name, exprs, kept: false, value });
            }
            None => self.keep(of, by, exprs),
        }
    }

    fn keep(&mut self, of: Quantity, by: Id, exprs: Vec<Id>) {
        let name = self.interface.factor(self.model, of, self.quantity(by));
        let leaf = Quantity::Factor(self.factors.len());
        let value = self.model.graph.leaf(leaf, &name, Sort::Real, Rate::Step);
        self.push_kept(of, by, exprs, value);
    }

    fn push_kept(&mut self, of: Quantity, by: Id, exprs: Vec<Id>, value: Id) {
        let by = self.quantity(by);
        let name = self.interface.factor(self.model, of, by);
        self.factors.push(Factor { of, by, name, exprs, kept: true, value });
    }
}

/// Whether the backward pass can compute `expr` from parameters and the surrogate's value alone.
fn available(g: &Graph, leaves: &GradLeaves, expr: Id) -> bool {
    g.reach([expr]).into_iter().all(|id| match g.node(id) {
        Node::Leaf(_) => id == leaves.s_to_h || (g.rate(id) != Rate::Step && id != leaves.detach_reset),
        // The relaxed model takes it for its argument, and leaves that to the backward pass.
        Node::Call(func, a) if func.is_rounding() => g.rate(a) == Rate::Uniform,
        Node::StraightThrough(..) => g.rate(id) == Rate::Uniform,
        _ => true,
    })
}
