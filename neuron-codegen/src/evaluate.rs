//! Values of expressions: of defaults and ranges when a declaration is checked, of surrogates when they are tried
//! out, of thresholds when a neuron is drawn.

use std::collections::HashMap;

use crate::ir::{Cmp, Graph, Id, Node};
use crate::walk;

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
        let Self { graph, leaves, round, done } = self;
        let operands = |id| graph.node(id).operands();
        walk::fold(done, id, operands, |done, id| {
            let leaf = || leaves.get(&id).copied().unwrap_or(f64::NAN);
            Some(round(value(graph.node(id), |operand| done[&operand], leaf, *round)))
        });
        done[&id]
    }

    /// Whether the condition `id` holds.
    pub fn holds(&mut self, id: Id) -> bool {
        self.number(id) != 0.0
    }
}

/// Expressions of one graph that are computed at one point after another: the numbers of [`Evaluator::new`], without a
/// search for each.
pub struct Repeated {
    /// What is computed, operands first.
    nodes: Vec<(Id, Node)>,
    /// By the place of the expression in the graph.
    values: Vec<f64>,
}

impl Repeated {
    /// All leaves are NaN until they are set.
    pub fn new(graph: &Graph, exprs: impl IntoIterator<Item = Id>) -> Self {
        let reached = graph.reach(exprs);
        let mut values = vec![f64::NAN; reached.last().map_or(0, |last| last.place() + 1)];
        let is_computed = |id: &Id| !matches!(graph.node(*id), Node::Num(_) | Node::Leaf(_));
        for id in reached.iter().filter(|id| !is_computed(id)) {
            values[id.place()] = graph.number(*id).unwrap_or(f64::NAN);
        }
        let nodes = reached.into_iter().filter(is_computed).map(|id| (id, graph.node(id))).collect();
        Self { nodes, values }
    }

    /// Sets a leaf; nothing happens if no expression depends on it.
    pub fn set(&mut self, leaf: Id, value: f64) {
        if let Some(place) = self.values.get_mut(leaf.place()) {
            *place = value;
        }
    }

    /// Computes everything from the leaves.
    pub fn compute(&mut self) {
        let Self { nodes, values } = self;
        for (id, node) in nodes {
            values[id.place()] = value(*node, |operand| values[operand.place()], || f64::NAN, |x| x);
        }
    }

    /// One of the expressions, as last computed.
    pub fn number(&self, id: Id) -> f64 {
        self.values.get(id.place()).copied().unwrap_or(f64::NAN)
    }
}

/// The value of `node`, given those of its operands, or `leaf` if it is one.
fn value(node: Node, of: impl Fn(Id) -> f64, leaf: impl Fn() -> f64, round: fn(f64) -> f64) -> f64 {
    let holds = |id| of(id) != 0.0;
    let condition = |holds: bool| f64::from(u8::from(holds));
    match node {
        Node::Num(bits) => f64::from_bits(bits),
        Node::Leaf(_) => leaf(),
        Node::Neg(a) => -of(a),
        Node::Add(a, b) => of(a) + of(b),
        Node::Sub(a, b) => of(a) - of(b),
        Node::Mul(a, b) => of(a) * of(b),
        Node::Div(a, b) => of(a) / of(b),
        Node::Powi(a, n) => {
            let power = power(of(a), n.unsigned_abs(), round);
            if n < 0 { 1.0 / power } else { power }
        }
        Node::Min(a, b) => {
            let (a, b) = (of(a), of(b));
            if a < b { a } else { b }
        }
        Node::Max(a, b) => {
            let (a, b) = (of(a), of(b));
            if a > b { a } else { b }
        }
        Node::Call(func, a) => func.evaluate(of(a)),
        Node::StraightThrough(a, _) | Node::Detach(a) => of(a),
        // Of which surrogate is not known here, and nothing asks for its value.
        Node::Primitive(_) => f64::NAN,
        Node::Select(cond, a, b) => of(if holds(cond) { a } else { b }),
        Node::Compare(Cmp::Lt, a, b) => condition(of(a) < of(b)),
        Node::Compare(Cmp::Le, a, b) => condition(of(a) <= of(b)),
        Node::Compare(Cmp::Eq, a, b) => condition(of(a) == of(b)),
        Node::Compare(Cmp::Ne, a, b) => condition(of(a) != of(b)),
        Node::Not(a) => condition(!holds(a)),
        Node::And(a, b) => condition(holds(a) && holds(b)),
        Node::Or(a, b) => condition(holds(a) || holds(b)),
    }
}

/// By the multiplications that kernels compute it by, in their order: see `kernel::lower`.
fn power(base: f64, n: u32, round: fn(f64) -> f64) -> f64 {
    match n {
        0 => 1.0,
        1 => base,
        _ => {
            let half = power(base, n / 2, round);
            let square = round(half * half);
            if n % 2 == 1 { round(square * base) } else { square }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Quantity, Rate, Sort};
    use crate::kernel::lower::Lowering;

    /// What the multiplications that `node` is lowered to give, one by one.
    fn multiplied(g: &Graph, id: Id, x: f64, round: fn(f64) -> f64) -> f64 {
        match g.node(id) {
            Node::Mul(a, b) => round(multiplied(g, a, x, round) * multiplied(g, b, x, round)),
            Node::Div(a, b) => round(multiplied(g, a, x, round) / multiplied(g, b, x, round)),
            Node::Num(bits) => f64::from_bits(bits),
            _ => x,
        }
    }

    #[test]
    fn powers_are_those_of_kernels() {
        let mut g = Graph::default();
        let base = g.leaf(Quantity::Input(0), "x", Sort::Real, Rate::Step);
        for n in (-40..=40).chain([127, 255, 1000, 1024, -1024]) {
            let power = g.add(Node::Powi(base, n));
            let products = Lowering::default().of(&mut g, power);
            for x in [1.1, -0.7, 3.3, 1.0000001, 0.0, -1e-3] {
                for round in [(|x| x) as fn(f64) -> f64, |x| f64::from(x as f32)] {
                    let x = round(x);
                    let value = Evaluator::rounding(&g, &HashMap::from([(base, x)]), round).number(power);
                    let expected = multiplied(&g, products, x, round);
                    assert_eq!(value.to_bits(), expected.to_bits(), "{x}^{n}: {value} {expected}");
                }
            }
        }
    }

    #[test]
    fn points_are_independent() {
        let mut g = Graph::default();
        let [x, y] = [0, 1].map(|place| g.leaf(Quantity::Input(place), "x", Sort::Real, Rate::Step));
        let two = g.num(2.0);
        let [sum, unused] = [g.add(Node::Add(x, two)), g.add(Node::Mul(y, y))];
        let square = g.add(Node::Powi(sum, 2));
        let mut repeated = Repeated::new(&g, [square]);
        repeated.compute();
        assert!(repeated.number(square).is_nan());
        for value in [1.5, -2.0, 0.1] {
            repeated.set(x, value);
            repeated.set(y, value);
            repeated.compute();
            let leaves = HashMap::from([(x, value)]);
            assert_eq!(repeated.number(square), Evaluator::new(&g, &leaves).number(square));
        }
        assert!(repeated.number(unused).is_nan());
    }

    #[test]
    fn long_chains_are_no_deep_recursion() {
        let mut g = Graph::default();
        let mut sum = g.leaf(Quantity::Input(0), "x", Sort::Real, Rate::Step);
        let leaf = sum;
        for i in 0..100_000 {
            let one = g.num(f64::from(i % 2));
            sum = g.add(Node::Add(sum, one));
        }
        assert_eq!(Evaluator::new(&g, &HashMap::from([(leaf, 2.0)])).number(sum), 50_002.0);
    }
}
