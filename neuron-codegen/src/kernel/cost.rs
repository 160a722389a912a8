//! What expressions cost, and how powers and quotients are computed.

use crate::ir::{Graph, Id, Node, Rate};

/// `node`, whose operands have been through this already, with powers as multiplications and quotients as
/// multiplications by a reciprocal where `inverts` says so of the divisor.
pub fn lowered(g: &mut Graph, node: Node, inverts: impl Fn(&Graph, Id) -> bool) -> Id {
    let one = g.num(1.0);
    match node {
        Node::Powi(base, n) => {
            let power = power(g, base, n.unsigned_abs());
            if n < 0 { g.add(Node::Div(one, power)) } else { power }
        }
        Node::Div(a, b) if a != one && (g.number(a).is_none() || g.number(b).is_none()) => {
            let inverse = match g.number(b) {
                Some(number) if (number as f32).is_normal() && (1.0 / number as f32).is_normal() => {
                    g.num(1.0 / number)
                }
                None if inverts(g, b) => g.add(Node::Div(one, b)),
                _ => return g.add(node),
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

/// Whether an unchanging expression is better computed once: not a number, not a parameter, not a choice
/// made of flags only.
pub fn worth_hoisting(g: &Graph, id: Id) -> bool {
    match g.node(id) {
        Node::Num(_) | Node::Leaf(_) | Node::Not(_) | Node::And(..) | Node::Or(..) => false,
        Node::Neg(a) => g.number(a).is_none(),
        _ => true,
    }
}

/// Whether computing `id` involves a function or a division in each step.
pub fn calls(g: &Graph, id: Id) -> bool {
    g.reach([id]).into_iter().any(|id| g.rate(id) == Rate::Step && is_costly(g, id))
}

/// Whether computing `id` involves a function or a division.
pub fn calls_ever(g: &Graph, id: Id) -> bool {
    g.reach([id]).into_iter().any(|id| is_costly(g, id))
}

fn is_costly(g: &Graph, id: Id) -> bool {
    matches!(g.node(id), Node::Call(..) | Node::Div(..))
}

/// A rough number of operations.
pub fn cost(g: &Graph, id: Id) -> usize {
    let own = |id| match g.node(id) {
        _ if g.rate(id) != Rate::Step => 0,
        Node::Num(_) | Node::Leaf(_) => 0,
        Node::Call(..) | Node::Div(..) => 4,
        _ => 1,
    };
    g.reach([id]).into_iter().map(own).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Sort;
    use crate::print::dsl;

    #[test]
    fn quotients_become_products_where_a_reciprocal_will_do() {
        let mut g = Graph::default();
        let x = g.leaf("x", Sort::Real, Rate::Step);
        let tau = g.leaf("tau", Sort::Real, Rate::Uniform);
        let numbers = [1.0, 4.0, 0.0, 1e-310, 1e300].map(|number| g.num(number));
        let [one, four, zero, tiny, huge] = numbers;
        for (a, b, expected) in [
            (x, tau, "x * (1 / tau)"),
            (one, tau, "1 / tau"),
            (tau, x, "tau / x"),
            (x, four, "x * 0.25"),
            (one, four, "1 / 4"),
            (x, zero, "x / 0"),
            (x, tiny, &format!("x / {}", 1e-310)),
            (x, huge, &format!("x / {}", 1e300)),
        ] {
            let id = lowered(&mut g, Node::Div(a, b), |g, divisor| g.rate(divisor) != Rate::Step);
            assert_eq!(dsl(&g, id), expected);
        }
        let power = lowered(&mut g, Node::Powi(x, -3), |_, _| false);
        assert_eq!(dsl(&g, power), "1 / (x * x * x)");
    }
}
