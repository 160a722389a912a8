//! What expressions cost: which are worth a name, a place before the first step, or a way to the next phase.

use std::collections::{BTreeSet, HashMap};

use crate::ir::{Graph, Id, Node, Rate, Sort};

/// Whether it is a function or a division.
pub fn is_call(node: Node) -> bool {
    matches!(node, Node::Call(..) | Node::Div(..))
}

/// Whether an unchanging expression is better computed once: not a number, not a parameter, not a choice
/// made of a few flags only.
pub fn worth_hoisting(g: &Graph, id: Id) -> bool {
    let is_short = |id: Id| match g.node(id) {
        Node::Not(a) => g.is_atom(a),
        _ => g.is_atom(id),
    };
    match g.node(id) {
        Node::Num(_) | Node::Leaf(_) => false,
        Node::Neg(a) => g.number(a).is_none(),
        Node::Not(a) => !is_short(a),
        Node::And(a, b) | Node::Or(a, b) => !is_short(a) || !is_short(b),
        _ => true,
    }
}

/// Of these expressions, those for which a function or a division is computed in each step.
pub fn calling(g: &Graph, ids: &BTreeSet<Id>) -> BTreeSet<Id> {
    let mut calling = BTreeSet::new();
    for &id in ids {
        let calls = is_call(g.node(id)) || g.node(id).operands().any(|operand| calling.contains(&operand));
        if g.rate(id) == Rate::Step && calls {
            calling.insert(id);
        }
    }
    calling
}

/// A rough number of operations in each step, of the node alone.
pub fn step_cost(g: &Graph, id: Id) -> usize {
    if g.rate(id) == Rate::Uniform { 0 } else { cost(g, id) }
}

/// A rough number of operations of the node alone.
pub fn cost(g: &Graph, id: Id) -> usize {
    match g.node(id) {
        Node::Num(_) | Node::Leaf(_) => 0,
        node if is_call(node) => 4,
        _ => 1,
    }
}

/// How expressions are used by one another.
pub struct Uses {
    counts: HashMap<Id, usize>,
}

impl Uses {
    /// Counts the operands of `ids`, and `roots`.
    pub fn new(g: &Graph, ids: impl IntoIterator<Item = Id>, roots: impl IntoIterator<Item = Id>) -> Self {
        let mut counts: HashMap<Id, usize> = HashMap::new();
        let operands = ids.into_iter().flat_map(|id| g.node(id).operands());
        operands.chain(roots).for_each(|id| *counts.entry(id).or_default() += 1);
        Self { counts }
    }

    /// Whether `id` is used more than once.
    pub fn is_shared(&self, id: Id) -> bool {
        self.counts.get(&id).is_some_and(|&count| count > 1)
    }
}

/// How deep an expression may be nested until a part of it gets a name: what is deeper is hard to read, and
/// compilers of the generated code have limits of their own.
const DEEPEST: usize = 24;

/// Which of `ids`, all that is computed in one place, deserve a name besides those that have one (`is_named`): those
/// that cost something and are used several times, and parts of what would be nested too deep.
pub fn deserving(
    g: &Graph,
    ids: &BTreeSet<Id>,
    uses: &Uses,
    cost: impl Fn(&Graph, Id) -> usize,
    is_named: impl Fn(Id) -> bool,
) -> BTreeSet<Id> {
    let mut deserving = BTreeSet::new();
    // How deep each is nested where it is written out. Operands come first.
    let mut depths: HashMap<Id, usize> = HashMap::new();
    for &id in ids {
        let operands = || g.node(id).operands().filter(|operand| ids.contains(operand));
        let depth = 1 + operands().filter_map(|operand| depths.get(&operand)).max().copied().unwrap_or(0);
        let own = cost(g, id);
        let costs = own > 1 || own == 1 && operands().any(|operand| cost(g, operand) > 0);
        let is_named = is_named(id);
        if !is_named && !g.is_atom(id) && (uses.is_shared(id) && costs || depth > DEEPEST) {
            deserving.insert(id);
        }
        depths.insert(id, if is_named || deserving.contains(&id) { 0 } else { depth });
    }
    deserving
}

/// Whether lanes can keep it: they hold numbers.
pub fn can_be_kept(g: &Graph, id: Id) -> bool {
    g.rate(id) == Rate::Uniform || g.sort(id) == Sort::Real
}
