//! Whether a step is affine in the states before it: then steps compose to steps of the same form, which a scan makes use of.

use std::collections::HashMap;

use crate::gradient::Derived;
use crate::interface::Role;
use crate::ir::{Id, Node, Quantity};
use crate::kernel::Subject;
use crate::model::Output;

/// How a value depends on the states before the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Dependence {
    /// Not at all.
    None,
    /// It is a sum of multiples of them, and something else; what they are multiplied by does not depend on them.
    Affine,
    /// In another way.
    Other,
}

impl Derived {
    /// Every state after a step, under the reset at the place `which` among the model's.
    pub fn next_states(&self, which: usize) -> Vec<Id> {
        let states = self.model.states.iter().enumerate();
        states.map(|(i, state)| state.update.filter(|_| i > 0).unwrap_or(self.resets[which])).collect()
    }

    /// The equation that keeps a step from being affine in the states under that reset; `None` if the step is affine.
    pub fn nonlinear(&self, which: usize) -> Option<Subject> {
        let mut dependences = Dependences { derived: self, done: HashMap::new() };
        let next = self.next_states(which);
        let state = next.iter().position(|&next| dependences.of(next) == Dependence::Other)?;
        let is_charged = self.model.graph.contains(next[state], self.model.leaves.h);
        if is_charged && dependences.of(self.model.charge) == Dependence::Other {
            return Some(Subject::Charged);
        }
        Some(Subject::Array(Role::NextState(state)))
    }
}

struct Dependences<'a> {
    derived: &'a Derived,
    done: HashMap<Id, Dependence>,
}

impl Dependences<'_> {
    fn of(&mut self, expr: Id) -> Dependence {
        // Operands come before what uses them.
        for part in self.derived.model.graph.reach_but([expr], |part| self.done.contains_key(&part)) {
            let dependence = self.rule(part);
            self.done.insert(part, dependence);
        }
        self.done[&expr]
    }

    fn rule(&mut self, id: Id) -> Dependence {
        let g = &self.derived.model.graph;
        let node = g.node(id);
        let done = |id: Id| self.done[&id];
        let most = node.operands().map(done).max().unwrap_or(Dependence::None);
        let unless_it_depends = |id: Id| if done(id) == Dependence::None { most } else { Dependence::Other };
        match node {
            Node::Num(_) => Dependence::None,
            Node::Leaf(_) => self.leaf(id),
            Node::Neg(_) | Node::Add(..) | Node::Sub(..) => most,
            Node::Mul(a, b) if done(a).min(done(b)) == Dependence::None => most,
            Node::Div(_, b) => unless_it_depends(b),
            Node::Select(cond, _, _) => unless_it_depends(cond),
            Node::StraightThrough(value, _) | Node::Detach(value) => done(value),
            _ if most == Dependence::None => Dependence::None,
            _ => Dependence::Other,
        }
    }

    fn leaf(&mut self, id: Id) -> Dependence {
        let model = &self.derived.model;
        match model.graph.quantity(id) {
            Some(Quantity::State(_)) => Dependence::Affine,
            Some(Quantity::Charged) => self.of(model.charge),
            Some(Quantity::Spike | Quantity::Fired) => {
                let of = match (model.spike, model.output) {
                    (Some(spike), _) => self.of(spike.value),
                    (None, Output::Spike { threshold, .. }) => self.of(threshold).max(self.of(model.charge)),
                    (None, _) => Dependence::None,
                };
                if of == Dependence::None { of } else { Dependence::Other }
            }
            _ => Dependence::None,
        }
    }
}
