//! Values of expressions: of defaults and ranges when a declaration is checked, of surrogates when they are tried
//! out, of thresholds when a neuron is drawn.

use std::collections::HashMap;

use crate::ir::{Cmp, Func, Graph, Id, Node};

/// Computes expressions of one graph, each once.
pub struct Evaluator<'a> {
    graph: &'a Graph,
    leaves: &'a HashMap<Id, f64>,
    round: fn(f64) -> f64,
    done: HashMap<Id, f64>,
}

impl<'a> Evaluator<'a> {
    /// In float64, given the values of leaves; flags are 0 or 1. What depends on a missing one is NaN.
    pub fn new(graph: &'a Graph, leaves: &'a HashMap<Id, f64>) -> Self {
        Self::rounding(graph, leaves, |x| x)
    }

    /// As [`Evaluator::new`], where every result is passed through `round`.
    pub fn rounding(graph: &'a Graph, leaves: &'a HashMap<Id, f64>, round: fn(f64) -> f64) -> Self {
        Self { graph, leaves, round, done: HashMap::new() }
    }

    /// The number `id`; a condition is 0 or 1.
    pub fn number(&mut self, id: Id) -> f64 {
        if let Some(&done) = self.done.get(&id) {
            return done;
        }
        let value = match self.graph.node(id) {
            Node::Num(bits) => f64::from_bits(bits),
            Node::Leaf(_) => self.leaves.get(&id).copied().unwrap_or(f64::NAN),
            Node::Neg(a) => -self.number(a),
            Node::Add(a, b) => self.number(a) + self.number(b),
            Node::Sub(a, b) => self.number(a) - self.number(b),
            Node::Mul(a, b) => self.number(a) * self.number(b),
            Node::Div(a, b) => self.number(a) / self.number(b),
            Node::Powi(a, n) => {
                let power = (self.round)(libm::pow(self.number(a), f64::from(n.unsigned_abs())));
                if n < 0 { 1.0 / power } else { power }
            }
            Node::Min(a, b) => {
                let (a, b) = (self.number(a), self.number(b));
                if a < b { a } else { b }
            }
            Node::Max(a, b) => {
                let (a, b) = (self.number(a), self.number(b));
                if a > b { a } else { b }
            }
            Node::Call(func, a) => call(func, self.number(a)),
            Node::Select(cond, a, b) => {
                let chosen = if self.holds(cond) { a } else { b };
                self.number(chosen)
            }
            Node::Compare(..) | Node::Not(_) | Node::And(..) | Node::Or(..) => {
                f64::from(u8::from(self.holds(id)))
            }
        };
        let value = (self.round)(value);
        self.done.insert(id, value);
        value
    }

    /// Whether the condition `id` holds.
    pub fn holds(&mut self, id: Id) -> bool {
        match self.graph.node(id) {
            Node::Compare(Cmp::Lt, a, b) => self.number(a) < self.number(b),
            Node::Compare(Cmp::Le, a, b) => self.number(a) <= self.number(b),
            Node::Compare(Cmp::Eq, a, b) => self.number(a) == self.number(b),
            Node::Compare(Cmp::Ne, a, b) => self.number(a) != self.number(b),
            Node::Not(a) => !self.holds(a),
            Node::And(a, b) => self.holds(a) && self.holds(b),
            Node::Or(a, b) => self.holds(a) || self.holds(b),
            _ => self.number(id) != 0.0,
        }
    }
}

/// From a library rather than the platform, so that a declaration means the same wherever it is compiled.
fn call(func: Func, a: f64) -> f64 {
    match func {
        Func::Exp => libm::exp(a),
        Func::Ln => libm::log(a),
        Func::Sqrt => a.sqrt(),
        Func::Tanh => libm::tanh(a),
        Func::Sigmoid => 1.0 / (1.0 + libm::exp(-a)),
        Func::Abs => a.abs(),
        Func::Atan => libm::atan(a),
        Func::Erf => libm::erf(a),
        Func::Sin => libm::sin(a),
        Func::Cos => libm::cos(a),
        Func::Round => libm::rint(a),
    }
}
