//! The values that expressions may have, under the facts that are known somewhere.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

use super::facts::{Fact, Index, Relation, from_condition};
use crate::ir::{Graph, Id, Node, Quantity};
use crate::lowering::interval::Interval;
use crate::walk;

/// How many steps are spent on a single place, an expression or a fact looked at being one, before nothing is said
/// about that place. Each choice is looked at under its own conditions, in which there may be choices, and so on:
/// without a limit, a declaration of a few lines can take minutes. To be silent is never wrong, and this is enough for
/// a division guarded by eight conditions with choices in each.
pub const BUDGET: usize = 10_000;

/// How deep a choice in a choice is looked at with its own condition.
const DEEPEST: usize = 3;

/// How often what is known of one expression is passed on to those that it is compared with.
const ROUNDS: usize = 3;

/// What may still be spent.
#[derive(Debug, Default)]
pub struct Budget(Cell<usize>);

impl Budget {
    /// From here on, this many steps.
    pub fn refill(&self, steps: usize) {
        self.0.set(steps);
    }

    /// `None` if there is not as much left.
    pub fn spend(&self, steps: usize) -> Option<()> {
        self.0.set(self.0.get().checked_sub(steps)?);
        Some(())
    }
}

/// The values of expressions, under some facts.
pub struct Values<'a> {
    graph: &'a Graph,
    /// What is known everywhere, if that is all: it may be of any size, and what follows from it is computed once for
    /// all places, so that no place pays for it.
    everywhere: Option<&'a Index>,
    budget: &'a Budget,
    facts: Vec<Fact>,
    /// Whether the first of two expressions is below the second, or at most equal to it if this is true.
    ordered: HashMap<(Id, Id), bool>,
    different: HashSet<(Id, Id)>,
    /// What differs from 0.
    nonzero: HashSet<Id>,
    /// How many choices it is in.
    depth: usize,
    /// What the facts say of expressions that are compared.
    known: HashMap<Id, Interval>,
    /// Those computed so far.
    done: RefCell<HashMap<Id, Interval>>,
}

impl<'a> Values<'a> {
    /// Under what is known everywhere. `None` here and elsewhere: the budget is spent.
    pub fn everywhere(graph: &'a Graph, index: &'a Index, budget: &'a Budget) -> Option<Self> {
        Self::new(graph, Some(index), budget, index.all().to_vec(), 0)
    }

    /// For the sake of `id`, with conditions that hold or do not in addition.
    pub fn assuming(&self, path: &[(Id, bool)], id: Id, depth: usize) -> Option<Self> {
        let mut facts = match self.everywhere {
            Some(index) => {
                let roots = path.iter().map(|&(cond, _)| cond).chain([id]);
                index.about(self.graph, roots, self.budget)?
            }
            None => self.facts.clone(),
        };
        path.iter().for_each(|&(cond, holds)| from_condition(self.graph, cond, holds, &mut facts));
        Self::new(self.graph, None, self.budget, facts, depth)
    }

    fn new(
        graph: &'a Graph,
        everywhere: Option<&'a Index>,
        budget: &'a Budget,
        facts: Vec<Fact>,
        depth: usize,
    ) -> Option<Self> {
        let (mut ordered, mut different, mut nonzero) = (HashMap::new(), HashSet::new(), HashSet::new());
        for &Fact { a, b, relation } in &facts {
            match relation {
                // Of both, the stricter.
                Relation::Less => drop(ordered.insert((a, b), false)),
                Relation::LessOrEqual => drop(ordered.entry((a, b)).or_insert(true)),
                Relation::Different => {
                    different.extend([(a, b), (b, a)]);
                    let zeros = [(a, b), (b, a)].into_iter();
                    nonzero.extend(zeros.filter(|(_, b)| graph.number(*b) == Some(0.0)).map(|(a, _)| a));
                }
            }
        }
        let (known, done) = (HashMap::new(), RefCell::default());
        let mut values =
            Self { graph, everywhere, budget, facts, ordered, different, nonzero, depth, known, done };
        // Within a choice, those in the facts themselves are not looked at under their conditions: that would be all
        // facts again for each of them.
        if depth > 0 {
            values.depth = DEEPEST;
        }
        values.pass_on()?;
        values.depth = depth;
        values.done.borrow_mut().clear();
        Some(values)
    }

    /// Finds what the facts say of the expressions in them.
    fn pass_on(&mut self) -> Option<()> {
        for _ in 0..ROUNDS {
            let mut known = self.known.clone();
            for &Fact { a, b, relation } in &self.facts {
                self.spend()?;
                let or_equal = match relation {
                    Relation::Less => false,
                    Relation::LessOrEqual => true,
                    Relation::Different => continue,
                };
                let (low, high) = (self.of(a)?, self.of(b)?);
                for (id, limit) in [(a, high.below(or_equal)), (b, low.above(or_equal))] {
                    let before = known.entry(id).or_insert(Interval::ALL);
                    *before = before.intersection(limit);
                }
            }
            if known == self.known {
                return Some(());
            }
            self.known = known;
            self.done.borrow_mut().clear();
        }
        Some(())
    }

    fn spend(&self) -> Option<()> {
        if self.everywhere.is_some() { Some(()) } else { self.budget.spend(1) }
    }

    /// Whether `id` is known to differ from 0, where intervals cannot say it.
    pub fn is_nonzero(&self, id: Id) -> bool {
        let is_difference =
            matches!(self.graph.node(id), Node::Sub(a, b) if self.different.contains(&(a, b)));
        is_difference || self.nonzero.contains(&id)
    }

    /// The values that `id` may have.
    pub fn of(&self, id: Id) -> Option<Interval> {
        // Nothing that is called meanwhile needs them: choices have values of their own.
        let mut done = self.done.take();
        let result = walk::fold(
            &mut done,
            id,
            |id| self.operands(id),
            |done, id| {
                self.spend()?;
                let known = self.known.get(&id).copied().unwrap_or(Interval::ALL);
                Some(self.node(done, id)?.intersection(known))
            },
        );
        let value = done.get(&id).copied();
        self.done.replace(done);
        result.and(value)
    }

    /// What the values of `id` are computed from: its operands, but those of a choice under its condition.
    fn operands(&self, id: Id) -> Vec<Id> {
        match self.graph.node(id) {
            Node::Select(_, a, b) if self.depth == DEEPEST => vec![a, b],
            Node::Select(..) | Node::Compare(..) | Node::Not(_) | Node::And(..) | Node::Or(..) => vec![],
            node => node.operands().collect(),
        }
    }

    fn node(&self, done: &HashMap<Id, Interval>, id: Id) -> Option<Interval> {
        let of = |id| done[&id];
        Some(match self.graph.node(id) {
            Node::Num(bits) => Interval::point(f64::from_bits(bits)),
            Node::Leaf(_) if self.is_spike(id) => Interval::closed(0.0, 1.0),
            Node::Leaf(_) => Interval::ALL,
            Node::Neg(a) => of(a).neg(),
            Node::Add(a, b) => of(a).add(of(b)),
            Node::Sub(a, b) => {
                let (difference, zero) = (of(a).sub(of(b)), Interval::point(0.0));
                let limits = [
                    self.ordered.get(&(a, b)).map(|&or_equal| zero.below(or_equal)),
                    self.ordered.get(&(b, a)).map(|&or_equal| zero.above(or_equal)),
                ];
                limits.into_iter().flatten().fold(difference, Interval::intersection)
            }
            Node::Mul(a, b) if a == b => of(a).powi(2),
            Node::Mul(a, b) => of(a).mul(of(b)),
            Node::Div(a, b) => of(a).div(of(b)),
            Node::Powi(a, n) => of(a).powi(n),
            Node::Min(a, b) => of(a).min(of(b)),
            Node::Max(a, b) => of(a).max(of(b)),
            Node::Call(func, a) => func.interval(of(a)),
            Node::StraightThrough(a, _) | Node::Detach(a) => of(a),
            Node::Primitive(_) => Interval::ALL,
            Node::Select(_, a, b) if self.depth == DEEPEST => of(a).union(of(b)),
            Node::Select(cond, a, b) => self.under(cond, true, a)?.union(self.under(cond, false, b)?),
            Node::Compare(..) | Node::Not(_) | Node::And(..) | Node::Or(..) => Interval::ALL,
        })
    }

    /// `id` where `cond` is `holds`.
    fn under(&self, cond: Id, holds: bool, id: Id) -> Option<Interval> {
        self.assuming(&[(cond, holds)], id, self.depth + 1)?.of(id)
    }

    fn is_spike(&self, id: Id) -> bool {
        matches!(self.graph.quantity(id), Some(Quantity::Spike | Quantity::Fired))
    }
}
