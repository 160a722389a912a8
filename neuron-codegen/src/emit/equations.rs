//! Equations as text, in the syntax of the language.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::gradient::Derived;
use crate::interface::Role;
use crate::ir::{Graph, Id, Node, Quantity};
use crate::kernel::Subject;
use crate::kernel::cost::{Uses, cost, deserving};
use crate::print::{Dialect, Printer};

/// How many operands and operators an equation may have before what is in it several times gets a name.
const READABLE: usize = 80;

/// Equations, in order. A long one is broken into parts, which come before it: an expression is a graph, and written
/// out as a tree it may be of any length.
pub struct Table<'a> {
    derived: &'a Derived,
    names: HashMap<Id, String>,
    shown: BTreeSet<Id>,
    rows: Vec<(String, String)>,
}

impl<'a> Table<'a> {
    /// For equations with these right-hand sides.
    pub fn new(derived: &'a Derived, exprs: impl IntoIterator<Item = Id>) -> Self {
        let model = &derived.model;
        let mut exprs: Vec<Id> = exprs.into_iter().chain(model.threshold()).collect();
        let reached = model.graph.reach(exprs.iter().copied());
        exprs.extend(
            reached.into_iter().filter_map(|id| applied(&model.graph, id)).map(|(_, distance)| distance),
        );
        let namespace = derived.interface.namespace();
        let names = names(&model.graph, &exprs, &model.names, |name| namespace.has(name));
        Self { derived, names, shown: BTreeSet::new(), rows: Vec::new() }
    }

    fn graph(&self) -> &'a Graph {
        &self.derived.model.graph
    }

    fn printer(&self) -> Printer<'_> {
        Printer { graph: self.graph(), dialect: Dialect::Dsl, names: &self.names }
    }

    /// Adds `name = expr`, and before it the parts of `expr` that have names.
    pub fn row(&mut self, name: &str, expr: Id) {
        self.define(expr);
        let text = self.printer().expr(expr);
        self.text(name, text);
    }

    /// Adds `name = text`.
    pub fn text(&mut self, name: &str, text: String) {
        self.rows.push((name.to_owned(), text));
    }

    /// Whether the neuron fires: `h >= v_threshold`, or `h > v_threshold` if it is `strict`.
    pub fn fires(&mut self, threshold: Id, strict: bool) {
        self.define(threshold);
        let sign = if strict { ">" } else { ">=" };
        let text = format!("h {sign} {}", self.printer().expr(threshold));
        self.text("spike", text);
    }

    /// The distance from the threshold of a neuron that fires: `h - v_threshold`.
    pub fn distance(&mut self) -> String {
        let threshold = self.derived.model.threshold().expect("the neuron fires");
        self.define(threshold);
        let text = self.printer().expr(threshold);
        let is_named = self.names.contains_key(&threshold);
        match self.graph().node(threshold) {
            Node::Add(..) | Node::Sub(..) | Node::Select(..) if !is_named => format!("h - ({text})"),
            _ => format!("h - {text}"),
        }
    }

    /// All of them.
    pub fn rows(self) -> Vec<(String, String)> {
        self.rows
    }

    /// Says what the names in `expr` stand for, unless that has been said.
    fn define(&mut self, expr: Id) {
        for part in self.graph().reach([expr]) {
            if let Some((function, distance)) = applied(self.graph(), part) {
                if self.shown.insert(part) {
                    self.define(distance);
                    let text = format!("{function}({})", self.printer().expr(distance));
                    let name = self.printer().expr(part);
                    self.rows.push((name, text));
                }
            } else if self.names.contains_key(&part) && self.shown.insert(part) {
                let text = self.printer().definition(part);
                self.rows.push((self.names[&part].clone(), text));
            }
        }
    }
}

/// The function of the surrogate that a leaf is, and of what.
fn applied(g: &Graph, leaf: Id) -> Option<(&'static str, Id)> {
    match g.quantity(leaf)? {
        Quantity::Slope(distance) => Some(("surrogate", distance)),
        Quantity::Smooth(distance) => Some(("primitive", distance)),
        Quantity::Held(value) => Some(("detach", value)),
        _ => None,
    }
}

/// Names for parts of `exprs`, if one of these is too long to be read: those that the user has `given`, unless
/// something else is called that (`is_taken`), and others.
fn names(
    g: &Graph,
    exprs: &[Id],
    given: &HashMap<Id, String>,
    is_taken: impl Fn(&str) -> bool,
) -> HashMap<Id, String> {
    let is_given = |uses: &Uses, id: Id| given.contains_key(&id) && uses.is_shared(id);
    let parts = parts(g, exprs, |_| false, is_given);
    let mut numbers = numbers(g, exprs, given).filter(|name| !is_taken(name));
    let name = |id| {
        let given = given.get(&id).filter(|name| !is_taken(name)).cloned();
        (id, given.unwrap_or_else(|| numbers.next().expect("there are more numbers than names")))
    };
    parts.into_iter().map(name).collect()
}

/// `t1`, `t2` and so on, but for what something in `exprs` is called.
pub fn numbers(g: &Graph, exprs: &[Id], given: &HashMap<Id, String>) -> impl Iterator<Item = String> + use<> {
    let reached = g.reach(exprs.iter().copied());
    let leaves = reached.into_iter().filter_map(|id| g.as_leaf(id)).map(|leaf| &leaf.name);
    let taken: HashSet<String> = leaves.chain(given.values()).cloned().collect();
    (1..).map(|number| format!("t{number}")).filter(move |name| !taken.contains(name))
}

/// Which parts of `exprs` are written as names where one of these is too long to be read: those that are named
/// already (`is_named`), and those that deserve it. There are none if all are short; what `is_word` says is one word.
pub fn parts(
    g: &Graph,
    exprs: &[Id],
    is_word: impl Fn(Id) -> bool,
    is_named: impl Fn(&Uses, Id) -> bool,
) -> BTreeSet<Id> {
    let ids = g.reach(exprs.iter().copied());
    let mut lengths: HashMap<Id, usize> = HashMap::new();
    // Operands come first.
    for &id in &ids {
        let length = |operand| if is_word(operand) { 1 } else { lengths[&operand] };
        let length = g.node(id).operands().map(length).fold(1, usize::saturating_add);
        lengths.insert(id, length);
    }
    if exprs.iter().all(|expr| lengths[expr] <= READABLE) {
        return BTreeSet::new();
    }
    let uses = Uses::new(g, ids.iter().copied(), exprs.iter().copied());
    let deserving = deserving(g, &ids, &uses, cost, |id| is_named(&uses, id));
    ids.into_iter().filter(|&id| is_named(&uses, id) || deserving.contains(&id)).collect()
}

impl Subject {
    /// What the equation calls it.
    pub fn name(self, derived: &Derived) -> String {
        match self {
            Self::Charged => "h".to_owned(),
            Self::Spike => "spike".to_owned(),
            Self::GradCharged => "grad_h".to_owned(),
            Self::Array(Role::Factor(index)) => derived.kept_factor(index).name.clone(),
            Self::Array(role) => derived.interface.name(role, false).to_owned(),
        }
    }
}
