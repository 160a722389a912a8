//! What does not change over time, so that it is computed once, before the first step.

use std::collections::BTreeSet;

use super::cost::{Uses, can_be_kept, cost, deserving, worth_hoisting};
use crate::ir::{Graph, Id, Rate};

/// Expressions to compute before the first step, operands before what uses them.
#[derive(Debug, Default)]
pub struct Invariants {
    /// The same for all neurons.
    pub uniform: BTreeSet<Id>,
    /// Different between neurons.
    pub per_neuron: BTreeSet<Id>,
}

/// The largest such expressions among what `roots` are made of, and of their parts those that have a name
/// (`is_named`) or are worth one.
pub fn hoist(g: &Graph, roots: impl IntoIterator<Item = Id>, is_named: impl Fn(Id) -> bool) -> Invariants {
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut open: Vec<(Id, Rate)> = roots.into_iter().map(|id| (id, Rate::Step)).collect();
    while let Some((id, above)) = open.pop() {
        if !seen.insert((id, above)) {
            continue;
        }
        let rate = g.rate(id);
        let is_found = rate < above && can_be_kept(g, id) && worth_hoisting(g, id);
        if is_found {
            found.insert(id);
        }
        if rate != Rate::Uniform || !is_found {
            let above = if is_found { rate } else { above };
            open.extend(g.node(id).operands().map(|operand| (operand, above)));
        }
    }
    let parts = g.reach(found.iter().copied());
    let uses = Uses::new(g, parts.iter().copied(), []);
    let is_let = |id: Id| found.contains(&id) || is_named(id) && worth_hoisting(g, id);
    let shared = deserving(g, &parts, &uses, cost, is_let);
    let chosen =
        parts.iter().copied().filter(|&id| is_let(id) || shared.contains(&id) && worth_hoisting(g, id));
    let (uniform, per_neuron) = chosen.partition(|&id| g.rate(id) == Rate::Uniform);
    Invariants { uniform, per_neuron }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Node, Quantity, Sort};
    use crate::print::dsl;

    #[test]
    fn the_largest_unchanging_parts_and_what_they_share() {
        let mut g = Graph::default();
        let mut leaf = |quantity, name, rate| g.leaf(quantity, name, Sort::Real, rate);
        let x = leaf(Quantity::Input(0), "x", Rate::Step);
        let tau = leaf(Quantity::Param(0), "tau", Rate::Uniform);
        let w = leaf(Quantity::Param(1), "w", Rate::Neuron);
        let one = g.num(1.0);
        let inverse = g.add(Node::Div(one, tau));
        let decay = g.add(Node::Sub(one, inverse));
        let square = g.add(Node::Mul(inverse, inverse));
        let scaled = g.add(Node::Mul(w, square));
        let mut root = x;
        for part in [decay, scaled, tau] {
            root = g.add(Node::Mul(root, part));
        }
        let Invariants { uniform, per_neuron } = hoist(&g, [root], |_| false);
        let texts = |ids: BTreeSet<Id>| ids.into_iter().map(|id| dsl(&g, id)).collect::<Vec<_>>();
        assert_eq!(texts(uniform), ["1 / tau", "1 - 1 / tau", "1 / tau * (1 / tau)"]);
        assert_eq!(texts(per_neuron), ["w * (1 / tau * (1 / tau))"]);
    }
}
