//! The value of an expression over parameters, for defaults and their ranges.

use std::collections::HashMap;

use crate::ir::{Cmp, Func, Graph, Id, Node};

/// The number `id`, given the values of leaves; flags are 0 or 1. NaN if one is missing.
pub fn number(graph: &Graph, id: Id, values: &HashMap<Id, f64>) -> f64 {
    let of = |id| number(graph, id, values);
    match graph.node(id) {
        Node::Num(bits) => f64::from_bits(bits),
        Node::Leaf(_) => values.get(&id).copied().unwrap_or(f64::NAN),
        Node::Neg(a) => -of(a),
        Node::Add(a, b) => of(a) + of(b),
        Node::Sub(a, b) => of(a) - of(b),
        Node::Mul(a, b) => of(a) * of(b),
        Node::Div(a, b) => of(a) / of(b),
        Node::Powi(a, n) => libm::pow(of(a), f64::from(n)),
        Node::Min(a, b) => {
            let (a, b) = (of(a), of(b));
            if a < b { a } else { b }
        }
        Node::Max(a, b) => {
            let (a, b) = (of(a), of(b));
            if a > b { a } else { b }
        }
        Node::Call(func, a) => call(func, of(a)),
        Node::Select(cond, a, b) => of(if holds(graph, cond, values) { a } else { b }),
        Node::Compare(..) | Node::Not(_) | Node::And(..) | Node::Or(..) => {
            f64::from(u8::from(holds(graph, id, values)))
        }
    }
}

/// Whether the condition `id` holds.
pub fn holds(graph: &Graph, id: Id, values: &HashMap<Id, f64>) -> bool {
    let of = |id| number(graph, id, values);
    let is = |id| holds(graph, id, values);
    match graph.node(id) {
        Node::Compare(Cmp::Lt, a, b) => of(a) < of(b),
        Node::Compare(Cmp::Le, a, b) => of(a) <= of(b),
        Node::Compare(Cmp::Eq, a, b) => of(a) == of(b),
        Node::Compare(Cmp::Ne, a, b) => of(a) != of(b),
        Node::Not(a) => !is(a),
        Node::And(a, b) => is(a) && is(b),
        Node::Or(a, b) => is(a) || is(b),
        _ => of(id) != 0.0,
    }
}

/// From a library rather than the platform, so that a declaration means the same wherever it is compiled.
pub fn call(func: Func, a: f64) -> f64 {
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
