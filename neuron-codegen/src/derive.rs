//! Symbolic derivatives of an expression.

use std::collections::HashMap;

use crate::ir::{Func, Graph, Id, Node};
use crate::model::Leaves;

/// The partial derivative of `expr` with respect to the leaf `var`, all other leaves held constant.
///
/// `spike` and the condition `fired` are one quantity: what is chosen by `fired` changes with `spike` by
/// the difference of the two choices.
pub fn derivative(graph: &mut Graph, leaves: &Leaves, expr: Id, var: Id) -> Id {
    Derivative { leaves: Some(leaves), var, done: HashMap::new() }.of(graph, expr)
}

/// The derivative of `expr`, which is no part of a neuron, with respect to the leaf `var`. At a kink it is that
/// to the right, as a spike is fired *at* the threshold: the derivative of `abs` at 0 is 1.
pub fn slope(graph: &mut Graph, expr: Id, var: Id) -> Id {
    Derivative { leaves: None, var, done: HashMap::new() }.of(graph, expr)
}

struct Derivative<'a> {
    /// Of the neuron, if it is one.
    leaves: Option<&'a Leaves>,
    var: Id,
    done: HashMap<Id, Id>,
}

impl Derivative<'_> {
    fn of(&mut self, g: &mut Graph, expr: Id) -> Id {
        if let Some(&done) = self.done.get(&expr) {
            return done;
        }
        let result = self.rule(g, expr);
        self.done.insert(expr, result);
        result
    }

    fn rule(&mut self, g: &mut Graph, expr: Id) -> Id {
        match g.node(expr) {
            Node::Num(_) => g.num(0.0),
            Node::Leaf(_) => g.num(f64::from(u8::from(expr == self.var))),
            Node::Neg(a) => {
                let da = self.of(g, a);
                g.neg(da)
            }
            Node::Add(a, b) => {
                let (da, db) = (self.of(g, a), self.of(g, b));
                g.sum(da, db)
            }
            Node::Sub(a, b) => {
                let (da, db) = (self.of(g, a), self.of(g, b));
                g.sub(da, db)
            }
            Node::Mul(a, b) => {
                let (da, db) = (self.of(g, a), self.of(g, b));
                let (left, right) = (g.mul(da, b), g.mul(a, db));
                g.sum(left, right)
            }
            Node::Div(a, b) => {
                // (da - (a / b) db) / b, which shares the quotient with the expression itself.
                let (da, db) = (self.of(g, a), self.of(g, b));
                let change = g.mul(expr, db);
                let numerator = g.sub(da, change);
                g.div(numerator, b)
            }
            Node::Powi(a, n) => {
                let da = self.of(g, a);
                let (n_, power) = (g.num(f64::from(n)), g.powi(a, n - 1));
                let slope = g.mul(n_, power);
                g.mul(slope, da)
            }
            Node::Min(a, b) => {
                let (da, db) = (self.of(g, a), self.of(g, b));
                let cond = g.less(a, b);
                g.select(cond, da, db)
            }
            Node::Max(a, b) => {
                let (da, db) = (self.of(g, a), self.of(g, b));
                let cond = g.less(b, a);
                g.select(cond, da, db)
            }
            Node::Call(func, a) => {
                let da = self.of(g, a);
                match func {
                    _ if g.number(da) == Some(0.0) => da,
                    Func::Abs if self.leaves.is_none() => {
                        let zero = g.num(0.0);
                        let (negative, minus) = (g.less(a, zero), g.neg(da));
                        g.select(negative, minus, da)
                    }
                    _ => chain(g, func, expr, a, da),
                }
            }
            Node::Select(cond, a, b) => {
                if let Some(leaves) = self.leaves
                    && self.var == leaves.spike
                    && g.contains(cond, leaves.fired)
                {
                    let [with, without] = cases(g, leaves, expr);
                    let jump = g.sub(with, without);
                    // Through the alternatives themselves, if they use `spike` as a number.
                    let (da, db) = (self.of(g, a), self.of(g, b));
                    let inner = g.select(cond, da, db);
                    return g.sum(jump, inner);
                }
                let (da, db) = (self.of(g, a), self.of(g, b));
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

/// The derivative of `expr = func(a)`, given that of `a`.
fn chain(g: &mut Graph, func: Func, expr: Id, a: Id, da: Id) -> Id {
    let one = g.num(1.0);
    match func {
        Func::Exp => g.mul(da, expr),
        Func::Ln => g.div(da, a),
        Func::Sqrt => {
            let two = g.num(2.0);
            let twice = g.mul(two, expr);
            g.div(da, twice)
        }
        Func::Tanh => {
            let square = g.mul(expr, expr);
            let slope = g.sub(one, square);
            g.mul(da, slope)
        }
        Func::Sigmoid => {
            let rest = g.sub(one, expr);
            let slope = g.mul(expr, rest);
            g.mul(da, slope)
        }
        Func::Abs => {
            // 0 at 0, the middle of the subgradients, as PyTorch has it.
            let zero = g.num(0.0);
            let (negative, positive) = (g.less(a, zero), g.less(zero, a));
            let minus = g.neg(da);
            let right = g.select(positive, da, zero);
            g.select(negative, minus, right)
        }
        Func::Atan => {
            let square = g.mul(a, a);
            let denominator = g.sum(one, square);
            g.div(da, denominator)
        }
        Func::Erf => {
            let square = g.mul(a, a);
            let exponent = g.neg(square);
            let gauss = g.call(Func::Exp, exponent);
            let scale = g.num(std::f64::consts::FRAC_2_SQRT_PI);
            let slope = g.mul(scale, gauss);
            g.mul(da, slope)
        }
        // The straight-through estimator (Bengio et al., 2013): the derivative of what was rounded.
        Func::Round => da,
        Func::Sin => {
            let slope = g.call(Func::Cos, a);
            g.mul(da, slope)
        }
        Func::Cos => {
            let sin = g.call(Func::Sin, a);
            let slope = g.neg(sin);
            g.mul(da, slope)
        }
    }
}

/// `Select` expression `expr` with and without a spike: `fired` replaced by true and by false in its condition.
fn cases(g: &mut Graph, leaves: &Leaves, expr: Id) -> [Id; 2] {
    let Node::Select(cond, a, b) = g.node(expr) else { unreachable!("only called for a choice") };
    [true, false].map(|fired| match decide(g, leaves, cond, fired) {
        Decided::Known(true) => a,
        Decided::Known(false) => b,
        Decided::Open(cond) => g.select(cond, a, b),
    })
}

enum Decided {
    Known(bool),
    Open(Id),
}

/// `cond` under the assumption that the neuron fired or did not.
fn decide(g: &mut Graph, leaves: &Leaves, cond: Id, fired: bool) -> Decided {
    use Decided::{Known, Open};
    match g.node(cond) {
        _ if cond == leaves.fired => Known(fired),
        Node::Not(a) => match decide(g, leaves, a, fired) {
            Known(value) => Known(!value),
            Open(a) => Open(g.add(Node::Not(a))),
        },
        Node::And(a, b) => match (decide(g, leaves, a, fired), decide(g, leaves, b, fired)) {
            (Known(false), _) | (_, Known(false)) => Known(false),
            (Known(true), other) | (other, Known(true)) => other,
            (Open(a), Open(b)) => Open(g.add(Node::And(a, b))),
        },
        Node::Or(a, b) => match (decide(g, leaves, a, fired), decide(g, leaves, b, fired)) {
            (Known(true), _) | (_, Known(true)) => Known(true),
            (Known(false), other) | (other, Known(false)) => other,
            (Open(a), Open(b)) => Open(g.add(Node::Or(a, b))),
        },
        _ => Open(cond),
    }
}

/// `expr` of the relaxed model, in which `spike` is a number between 0 and 1: what `fired` chooses becomes
/// the mixture of both alternatives.
pub fn relaxed(graph: &mut Graph, leaves: &Leaves, expr: Id) -> Id {
    Relaxed { leaves, done: HashMap::new() }.of(graph, expr)
}

struct Relaxed<'a> {
    leaves: &'a Leaves,
    done: HashMap<Id, Id>,
}

impl Relaxed<'_> {
    fn of(&mut self, g: &mut Graph, expr: Id) -> Id {
        if let Some(&done) = self.done.get(&expr) {
            return done;
        }
        let node = g.node(expr);
        let result = match node {
            Node::Select(cond, ..) if g.contains(cond, self.leaves.fired) => {
                let [with, without] = cases(g, self.leaves, expr);
                let (with, without) = (self.of(g, with), self.of(g, without));
                let one = g.num(1.0);
                let rest = g.sub(one, self.leaves.spike);
                let (left, right) = (g.mul(self.leaves.spike, with), g.mul(rest, without));
                g.sum(left, right)
            }
            // What the straight-through estimator takes it for.
            Node::Call(Func::Round, a) => self.of(g, a),
            _ => {
                let node = node.map(|operand| self.of(g, operand));
                g.add(node)
            }
        };
        self.done.insert(expr, result);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Rate, Sort};
    use crate::print::dsl;

    fn setup() -> (Graph, Leaves, Id, Id) {
        let mut g = Graph::default();
        let mut real = |name: &str, rate| g.leaf(name, Sort::Real, rate);
        let (x, v) = (real("x", Rate::Step), real("v", Rate::Step));
        let (h, spike) = (real("h", Rate::Step), real("spike", Rate::Step));
        let (v_threshold, v_reset) = (real("v_threshold", Rate::Uniform), real("v_reset", Rate::Uniform));
        let fired = g.leaf("fired", Sort::Bool, Rate::Step);
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
}
