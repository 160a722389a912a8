//! The spike as a number between 0 and 1.
//!
//! A choice by `spike` becomes a mixture of its two cases. A condition is such a choice if `spike` decides it by itself
//! or together with others (`spike && v > 0`); a comparison is not, even of numbers that change with the spike: it
//! compares them, and has no slope.

use std::collections::{BTreeSet, HashMap};

use crate::ir::{Graph, Id, Node, Quantity, Rate, Sort};
use crate::model::Leaves;

/// What a condition is under the assumption that the neuron fired, or did not.
#[derive(Clone, Copy, Debug)]
enum Decided {
    Known(bool),
    Open(Id),
}

/// Choices with and without a spike, each condition decided once.
#[derive(Debug, Default)]
pub struct Cases {
    /// The condition `spike`; without one, nothing depends on it.
    fired: Option<Id>,
    depends: HashMap<Id, bool>,
    with: HashMap<Id, Decided>,
    without: HashMap<Id, Decided>,
}

impl Cases {
    /// Of a neuron.
    pub fn new(leaves: &Leaves) -> Self {
        Self { fired: Some(leaves.fired), ..Self::default() }
    }

    /// Whether the condition is `spike`, or is made of it by `!`, `&&` and `||`.
    pub fn depends(&mut self, g: &Graph, cond: Id) -> bool {
        for part in structure(g, cond, |part| self.depends.contains_key(&part)) {
            let depends = match g.node(part) {
                Node::Not(a) => self.depends[&a],
                Node::And(a, b) | Node::Or(a, b) => self.depends[&a] || self.depends[&b],
                _ => Some(part) == self.fired,
            };
            self.depends.insert(part, depends);
        }
        self.depends[&cond]
    }

    /// The choice `expr` with and without a spike.
    pub fn of(&mut self, g: &mut Graph, expr: Id) -> [Id; 2] {
        let Node::Select(cond, a, b) = g.node(expr) else { unreachable!("only called for a choice") };
        [true, false].map(|fired| match self.decide(g, cond, fired) {
            Decided::Known(true) => a,
            Decided::Known(false) => b,
            Decided::Open(cond) => g.select(cond, a, b),
        })
    }

    fn decide(&mut self, g: &mut Graph, cond: Id, fired: bool) -> Decided {
        use Decided::{Known, Open};
        let spike = self.fired;
        let done = if fired { &mut self.with } else { &mut self.without };
        for part in structure(g, cond, |part| done.contains_key(&part)) {
            let decided = match g.node(part) {
                _ if Some(part) == spike => Known(fired),
                Node::Not(a) => match done[&a] {
                    Known(value) => Known(!value),
                    Open(a) => Open(g.add(Node::Not(a))),
                },
                Node::And(a, b) => match (done[&a], done[&b]) {
                    (Known(false), _) | (_, Known(false)) => Known(false),
                    (Known(true), other) | (other, Known(true)) => other,
                    (Open(a), Open(b)) => Open(g.add(Node::And(a, b))),
                },
                Node::Or(a, b) => match (done[&a], done[&b]) {
                    (Known(true), _) | (_, Known(true)) => Known(true),
                    (Known(false), other) | (other, Known(false)) => other,
                    (Open(a), Open(b)) => Open(g.add(Node::Or(a, b))),
                },
                _ => Open(part),
            };
            done.insert(part, decided);
        }
        done[&cond]
    }
}

/// The parts of a condition that are conditions themselves, down to comparisons and to what is `done`; those that others
/// are made of come first.
fn structure(g: &Graph, cond: Id, done: impl Fn(Id) -> bool) -> BTreeSet<Id> {
    let mut parts = BTreeSet::new();
    let mut open = vec![cond];
    while let Some(part) = open.pop() {
        if done(part) || !parts.insert(part) {
            continue;
        }
        if let Node::Not(_) | Node::And(..) | Node::Or(..) = g.node(part) {
            open.extend(g.node(part).operands());
        }
    }
    parts
}

/// `expr` of the relaxed model, in which `spike` is a number between 0 and 1: what `fired` chooses becomes
/// the mixture of both alternatives.
pub fn relaxed(graph: &mut Graph, leaves: &Leaves, expr: Id) -> Id {
    let mut relaxed = Relaxed { spike: leaves.spike, cases: Cases::new(leaves), done: HashMap::new() };
    relaxed.of(graph, expr)
}

struct Relaxed {
    spike: Id,
    cases: Cases,
    done: HashMap<Id, Id>,
}

impl Relaxed {
    fn of(&mut self, g: &mut Graph, expr: Id) -> Id {
        // Operands are older than what uses them.
        for part in g.reach_but([expr], |part| self.done.contains_key(&part)) {
            let result = self.part(g, part);
            self.done.insert(part, result);
        }
        self.done[&expr]
    }

    fn part(&mut self, g: &mut Graph, expr: Id) -> Id {
        match g.node(expr) {
            Node::Select(cond, a, b) if self.cases.depends(g, cond) => {
                let (a, b) = (self.done[&a], self.done[&b]);
                let [with, without] = [true, false].map(|fired| match self.cases.decide(g, cond, fired) {
                    Decided::Known(true) => a,
                    Decided::Known(false) => b,
                    Decided::Open(cond) => {
                        let cond = self.condition(g, cond);
                        g.select(cond, a, b)
                    }
                });
                let one = g.num(1.0);
                let rest = g.sub(one, self.spike);
                let (left, right) = (g.mul(self.spike, with), g.mul(rest, without));
                g.sum(left, right)
            }
            // What the straight-through estimator takes it for, where a gradient may flow through it.
            Node::Call(func, a) if func.is_rounding() && g.rate(a) != Rate::Uniform => self.done[&a],
            // The same of whatever else is differentiated as something smooth.
            Node::StraightThrough(_, smooth) if g.rate(expr) != Rate::Uniform => self.done[&smooth],
            Node::Primitive(u) => {
                let u = self.done[&u];
                smooth(g, u)
            }
            Node::Detach(a) if g.rate(a) != Rate::Uniform => {
                let a = self.done[&a];
                g.leaf(Quantity::Held(a), "held", Sort::Real, Rate::Step)
            }
            Node::Leaf(_) => match g.quantity(expr) {
                // Not an operand, and older; no surrogate gradient is part of it. Its name stays: others have theirs.
                Some(Quantity::Slope(u)) => {
                    let name = g.as_leaf(expr).expect("a leaf").name.clone();
                    let u = self.of(g, u);
                    g.leaf(Quantity::Slope(u), &name, Sort::Real, Rate::Step)
                }
                _ => expr,
            },
            node => g.add(node.map(|operand| self.done[&operand])),
        }
    }

    /// A condition that is left of one when the spike is decided; what it compares has been relaxed.
    fn condition(&mut self, g: &mut Graph, cond: Id) -> Id {
        for part in structure(g, cond, |part| self.done.contains_key(&part)) {
            let node = g.node(part).map(|operand| self.done[&operand]);
            let relaxed = g.add(node);
            self.done.insert(part, relaxed);
        }
        self.done[&cond]
    }
}

/// The leaf that stands for the surrogate's primitive at `u`.
fn smooth(g: &mut Graph, u: Id) -> Id {
    g.leaf(Quantity::Smooth(u), "primitive", Sort::Real, Rate::Step)
}
