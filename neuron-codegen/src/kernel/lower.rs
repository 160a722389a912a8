//! How powers and quotients are computed: by multiplications, where these will do.

use std::collections::HashMap;

use crate::ir::{Graph, Id, Node, Rate};

/// Expressions as kernels compute them, each lowered once.
#[derive(Debug, Default)]
pub struct Lowering {
    done: HashMap<Id, Id>,
}

impl Lowering {
    /// `id` with powers as multiplications, and quotients whose divisor does not change over time as multiplications
    /// by its reciprocal, which is computed before the first step.
    pub fn of(&mut self, g: &mut Graph, id: Id) -> Id {
        self.by(g, id, |g, node| match node {
            Node::Div(_, b) if g.number(b).is_some() => true,
            Node::Div(a, b) => g.rate(a).max(g.rate(b)) == Rate::Step && g.rate(b) != Rate::Step,
            _ => false,
        })
    }

    /// `id`, where a quotient becomes a product if `inverts` says so of it.
    pub fn by(&mut self, g: &mut Graph, id: Id, inverts: impl Fn(&Graph, Node) -> bool) -> Id {
        // Operands are older than what uses them, so none is asked for before it is done.
        for part in g.reach_but([id], |part| self.done.contains_key(&part)) {
            let node = g.node(part).map(|operand| self.done[&operand]);
            let lowered = lowered(g, node, &inverts);
            self.done.insert(part, lowered);
        }
        self.done[&id]
    }
}

/// `node`, whose operands have been lowered.
fn lowered(g: &mut Graph, node: Node, inverts: impl Fn(&Graph, Node) -> bool) -> Id {
    let one = g.num(1.0);
    match node {
        Node::Neg(a) => match g.node(a) {
            // NVRTC loses the sign of a zero that is chosen and then negated.
            Node::Select(cond, p, q) => match (g.number(p), g.number(q)) {
                (Some(p), Some(q)) => {
                    let (p, q) = (g.num(-p), g.num(-q));
                    g.add(Node::Select(cond, p, q))
                }
                _ => g.add(node),
            },
            _ => g.add(node),
        },
        Node::StraightThrough(value, _) | Node::Detach(value) => value,
        Node::Powi(base, n) => {
            let power = power(g, base, n.unsigned_abs());
            if n < 0 { g.add(Node::Div(one, power)) } else { power }
        }
        Node::Div(a, b) if a != one && g.number(a).and(g.number(b)).is_none() && inverts(g, node) => {
            let inverse = match g.number(b) {
                Some(number) if (number as f32).is_normal() && (1.0 / number as f32).is_normal() => {
                    g.num(1.0 / number)
                }
                Some(_) => return g.add(node),
                None => g.add(Node::Div(one, b)),
            };
            g.add(Node::Mul(a, inverse))
        }
        node => g.add(node),
    }
}

/// `base` to the power `n` by multiplications, few of them.
fn power(g: &mut Graph, base: Id, n: u32) -> Id {
    match n {
        0 => g.num(1.0),
        1 => base,
        _ => {
            let half = power(g, base, n / 2);
            let square = g.add(Node::Mul(half, half));
            if n % 2 == 1 { g.add(Node::Mul(square, base)) } else { square }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Quantity, Sort};
    use crate::print::dsl;

    #[test]
    fn quotients_become_products_where_a_reciprocal_will_do() {
        let mut g = Graph::default();
        let x = g.leaf(Quantity::Input(0), "x", Sort::Real, Rate::Step);
        let tau = g.leaf(Quantity::Param(0), "tau", Sort::Real, Rate::Uniform);
        let numbers = [1.0, 4.0, 0.0, 1e-310, 1e300].map(|number| g.num(number));
        let [one, four, zero, tiny, huge] = numbers;
        let mut lowering = Lowering::default();
        for (a, b, expected) in [
            (x, tau, "x * (1 / tau)"),
            (one, tau, "1 / tau"),
            (tau, x, "tau / x"),
            (tau, tau, "tau / tau"),
            (x, four, "x * 0.25"),
            (one, four, "1 / 4"),
            (x, zero, "x / 0"),
            (x, tiny, &format!("x / {}", 1e-310)),
            (x, huge, &format!("x / {}", 1e300)),
        ] {
            let quotient = g.add(Node::Div(a, b));
            let id = lowering.of(&mut g, quotient);
            assert_eq!(dsl(&g, id), expected);
        }
        let cube = g.add(Node::Powi(x, -3));
        let cube = lowering.of(&mut g, cube);
        assert_eq!(dsl(&g, cube), "1 / (x * x * x)");
    }
}
