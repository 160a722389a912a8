//! From what a phase computes to its statements: which values get a name, and in which order they are computed.

use std::collections::{BTreeSet, HashMap};

use super::cost::{Uses, deserving, step_cost};
use super::hand_over::Scope;
use super::name::{Hints, Names};
use super::plan::Draft;
use super::{Let, Phase, SlotId};
use crate::ir::{Graph, Id};

/// The statements of a phase. `before` are the names of what was computed before the first step, `reads` what it reads
/// and under which names.
pub fn order(
    g: &Graph,
    draft: Draft,
    scope: &Scope,
    before: &HashMap<Id, String>,
    reads: Vec<(SlotId, Id, String)>,
    hints: &Hints,
    names: &mut Names<'_>,
) -> Phase {
    let is_read = |id: &Id| scope.readable.contains_key(id);
    let computed: BTreeSet<Id> = scope.needed.iter().copied().filter(|id| !is_read(id)).collect();
    // Values by the leaf that they are called after, if that is computed here and they are not there by other means.
    let defined = draft.defines.iter().filter(|define| computed.contains(&define.leaf));
    let mut leaves: HashMap<Id, Id> = HashMap::new();
    for define in defined.clone().filter(|define| !g.is_atom(define.expr)) {
        leaves.entry(define.expr).or_insert(define.leaf);
    }
    let writes = draft.writes.iter().map(|(_, expr)| *expr);
    let roots: Vec<Id> = defined.clone().map(|define| define.expr).chain(writes).collect();
    let uses = Uses::new(g, computed.iter().copied(), roots);
    let is_named = |id: Id| leaves.contains_key(&id) || hints.has(id);
    let mut shared = deserving(g, &computed, &uses, step_cost, is_named);
    // However cheap it is, what is written to several places is written out once.
    let written: Vec<Id> = draft.writes.iter().map(|(_, expr)| *expr).collect();
    let is_repeated = |&(at, id): &(usize, &Id)| written[..at].contains(id) && !g.is_atom(*id);
    shared.extend(written.iter().enumerate().filter(is_repeated).map(|(_, id)| *id));
    let mut order = Order {
        g,
        draft: &draft,
        leaves: &leaves,
        is_let: &|id| is_named(id) || shared.contains(&id),
        names,
        bound: before.clone(),
        inline: BTreeSet::new(),
        lets: Vec::new(),
    };
    order.bound.extend(reads.iter().map(|(_, key, name)| (*key, name.clone())));
    defined.for_each(|define| order.need(define.leaf));
    draft.writes.iter().for_each(|(_, expr)| order.need(*expr));
    let Order { bound: names, lets, .. } = order;
    let reads = reads.into_iter().map(|(slot, ..)| slot).collect();
    Phase { is_backward: draft.is_backward, reads, lets, names, writes: draft.writes, apply: draft.apply }
}

struct Order<'a, 'n> {
    g: &'a Graph,
    draft: &'a Draft,
    leaves: &'a HashMap<Id, Id>,
    is_let: &'a dyn Fn(Id) -> bool,
    names: &'a mut Names<'n>,
    /// Values that have a name by now.
    bound: HashMap<Id, String>,
    /// Values that are written out, whose operands have been seen to.
    inline: BTreeSet<Id>,
    lets: Vec<Let>,
}

impl Order<'_, '_> {
    /// Computes what `root` is made of, so that it can be written out, or is there by name.
    fn need(&mut self, root: Id) {
        // Operands first; not by recursion, since expressions may be as deep as a declaration is long.
        let mut open = vec![(root, false)];
        while let Some((id, operands_are_there)) = open.pop() {
            let g = self.g;
            if self.bound.contains_key(&id) || self.inline.contains(&id) || g.number(id).is_some() {
                continue;
            }
            let definition = self.draft.definition(id);
            if !operands_are_there {
                open.push((id, true));
                match definition {
                    Some(expr) => open.push((expr, false)),
                    None => open.extend(g.node(id).operands().rev().map(|operand| (operand, false))),
                }
            } else if let Some(expr) = definition {
                match self.bound.get(&expr).cloned() {
                    Some(name) => drop(self.bound.insert(id, name)),
                    None => self.bind(id, expr),
                }
            } else if let Some(&leaf) = self.leaves.get(&id) {
                self.bind(leaf, id);
            } else if (self.is_let)(id) {
                self.bind(id, id);
            } else {
                self.inline.insert(id);
            }
        }
    }

    /// `let value = expr;`
    fn bind(&mut self, value: Id, expr: Id) {
        let name = self.names.value(value, "term");
        self.bound.extend([(value, name.clone())]);
        if !self.g.is_atom(expr) {
            self.bound.insert(expr, name.clone());
        }
        self.lets.push(Let { name, expr });
    }
}
