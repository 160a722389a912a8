//! Symbolic derivatives of an expression.

mod spike;

use std::collections::HashMap;

use crate::ir::{Func, Graph, Id, Node, Quantity, Rate, Sort};
use crate::model::Leaves;

use spike::Cases;
pub use spike::relaxed;

/// The partial derivative of `expr` with respect to the leaf `var`, all other leaves held constant.
///
/// `spike` and the condition `fired` are one quantity: what is chosen by `fired` changes with `spike` by
/// the difference of the two choices.
pub fn derivative(graph: &mut Graph, leaves: &Leaves, expr: Id, var: Id) -> Id {
    let mut derivative =
        Derivative { leaves: Some(leaves), var, cases: Cases::new(leaves), done: HashMap::new() };
    derivative.of(graph, expr)
}

/// The derivative of `expr`, which is no part of a neuron, with respect to the leaf `var`. At a kink it is that
/// to the right, as a spike is fired *at* the threshold: the derivative of `abs` at 0 is 1.
pub fn slope(graph: &mut Graph, expr: Id, var: Id) -> Id {
    Derivative { leaves: None, var, cases: Cases::default(), done: HashMap::new() }.of(graph, expr)
}

struct Derivative<'a> {
    /// Of the neuron, if it is one.
    leaves: Option<&'a Leaves>,
    var: Id,
    cases: Cases,
    done: HashMap<Id, Id>,
}

impl Derivative<'_> {
    fn of(&mut self, g: &mut Graph, expr: Id) -> Id {
        // Operands are older than what uses them: by the time that something asks for their derivatives, these are
        // there. An expression may be as deep as a declaration is long, which recursion could not be.
        for part in g.reach_but([expr], |part| self.done.contains_key(&part)) {
            if g.sort(part) == Sort::Real {
                let result = self.rule(g, part);
                self.done.insert(part, result);
            }
        }
        self.done[&expr]
    }

    fn done(&self, expr: Id) -> Id {
        self.done[&expr]
    }

    fn rule(&mut self, g: &mut Graph, expr: Id) -> Id {
        match g.node(expr) {
            Node::Num(_) => g.num(0.0),
            Node::Leaf(_) => g.num(f64::from(u8::from(expr == self.var))),
            Node::Neg(a) => {
                let da = self.done(a);
                g.neg(da)
            }
            Node::Add(a, b) => {
                let (da, db) = (self.done(a), self.done(b));
                g.sum(da, db)
            }
            Node::Sub(a, b) => {
                let (da, db) = (self.done(a), self.done(b));
                g.sub(da, db)
            }
            Node::Mul(a, b) => {
                let (da, db) = (self.done(a), self.done(b));
                let (left, right) = (g.mul(da, b), g.mul(a, db));
                g.sum(left, right)
            }
            Node::Div(a, b) => {
                // (da - (a / b) db) / b, which shares the quotient with the expression itself.
                let (da, db) = (self.done(a), self.done(b));
                let change = g.mul(expr, db);
                let numerator = g.sub(da, change);
                g.div(numerator, b)
            }
            Node::Powi(a, n) => {
                let da = self.done(a);
                let (n_, power) = (g.num(f64::from(n)), g.powi(a, n - 1));
                let slope = g.mul(n_, power);
                g.mul(slope, da)
            }
            Node::Min(a, b) => {
                let (da, db) = (self.done(a), self.done(b));
                let cond = g.less(a, b);
                g.select(cond, da, db)
            }
            Node::Max(a, b) => {
                let (da, db) = (self.done(a), self.done(b));
                let cond = g.less(b, a);
                g.select(cond, da, db)
            }
            Node::Call(func, a) => {
                let da = self.done(a);
                match func {
                    _ if g.number(da) == Some(0.0) => da,
                    Func::Abs if self.leaves.is_none() => {
                        let zero = g.num(0.0);
                        let (negative, minus) = (g.less(a, zero), g.neg(da));
                        g.select(negative, minus, da)
                    }
                    _ if self.leaves.is_none() => func.chain_alone(g, expr, a, da),
                    _ => func.chain(g, expr, a, da),
                }
            }
            Node::StraightThrough(_, smooth) => self.done(smooth),
            Node::Detach(_) => g.num(0.0),
            Node::Primitive(u) => {
                let du = self.done(u);
                let slope = g.leaf(Quantity::Slope(u), "slope", Sort::Real, Rate::Step);
                g.mul(slope, du)
            }
            Node::Select(cond, a, b) => {
                if let Some(leaves) = self.leaves
                    && self.var == leaves.spike
                    && self.cases.depends(g, cond)
                {
                    let [with, without] = self.cases.of(g, expr);
                    let jump = g.sub(with, without);
                    // Through the alternatives themselves, if they use `spike` as a number.
                    let (da, db) = (self.done(a), self.done(b));
                    let inner = g.select(cond, da, db);
                    return g.sum(jump, inner);
                }
                let (da, db) = (self.done(a), self.done(b));
                if let Some(leaves) = self.leaves
                    && cond == leaves.fired
                    && g.number(da) == Some(0.0)
                    && g.number(db) == Some(1.0)
                {
                    // The way a hard reset is written: `1 - spike` of the potential is kept.
                    return g.sub(db, leaves.spike);
                }
                g.select(cond, da, db)
            }
            Node::Compare(..) | Node::Not(_) | Node::And(..) | Node::Or(..) => {
                unreachable!("a condition has no derivative")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::print::dsl;

    fn setup() -> (Graph, Leaves, Id, Id) {
        let mut g = Graph::default();
        let mut real = |quantity, name: &str, rate| g.leaf(quantity, name, Sort::Real, rate);
        let x = real(Quantity::Input(0), "x", Rate::Step);
        let v = real(Quantity::State(0), "v", Rate::Step);
        let h = real(Quantity::Charged, "h", Rate::Step);
        let spike = real(Quantity::Spike, "spike", Rate::Step);
        let v_threshold = real(Quantity::Threshold, "v_threshold", Rate::Uniform);
        let v_reset = real(Quantity::ResetPotential, "v_reset", Rate::Uniform);
        let fired = g.leaf(Quantity::Fired, "spike", Sort::Bool, Rate::Step);
        (g, Leaves { h, spike, fired, v_threshold, v_reset }, x, v)
    }

    #[test]
    fn constants_disappear() {
        let (mut g, leaves, x, v) = setup();
        let square = g.add(Node::Powi(v, 2));
        let product = g.add(Node::Mul(x, square));
        let dv = derivative(&mut g, &leaves, product, v);
        assert_eq!(dsl(&g, dv), "x * (2 * v)");
        let dx = derivative(&mut g, &leaves, product, x);
        assert_eq!(dsl(&g, dx), "v^2");
        let dh = derivative(&mut g, &leaves, product, leaves.h);
        assert_eq!(dsl(&g, dh), "0");
    }

    #[test]
    fn reset_changes_with_the_spike() {
        let (mut g, leaves, ..) = setup();
        let reset = g.add(Node::Select(leaves.fired, leaves.v_reset, leaves.h));
        let ds = derivative(&mut g, &leaves, reset, leaves.spike);
        assert_eq!(dsl(&g, ds), "v_reset - h");
        let dh = derivative(&mut g, &leaves, reset, leaves.h);
        assert_eq!(dsl(&g, dh), "1 - spike");
        let relaxed_dh = relaxed(&mut g, &leaves, dh);
        assert_eq!(dsl(&g, relaxed_dh), "1 - spike");
        let relaxed_reset = relaxed(&mut g, &leaves, reset);
        assert_eq!(dsl(&g, relaxed_reset), "spike * v_reset + (1 - spike) * h");
    }

    #[test]
    fn compound_conditions_with_the_spike() {
        let (mut g, leaves, x, v) = setup();
        let zero = g.num(0.0);
        let positive = g.less(zero, x);
        let cond = g.add(Node::And(leaves.fired, positive));
        let jump = g.add(Node::Select(cond, x, v));
        let ds = derivative(&mut g, &leaves, jump, leaves.spike);
        assert_eq!(dsl(&g, ds), "(if 0 < x { x } else { v }) - v");
    }

    /// A comparison has no slope, whatever is compared, and is no case of the spike: it compares numbers of the
    /// relaxed model there.
    #[test]
    fn comparisons_of_what_changes_with_the_spike() {
        let (mut g, leaves, x, _) = setup();
        let reset = g.add(Node::Select(leaves.fired, leaves.v_reset, leaves.h));
        let clipped = g.add(Node::Max(reset, x));
        let ds = derivative(&mut g, &leaves, clipped, leaves.spike);
        assert_eq!(dsl(&g, ds), "if x < (if spike { v_reset } else { h }) { v_reset - h } else { 0 }");
        let relaxed_ds = relaxed(&mut g, &leaves, ds);
        assert_eq!(
            dsl(&g, relaxed_ds),
            "if x < spike * v_reset + (1 - spike) * h { v_reset - h } else { 0 }"
        );
        let relaxed_clipped = relaxed(&mut g, &leaves, clipped);
        assert_eq!(dsl(&g, relaxed_clipped), "max(spike * v_reset + (1 - spike) * h, x)");
    }

    /// A chain of squares: a tree of 2^2000 leaves, a graph of 2000.
    #[test]
    fn shared_parts_are_differentiated_once() {
        let (mut g, leaves, x, v) = setup();
        let mut square = g.add(Node::Add(x, v));
        let mut fired = leaves.fired;
        for _ in 0..2000 {
            square = g.add(Node::Mul(square, square));
            fired = g.add(Node::And(fired, fired));
        }
        let choice = g.add(Node::Select(fired, square, x));
        let before = g.reach([choice]).len();
        for var in [x, leaves.spike] {
            let derivative = derivative(&mut g, &leaves, choice, var);
            let relaxed = relaxed(&mut g, &leaves, derivative);
            assert!(g.reach([derivative, relaxed]).len() < 8 * before);
        }
    }
}
