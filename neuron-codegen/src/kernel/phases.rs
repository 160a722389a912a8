//! How a step is divided into phases: what is computed of a function of the surrogate waits for it to be applied.

use std::collections::HashMap;

use super::plan::{Define, Draft, Plan, Storage};
use super::{Apply, SlotId};
use crate::ir::{Cmp, Graph, Id, Node, Quantity};
use crate::model::Leaves;

/// A value that is a function of the surrogate.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// The leaf that stands for it.
    pub key: Id,
    /// Where its argument is written and it is read.
    pub slot: SlotId,
    /// Its argument.
    pub of: Id,
    /// Which function.
    pub apply: Apply,
}

/// What a step defines and writes, before it is divided.
#[derive(Debug)]
pub struct Phases {
    /// Leaves, in the order in which they are defined.
    pub defines: Vec<Define>,
    /// How leaves that stand for conditions, which are not kept, are found again in all phases but the first.
    pub later: Vec<Define>,
    /// Values that are stored or carried on.
    pub writes: Vec<(SlotId, Id)>,
    /// What waits for the surrogate.
    pub requests: Vec<Request>,
}

impl Phases {
    /// Of a step that begins with the definition of `h`.
    pub fn new(charged: Define) -> Self {
        Self { defines: vec![charged], later: Vec::new(), writes: Vec::new(), requests: Vec::new() }
    }

    /// Defines a spike that is computed otherwise than by a comparison of `h` with a threshold.
    pub fn computed_spike(&mut self, g: &mut Graph, leaves: &Leaves, value: Id) {
        let fired = fired_of_spike(g, leaves);
        self.defines.extend([Define { leaf: leaves.spike, expr: value }, fired]);
        self.later.push(fired);
    }

    /// Requests what expressions need of the surrogate at the arguments of step functions.
    pub fn request_others(&mut self, g: &Graph, plan: &mut Plan) {
        let mut roots: Vec<Id> = self.defines.iter().map(|define| define.expr).collect();
        roots.extend(self.writes.iter().map(|(_, expr)| *expr));
        roots.extend(self.requests.iter().map(|request| request.of));
        for (key, of) in applied(g, roots) {
            let apply = match g.quantity(key) {
                Some(Quantity::Smooth(_)) => Apply::Primitive,
                Some(Quantity::Held(_)) => Apply::Hold,
                _ => Apply::Surrogate,
            };
            let slot = plan.slot(Storage { key: Some(key), is_earlier: false, stem: None });
            self.requests.push(Request { key, slot, of, apply });
        }
    }

    /// In phases, each of which computes what it can as early as it can.
    pub fn drafts(self, g: &Graph) -> Vec<Draft> {
        let levels = Levels { g, phases: &self, known: HashMap::new() }.all();
        let last = self.requests.iter().map(|request| levels[&request.key]).max().unwrap_or(0);
        let mut drafts: Vec<Draft> = (0..=last).map(|_| Draft::default()).collect();
        for define in &self.defines {
            drafts[levels[&define.leaf]].defines.push(*define);
        }
        for define in &self.later {
            let first = levels[&define.leaf];
            drafts.iter_mut().skip(first + 1).for_each(|draft| draft.defines.push(*define));
        }
        // What is found without the surrogate comes first, as it does in a kernel without gradients.
        for &(slot, expr) in &self.writes {
            drafts[levels[&expr]].writes.push((slot, expr));
        }
        for Request { slot, of, apply, .. } in &self.requests {
            let draft = &mut drafts[levels[of]];
            draft.writes.push((*slot, *of));
            draft.apply.push((*apply, *slot));
        }
        drafts.retain(|draft| !draft.writes.is_empty());
        drafts
    }
}

/// How many phases have to come before an expression can be computed.
struct Levels<'a> {
    g: &'a Graph,
    phases: &'a Phases,
    known: HashMap<Id, usize>,
}

impl Levels<'_> {
    fn all(mut self) -> HashMap<Id, usize> {
        let phases = self.phases;
        // Each is computed of those before it, but for the arguments of requests, which may be of each other.
        for _ in 0..=phases.requests.len() {
            let before = self.known.clone();
            for define in &phases.defines {
                let level = self.of(define.expr);
                self.known.insert(define.leaf, level);
            }
            for request in &phases.requests {
                let level = self.of(request.of) + 1;
                self.known.insert(request.key, level);
            }
            if self.known == before {
                break;
            }
        }
        let exprs = phases.writes.iter().map(|(_, expr)| *expr);
        for expr in exprs.chain(phases.requests.iter().map(|request| request.of)) {
            let level = self.of(expr);
            self.known.insert(expr, level);
        }
        self.known
    }

    fn of(&self, expr: Id) -> usize {
        let leaves = self.g.reach([expr]).into_iter().filter(|&id| self.g.as_leaf(id).is_some());
        leaves.filter_map(|leaf| self.known.get(&leaf)).copied().max().unwrap_or(0)
    }
}

/// The leaves in `exprs` that stand for functions of the surrogate, and of what; and those in these.
pub fn applied(g: &Graph, exprs: impl IntoIterator<Item = Id>) -> Vec<(Id, Id)> {
    let mut found = Vec::new();
    let mut open: Vec<Id> = exprs.into_iter().collect();
    while !open.is_empty() {
        let reached = g.reach(std::mem::take(&mut open));
        for leaf in reached {
            if let Some(Quantity::Slope(of) | Quantity::Smooth(of) | Quantity::Held(of)) = g.quantity(leaf)
                && !found.contains(&(leaf, of))
            {
                found.push((leaf, of));
                open.push(of);
            }
        }
    }
    found
}

/// Whether the neuron fired, of `spike`.
pub fn fired_of_spike(g: &mut Graph, leaves: &Leaves) -> Define {
    let zero = g.num(0.0);
    Define { leaf: leaves.fired, expr: g.add(Node::Compare(Cmp::Ne, leaves.spike, zero)) }
}
