//! Comparisons that are known to hold, taken from conditions.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::values::Budget;
use crate::ir::{Cmp, Graph, Id, Node};

/// `a` compared with `b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fact {
    pub a: Id,
    pub b: Id,
    pub relation: Relation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relation {
    /// `a < b`
    Less,
    /// `a <= b`
    LessOrEqual,
    /// `a != b`
    Different,
}

/// What follows from `cond` being `holds`, appended to `facts`.
pub fn from_condition(g: &Graph, cond: Id, holds: bool, facts: &mut Vec<Fact>) {
    let (mut open, mut seen) = (vec![(cond, holds)], HashSet::new());
    while let Some((cond, holds)) = open.pop() {
        // Conditions may share parts: written out, they would be many more.
        if !seen.insert((cond, holds)) {
            continue;
        }
        let (op, a, b) = match (g.node(cond), holds) {
            (Node::Not(a), _) => {
                open.push((a, !holds));
                continue;
            }
            (Node::And(a, b), true) | (Node::Or(a, b), false) => {
                open.extend([(b, holds), (a, holds)]);
                continue;
            }
            (Node::Compare(op, a, b), _) => (op, a, b),
            _ => continue,
        };
        let fact = |a, b, relation| Fact { a, b, relation };
        match (op, holds) {
            (Cmp::Lt, true) => facts.push(fact(a, b, Relation::Less)),
            (Cmp::Le, true) => facts.push(fact(a, b, Relation::LessOrEqual)),
            (Cmp::Lt, false) => facts.push(fact(b, a, Relation::LessOrEqual)),
            (Cmp::Le, false) => facts.push(fact(b, a, Relation::Less)),
            (Cmp::Eq, true) | (Cmp::Ne, false) => {
                facts.extend([fact(a, b, Relation::LessOrEqual), fact(b, a, Relation::LessOrEqual)]);
            }
            (Cmp::Ne, true) | (Cmp::Eq, false) => facts.push(fact(a, b, Relation::Different)),
        }
    }
}

/// Facts by the leaves they are about, so that those that matter somewhere are found without looking at the others.
#[derive(Debug, Default)]
pub struct Index {
    facts: Vec<Fact>,
    /// The leaves of each fact.
    leaves: Vec<Vec<Id>>,
    by_leaf: HashMap<Id, Vec<usize>>,
}

impl Index {
    pub fn new(g: &Graph, facts: Vec<Fact>) -> Self {
        let mut index = Self::default();
        for fact in facts {
            let reached = g.reach([fact.a, fact.b]);
            let leaves: Vec<Id> = reached.into_iter().filter(|&id| is_leaf(g, id)).collect();
            for &leaf in &leaves {
                index.by_leaf.entry(leaf).or_default().push(index.facts.len());
            }
            index.facts.push(fact);
            index.leaves.push(leaves);
        }
        index
    }

    /// All facts.
    pub fn all(&self) -> &[Fact] {
        &self.facts
    }

    /// The facts about what `roots` depend on, and about what those facts depend on.
    pub fn about(
        &self,
        g: &Graph,
        roots: impl IntoIterator<Item = Id>,
        budget: &Budget,
    ) -> Option<Vec<Fact>> {
        let mut open: Vec<Id> = roots.into_iter().collect();
        let (mut seen, mut found) = (HashSet::new(), BTreeSet::new());
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            budget.spend(1)?;
            open.extend(g.node(id).operands());
            for &fact in self.by_leaf.get(&id).into_iter().flatten() {
                if found.insert(fact) {
                    open.extend(&self.leaves[fact]);
                }
            }
        }
        // As they were declared, so that what is known does not depend on how they were found.
        Some(found.into_iter().map(|fact| self.facts[fact]).collect())
    }
}

fn is_leaf(g: &Graph, id: Id) -> bool {
    matches!(g.node(id), Node::Leaf(_))
}
