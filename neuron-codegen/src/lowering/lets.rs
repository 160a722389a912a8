//! Expressions that have a name: in which order they are looked at, and what they are computed from.

use proc_macro2::Ident;

use super::{Lowering, Place, Symbol};
use crate::identifiers;
use crate::ir::{Id, Node, Quantity};
use crate::report::Diagnostic;
use crate::syntax::{Expr, ItemKind};
use crate::walk::{self, Order};

/// How many names of a cycle are written out.
const LONGEST_CYCLE: usize = 8;

/// What is known of a `let`.
#[derive(Clone, Copy, Debug)]
pub enum Let {
    /// Not looked at yet.
    Waiting,
    /// Being looked at: to meet it again is a cycle.
    Active,
    /// Its value, unless something is wrong with it.
    Done(Option<Id>),
}

/// Which of what only exists late in a step an expression is computed from.
#[derive(Clone, Copy, Debug)]
pub struct Late {
    /// `h`
    pub charged: bool,
    /// `spike`
    pub spikes: bool,
}

impl Late {
    fn or(self, other: Self) -> Self {
        Self { charged: self.charged || other.charged, spikes: self.spikes || other.spikes }
    }
}

fn as_let(symbol: Symbol) -> Option<usize> {
    match symbol {
        Symbol::Let(index) => Some(index),
        _ => None,
    }
}

impl Lowering<'_> {
    /// Looks at every `let`, also at those that nothing uses.
    pub fn resolve_all(&mut self) {
        for index in 0..self.scope.lets.len() {
            self.resolve(index);
        }
    }

    /// The value of the `let` of that index.
    pub fn resolve(&mut self, index: usize) -> Option<Id> {
        match self.lets[index] {
            Let::Done(id) => return id,
            // Its cycle has been reported.
            Let::Active => return None,
            Let::Waiting => {}
        }
        // What it uses comes first: each `let` by itself is no deep recursion, however long the chain of them.
        let is_settled = |index: usize| !matches!(self.lets[index], Let::Waiting);
        let uses = |index: usize| self.uses(self.scope.lets[index].1.exprs(), as_let);
        let Order { sequence, cycles } = walk::order(index, is_settled, uses);
        cycles.into_iter().for_each(|cycle| self.cycle(cycle));
        sequence.iter().for_each(|&index| self.lets[index] = Let::Active);
        sequence.iter().for_each(|&index| self.settle(index));
        match self.lets[index] {
            Let::Done(id) => id,
            Let::Waiting | Let::Active => None,
        }
    }

    /// Looks at a `let` after those that it uses.
    fn settle(&mut self, index: usize) {
        let (name, item) = self.scope.lets[index];
        let ItemKind::Let { value, .. } = &item.kind else { return };
        // It stands for itself, wherever it is used.
        let path = std::mem::take(&mut self.path);
        let id = self.expr(value, None, Place::Let);
        self.path = path;
        self.lets[index] = Let::Done(id);
        if let Some(id) = id
            && !matches!(self.graph.node(id), Node::Num(_) | Node::Leaf(_))
        {
            self.names.entry(id).or_insert_with(|| identifiers::text(name));
        }
    }

    /// Which definitions `exprs` use, of the kind that `select` gives the index of.
    pub fn uses<'e>(
        &self,
        exprs: impl IntoIterator<Item = &'e Expr>,
        select: fn(Symbol) -> Option<usize>,
    ) -> Vec<usize> {
        let mut names = Vec::new();
        exprs.into_iter().for_each(|expr| expr.names(&mut names));
        names.into_iter().filter_map(|name| select(self.scope.symbol(&identifiers::text(name))?)).collect()
    }

    /// Reports `let`s each of which uses the next, and the last the first.
    fn cycle(&mut self, mut cycle: Vec<usize>) {
        let first = (0..cycle.len()).min_by_key(|&i| cycle[i]).unwrap_or(0);
        cycle.rotate_left(first);
        let name = self.scope.lets[cycle[0]].0;
        let quoted = |&index: &usize| format!("`{}`", self.scope.lets[index].0);
        let mut names: Vec<String> = cycle.iter().map(quoted).collect();
        if names.len() > LONGEST_CYCLE {
            names.splice(LONGEST_CYCLE / 2..names.len() - LONGEST_CYCLE / 2, ["...".to_owned()]);
        }
        let message = if cycle.len() == 1 {
            format!("`{name}` is defined by itself")
        } else {
            format!("`{name}` is defined by itself: {} -> `{name}`", names.join(" -> "))
        };
        let mut error = Diagnostic::new(name, message);
        if self.language.has("state") {
            error =
                error.help(format!("what is carried from step to step is a state: `state {name} = ...;`"));
        }
        self.report.push(error);
    }

    /// Whether `id`, the value of the `let` called `ident`, is known where an expression at `place` is computed;
    /// reports it if not.
    pub fn is_there(&mut self, ident: &Ident, id: Id, place: Place) -> bool {
        // Another `let` may use anything; where that is used, it is looked at again.
        if place == Place::Let {
            return true;
        }
        let Late { charged, spikes } = self.late(id);
        if let Place::Charge | Place::Threshold = place
            && (charged || spikes)
        {
            self.too_early(ident, if charged { "h" } else { "spike" }, place);
            return false;
        }
        if spikes && place == Place::Spike {
            self.too_early(ident, "spike", place);
            return false;
        }
        if self.is_silent() && spikes {
            self.no_spike(ident);
            return false;
        }
        true
    }

    /// What `id` is computed from that not every place may use.
    fn late(&mut self, id: Id) -> Late {
        let Self { graph, late, .. } = self;
        let operands = |id| graph.node(id).operands();
        walk::fold(late, id, operands, |late, id| {
            let quantity = graph.quantity(id);
            let own = Late {
                charged: quantity == Some(Quantity::Charged),
                spikes: matches!(quantity, Some(Quantity::Spike | Quantity::Fired)),
            };
            Some(graph.node(id).operands().map(|operand| late[&operand]).fold(own, Late::or))
        });
        self.late[&id]
    }
}
