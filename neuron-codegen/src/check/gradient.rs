//! What cannot be learned: gradients that are 0 everywhere, because a condition has no slope.

use std::collections::HashSet;

use super::Checker;
use crate::ir::{Id, Node, Rate};
use crate::model::{Model, Output, ParamKind, Reset};
use crate::report::{Diagnostic, Extent};

impl Checker<'_> {
    /// Reports learnable parameters without a gradient, and warns of inputs and outputs without one.
    pub fn gradients(&mut self, model: &Model) {
        let sloped = self.sloped(equations(model));
        for param in model.params.iter().filter(|param| param.kind == ParamKind::Learnable) {
            if !sloped.contains(&param.leaf) {
                let name = &param.name;
                let message = format!("`{name}` is learnable, but its gradient is 0 everywhere");
                let error = Diagnostic::new(name, message);
                self.lowering.report.push(if self.is_mentioned(model, param.leaf) {
                    error.help(format!(
                        "it is only compared with something, which has no slope, or detached; if it is not to be \
                         learned, write `array {name}`"
                    ))
                } else {
                    error.help("no equation depends on it; to give it another default only, write `param`")
                });
            }
        }
        for input in model.inputs.iter().filter(|input| !sloped.contains(&input.leaf)) {
            let name = &input.name;
            // What is not declared has no place of its own.
            let implicit = self.lowering.scope.equation.filter(|_| self.lowering.scope.inputs.is_empty());
            let extent = implicit.map_or(Extent::from(name), |charge| charge.extent);
            let message = format!("the gradient of the input `{name}` is 0 everywhere");
            self.lowering.warnings.push(
                Diagnostic::new(extent, message).help(
                    "it is only compared with something, which has no slope; nothing before it can learn",
                ),
            );
        }
        if let (Some(spike), Some(written)) = (model.spike, self.lowering.scope.spike) {
            let depends = |leaf: &Id| self.lowering.graph.rate(*leaf) == Rate::Step;
            if !self.sloped([spike.value]).iter().any(depends) {
                let message = "the gradient of `spike` is 0 everywhere: conditions have no slope";
                self.lowering.warnings.push(Diagnostic::new(written.extent, message).help(
                    "a comparison has a surrogate gradient: write `spike = h > v_threshold;`, or `heaviside(h > v_threshold)` \
                     as a part of it",
                ));
            }
        }
        if let (Output::Value(value), Some(written)) = (model.output, self.lowering.scope.output) {
            let depends = |leaf: &Id| self.lowering.graph.rate(*leaf) == Rate::Step;
            if !self.sloped([value]).iter().any(depends) {
                let message = "the gradient of `output` is 0 everywhere: conditions have no slope";
                self.lowering.warnings.push(Diagnostic::new(written.extent, message).help(
                    "a neuron that fires has a surrogate gradient: write `spike = ...` in place of `output`; or write a step as \
                     `heaviside(..)`",
                ));
            }
        }
    }

    /// The leaves that the values of `roots` change with, smoothly or by the surrogate.
    fn sloped(&self, roots: impl IntoIterator<Item = Id>) -> HashSet<Id> {
        let mut open: Vec<Id> = roots.into_iter().collect();
        let (mut reached, mut leaves) = (HashSet::new(), HashSet::new());
        while let Some(id) = open.pop() {
            if !reached.insert(id) {
                continue;
            }
            match self.lowering.graph.node(id) {
                Node::Leaf(_) => drop(leaves.insert(id)),
                Node::Select(cond, a, b) => {
                    open.extend([a, b]);
                    // What the spike chooses changes with it.
                    open.extend(
                        self.lowering.graph.contains(cond, self.leaves.fired).then_some(self.leaves.spike),
                    );
                }
                Node::StraightThrough(_, smooth) => open.push(smooth),
                Node::Detach(_) => {}
                node => open.extend(node.operands()),
            }
        }
        leaves
    }

    fn is_mentioned(&self, model: &Model, leaf: Id) -> bool {
        self.lowering.graph.reach(equations(model)).contains(&leaf)
    }
}

/// Everything that a step computes, and what it begins with.
fn equations(model: &Model) -> Vec<Id> {
    let mut equations = vec![model.charge];
    equations.extend(model.outputs());
    for state in &model.states {
        equations.push(state.init);
        equations.extend(state.update);
    }
    for reset in &model.resets {
        match reset {
            Reset::Hard => equations.push(model.leaves.v_reset),
            Reset::Soft => equations.push(model.leaves.v_threshold),
            Reset::None | Reset::Custom => {}
        }
    }
    equations
}
