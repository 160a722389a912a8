//! A small, typed, hash-consed expression graph.
//!
//! Equal expressions get equal [`Id`]s, so sharing is free and equality is an integer comparison.
//! [`Graph::add`] only shares: what a user wrote is evaluated as written, in that order, on every
//! backend, but for powers and quotients (`kernel::lower`). The simplifying constructors used for
//! derivatives are in the `simplify` module.
//!
//! A leaf is identified by its [`Quantity`], what it stands for, and never by its name: a user may call a state as our
//! own quantities are called.

use std::collections::{BTreeSet, HashMap};

pub use crate::function::Func;

/// An expression in a [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(u32);

impl Id {
    /// Its place in the graph, after those of its operands.
    pub(crate) fn place(self) -> usize {
        self.0 as usize
    }
}

/// What an expression evaluates to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sort {
    /// A number.
    Real,
    /// A condition.
    Bool,
}

/// How often the value of an expression changes; ordered from rarely to often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rate {
    /// The same for all neurons and steps: scalar parameters, flags, numbers.
    Uniform,
    /// Differs between neurons, constant over time: parameter arrays.
    Neuron,
    /// Differs from step to step: inputs, states, spikes.
    Step,
}

/// What a leaf stands for; its identity. Indices are those of the declaration's items of that kind, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Quantity {
    /// A parameter, but for the two that every neuron has.
    Param(usize),
    /// `v_threshold`, declared or not.
    Threshold,
    /// `v_reset`, declared or not.
    ResetPotential,
    /// A flag.
    Flag(usize),
    /// An input.
    Input(usize),
    /// A state before the step; `v` is the first.
    State(usize),
    /// `h`
    Charged,
    /// `spike`, as a number.
    Spike,
    /// `spike`, as a condition.
    Fired,
    /// What leaves the neuron: the spike, or `output` if it does not fire. As a derivative's numerator only.
    Output,
    /// The surrogate gradient at `h - threshold`.
    Surrogate,
    /// The surrogate gradient at the argument of a step function other than the spike's.
    Slope(Id),
    /// The surrogate's primitive at the argument of a step function, in the relaxed model.
    Smooth(Id),
    /// What is detached, in the relaxed model: held where its derivatives are compared with differences.
    Held(Id),
    /// Whether the reset takes the spike as a constant.
    DetachReset,
    /// The loss gradient of the spike or output.
    GradOutput,
    /// The loss gradient of `h`.
    GradCharged,
    /// The loss gradient of a state after the step.
    GradNext(usize),
    /// The loss gradient of a learnable parameter, summed over the steps so far.
    GradSum(usize),
    /// A saved derivative, by its place among the factors of the gradient.
    Factor(usize),
    /// `u`, the distance from the threshold, in a surrogate.
    Distance,
}

/// A quantity that expressions start from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Leaf {
    /// What it stands for.
    pub quantity: Quantity,
    /// What equations call it. Generated code may have to call it something else.
    pub name: String,
    /// Number or condition.
    pub sort: Sort,
    /// How often it changes.
    pub rate: Rate,
}

/// Comparisons. `a > b` is stored as `b < a`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cmp {
    /// `a < b`
    Lt,
    /// `a <= b`
    Le,
    /// `a == b`
    Eq,
    /// `a != b`
    Ne,
}

/// A node of the graph. Operands are always older than the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// A number, by its bits (so that nodes can be hashed); see [`Graph::number`].
    Num(u64),
    /// Index into [`Graph::leaf`].
    Leaf(u32),
    /// `-a`
    Neg(Id),
    /// `a + b`
    Add(Id, Id),
    /// `a - b`
    Sub(Id, Id),
    /// `a * b`
    Mul(Id, Id),
    /// `a / b`
    Div(Id, Id),
    /// `a` to an integer power.
    Powi(Id, i32),
    /// `if a < b { a } else { b }`
    Min(Id, Id),
    /// `if a > b { a } else { b }`
    Max(Id, Id),
    /// A function of one number.
    Call(Func, Id),
    /// `a`, whose derivative is that of `b`.
    StraightThrough(Id, Id),
    /// `a`, whose derivative is 0.
    Detach(Id),
    /// The surrogate's primitive: what a step function is differentiated as. Only in the second operand of
    /// [`StraightThrough`](Self::StraightThrough).
    Primitive(Id),
    /// A comparison; a condition.
    Compare(Cmp, Id, Id),
    /// `!a`
    Not(Id),
    /// `a && b`
    And(Id, Id),
    /// `a || b`
    Or(Id, Id),
    /// `if cond { a } else { b }`, of numbers.
    Select(Id, Id, Id),
}

impl Node {
    /// The operands, in order.
    pub fn operands(self) -> impl DoubleEndedIterator<Item = Id> {
        let operands = match self {
            Self::Num(_) | Self::Leaf(_) => [None, None, None],
            Self::Neg(a)
            | Self::Powi(a, _)
            | Self::Call(_, a)
            | Self::Detach(a)
            | Self::Primitive(a)
            | Self::Not(a) => [Some(a), None, None],
            Self::Add(a, b)
            | Self::Sub(a, b)
            | Self::Mul(a, b)
            | Self::Div(a, b)
            | Self::Min(a, b)
            | Self::Max(a, b)
            | Self::StraightThrough(a, b)
            | Self::Compare(_, a, b)
            | Self::And(a, b)
            | Self::Or(a, b) => [Some(a), Some(b), None],
            Self::Select(c, a, b) => [Some(c), Some(a), Some(b)],
        };
        operands.into_iter().flatten()
    }

    /// The same node over operands passed through `f`.
    pub fn map(self, mut f: impl FnMut(Id) -> Id) -> Self {
        match self {
            Self::Num(_) | Self::Leaf(_) => self,
            Self::Neg(a) => Self::Neg(f(a)),
            Self::Powi(a, n) => Self::Powi(f(a), n),
            Self::Call(g, a) => Self::Call(g, f(a)),
            Self::StraightThrough(a, b) => Self::StraightThrough(f(a), f(b)),
            Self::Detach(a) => Self::Detach(f(a)),
            Self::Primitive(a) => Self::Primitive(f(a)),
            Self::Not(a) => Self::Not(f(a)),
            Self::Add(a, b) => Self::Add(f(a), f(b)),
            Self::Sub(a, b) => Self::Sub(f(a), f(b)),
            Self::Mul(a, b) => Self::Mul(f(a), f(b)),
            Self::Div(a, b) => Self::Div(f(a), f(b)),
            Self::Min(a, b) => Self::Min(f(a), f(b)),
            Self::Max(a, b) => Self::Max(f(a), f(b)),
            Self::Compare(op, a, b) => Self::Compare(op, f(a), f(b)),
            Self::And(a, b) => Self::And(f(a), f(b)),
            Self::Or(a, b) => Self::Or(f(a), f(b)),
            Self::Select(c, a, b) => Self::Select(f(c), f(a), f(b)),
        }
    }
}

/// The graph: an arena of nodes, each stored once.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    sorts: Vec<Sort>,
    rates: Vec<Rate>,
    index: HashMap<Node, Id>,
    leaves: Vec<Leaf>,
    places: HashMap<Quantity, u32>,
}

impl Graph {
    /// The expression `node`, shared with an equal one if there is one. Nothing is simplified.
    pub fn add(&mut self, node: Node) -> Id {
        if let Some(&id) = self.index.get(&node) {
            return id;
        }
        let sort = match node {
            Node::Compare(..) | Node::Not(_) | Node::And(..) | Node::Or(..) => Sort::Bool,
            Node::Leaf(leaf) => self.leaves[leaf as usize].sort,
            _ => Sort::Real,
        };
        let rate = match node {
            Node::Leaf(leaf) => self.leaves[leaf as usize].rate,
            _ => node.operands().map(|id| self.rate(id)).max().unwrap_or(Rate::Uniform),
        };
        let id = Id(u32::try_from(self.nodes.len()).expect("fewer than 2^32 expressions"));
        self.nodes.push(node);
        self.sorts.push(sort);
        self.rates.push(rate);
        self.index.insert(node, id);
        id
    }

    /// The leaf that stands for `quantity`. The first mention says what it is called and how often it changes.
    pub fn leaf(&mut self, quantity: Quantity, name: &str, sort: Sort, rate: Rate) -> Id {
        let leaves = &mut self.leaves;
        let index = *self.places.entry(quantity).or_insert_with(|| {
            leaves.push(Leaf { quantity, name: name.to_owned(), sort, rate });
            (leaves.len() - 1) as u32
        });
        self.add(Node::Leaf(index))
    }

    /// A number.
    pub fn num(&mut self, value: f64) -> Id {
        self.add(Node::Num(value.to_bits()))
    }

    /// What `id` is.
    pub fn node(&self, id: Id) -> Node {
        self.nodes[id.0 as usize]
    }

    /// Number or condition.
    pub fn sort(&self, id: Id) -> Sort {
        self.sorts[id.0 as usize]
    }

    /// How often its value changes.
    pub fn rate(&self, id: Id) -> Rate {
        self.rates[id.0 as usize]
    }

    /// Its value, if it is a number written out.
    pub fn number(&self, id: Id) -> Option<f64> {
        match self.node(id) {
            Node::Num(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// What `id` is the reciprocal of, if it is `1 / a`: `a`.
    pub fn inverted(&self, id: Id) -> Option<Id> {
        match self.node(id) {
            Node::Div(one, a) if self.number(one) == Some(1.0) => Some(a),
            _ => None,
        }
    }

    /// The leaf, if it is one.
    pub fn as_leaf(&self, id: Id) -> Option<&Leaf> {
        match self.node(id) {
            Node::Leaf(leaf) => Some(&self.leaves[leaf as usize]),
            _ => None,
        }
    }

    /// What the leaf stands for, if it is one.
    pub fn quantity(&self, id: Id) -> Option<Quantity> {
        self.as_leaf(id).map(|leaf| leaf.quantity)
    }

    /// The step function of the comparison `cond`: 1 where it holds, else 0; its derivative is the surrogate gradient at
    /// the difference of what is compared. `None` if it does not compare which is larger.
    pub fn heaviside(&mut self, cond: Id) -> Option<Id> {
        let Node::Compare(Cmp::Lt | Cmp::Le, below, above) = self.node(cond) else { return None };
        let (one, zero) = (self.num(1.0), self.num(0.0));
        let distance = match (self.number(below), self.number(above)) {
            (Some(0.0), _) => above,
            (_, Some(0.0)) => self.add(Node::Neg(below)),
            _ => self.add(Node::Sub(above, below)),
        };
        let (value, smooth) = (self.add(Node::Select(cond, one, zero)), self.add(Node::Primitive(distance)));
        Some(self.add(Node::StraightThrough(value, smooth)))
    }

    /// The comparison that `id` is the step function of, if it is one.
    pub fn as_heaviside(&self, id: Id) -> Option<Id> {
        match self.node(id) {
            Node::StraightThrough(value, smooth) => match (self.node(value), self.node(smooth)) {
                (Node::Select(cond, _, _), Node::Primitive(_)) => Some(cond),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether it is a leaf or a number, which there is nothing to compute of.
    pub fn is_atom(&self, id: Id) -> bool {
        matches!(self.node(id), Node::Leaf(_) | Node::Num(_))
    }

    /// Whether `id` is computed from `part`, or is it.
    pub fn contains(&self, id: Id, part: Id) -> bool {
        self.reach([id]).contains(&part)
    }

    /// `expr` with `to` in the place of `from`.
    pub fn replaced(&mut self, expr: Id, from: Id, to: Id) -> Id {
        let mut done: HashMap<Id, Id> = HashMap::new();
        // Operands come first.
        for part in self.reach([expr]) {
            let new = if part == from {
                to
            } else {
                let node = self.node(part).map(|operand| done[&operand]);
                self.add(node)
            };
            done.insert(part, new);
        }
        done[&expr]
    }

    /// All expressions that `roots` are computed from, themselves included; operands come before what uses
    /// them.
    pub fn reach(&self, roots: impl IntoIterator<Item = Id>) -> BTreeSet<Id> {
        self.reach_but(roots, |_| false)
    }

    /// The same without expressions that are `known`, and what only these are computed from.
    pub fn reach_but(&self, roots: impl IntoIterator<Item = Id>, known: impl Fn(Id) -> bool) -> BTreeSet<Id> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<Id> = roots.into_iter().collect();
        while let Some(id) = open.pop() {
            if !known(id) && reached.insert(id) {
                open.extend(self.node(id).operands());
            }
        }
        reached
    }
}
