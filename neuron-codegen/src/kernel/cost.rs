//! What expressions cost, and how powers are computed.

use crate::ir::{Graph, Id, Node, Rate};

/// `base` to the power `n` by multiplications, few of them.
pub fn power(g: &mut Graph, base: Id, n: u32) -> Id {
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
