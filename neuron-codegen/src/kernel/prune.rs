//! Removes definitions that nothing uses, such as `spike` as a number where only the condition is needed.

use std::collections::BTreeSet;

use super::plan::Draft;
use crate::ir::{Graph, Id};

/// Keeps the definitions of each draft that it needs for what it writes, or that later drafts need.
pub fn prune(g: &Graph, drafts: &mut [Draft]) {
    let mut wanted: BTreeSet<Id> = BTreeSet::new();
    for draft in drafts.iter_mut().rev() {
        let wanted_here = draft.defines.iter().map(|define| define.leaf).filter(|leaf| wanted.contains(leaf));
        let mut open: Vec<Id> = draft.writes.iter().map(|(_, expr)| *expr).chain(wanted_here).collect();
        let mut live = BTreeSet::new();
        while let Some(id) = open.pop() {
            if live.insert(id) {
                open.extend(g.node(id).operands());
                open.extend(draft.definition(id));
            }
        }
        draft.defines.retain(|define| live.contains(&define.leaf));
        wanted.extend(live.into_iter().filter(|&id| g.as_leaf(id).is_some()));
        wanted.retain(|&leaf| draft.definition(leaf).is_none());
    }
}

#[cfg(test)]
mod tests {
    use super::super::SlotId;
    use super::super::plan::Define;
    use super::*;
    use crate::ir::{Node, Quantity, Rate, Sort};

    #[test]
    fn what_later_phases_need_stays() {
        let mut g = Graph::default();
        let mut leaf = |quantity, name| g.leaf(quantity, name, Sort::Real, Rate::Step);
        let (x, h) = (leaf(Quantity::Input(0), "x"), leaf(Quantity::Charged, "h"));
        let (spike, grad_h) = (leaf(Quantity::Spike, "spike"), leaf(Quantity::GradCharged, "grad_h"));
        let double = g.add(Node::Add(x, x));
        let define = |leaf, expr| Define { leaf, expr };
        let first = Draft {
            defines: vec![define(h, double), define(spike, h), define(grad_h, x)],
            writes: vec![(SlotId(0), x)],
            ..Draft::default()
        };
        // It defines `spike` by itself, of `h`.
        let second = Draft {
            defines: vec![define(spike, h), define(grad_h, spike)],
            writes: vec![(SlotId(1), grad_h)],
            ..Draft::default()
        };
        let mut drafts = [first, second];
        prune(&g, &mut drafts);
        let leaves = |draft: &Draft| draft.defines.iter().map(|define| define.leaf).collect::<Vec<_>>();
        assert_eq!(leaves(&drafts[0]), [h]);
        assert_eq!(leaves(&drafts[1]), [spike, grad_h]);
    }
}
