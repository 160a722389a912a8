//! Where a function or a division is asked for what it has no value for: `ln(v)` where `v` is negative.
//!
//! What is known of an expression is an [`Interval`]. Inputs, states and parameters may be any number; the `where`
//! conditions, and the conditions of the `if`s around an expression, say more.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use super::Checker;
use super::interval::Interval;
use super::params;
use crate::ir::{Cmp, Graph, Id, Node, Rate};
use crate::model::ParamKind;
use crate::report::{Diagnostic, Extent};

/// What may have no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    Ln,
    Sqrt,
    Division,
    /// A power with this negative exponent.
    Power(i32),
}

/// An operation as the user wrote it.
#[derive(Clone, Debug)]
pub struct Site {
    pub operation: Operation,
    /// What it is applied to; of a division, the divisor.
    pub operand: Id,
    /// The operand as it was written.
    pub text: String,
    pub extent: Extent,
    /// Conditions of the choices around it, and whether they hold there.
    pub path: Vec<(Id, bool)>,
}

impl Checker<'_> {
    /// Warns of what may have no value, given the conditions that parameters meet.
    pub fn domains(&mut self, conditions: &[Id]) {
        let sites = std::mem::take(&mut self.sites);
        let mut reported = HashSet::new();
        for site in sites {
            let mut facts = Facts { ordered: Vec::new(), different: HashSet::new() };
            let known = conditions.iter().map(|&condition| (condition, true));
            known
                .chain(site.path.iter().copied())
                .for_each(|(cond, holds)| facts.add(&self.graph, cond, holds));
            let values = Values::new(&self.graph, facts, 0);
            let value = values.of(site.operand);
            let is_differentiated = self.is_differentiated(site.operand);
            let zero = value.has_zero() && !values.is_nonzero(site.operand);
            let problem = match site.operation {
                Operation::Ln | Operation::Sqrt if value.has_negative() => Problem::Negative,
                Operation::Sqrt if zero && is_differentiated => Problem::Slope,
                Operation::Sqrt => continue,
                _ if zero => Problem::Zero,
                _ => continue,
            };
            if reported.insert((site.operation, site.operand)) {
                let warning = self.warning(&site, problem);
                self.warnings.push(warning);
            }
        }
    }

    /// Whether something is differentiated with respect to what `id` is made of.
    fn is_differentiated(&self, id: Id) -> bool {
        self.graph.reach([id]).into_iter().any(|part| {
            self.graph.as_leaf(part).is_some_and(|leaf| {
                leaf.rate == Rate::Step || self.scope.param_kind(&leaf.name) == ParamKind::Learnable
            })
        })
    }

    fn warning(&self, site: &Site, problem: Problem) -> Diagnostic {
        let short = site.text.len() <= 40;
        let a = if short { &*site.text } else { "..." };
        let subject = if short { format!("`{a}`") } else { "its argument".to_owned() };
        let message = match (site.operation, problem) {
            (Operation::Ln, Problem::Negative) => format!("`ln({a})` is NaN where {subject} is negative"),
            (Operation::Ln, _) => format!("`ln({a})` is infinite where {subject} is 0"),
            (Operation::Sqrt, Problem::Negative) => format!("`sqrt({a})` is NaN where {subject} is negative"),
            (Operation::Sqrt, _) => format!("the slope of `sqrt({a})` is infinite where {subject} is 0"),
            (Operation::Division, _) if short => format!("division by {subject}, which can be 0"),
            (Operation::Division, _) => "division by what can be 0".to_owned(),
            (Operation::Power(n), _) => format!("`{}^{n}` is infinite where {subject} is 0", group(a)),
        };
        let is_constant = self.graph.rate(site.operand) != Rate::Step;
        let hint = match (site.operation, self.graph.as_leaf(site.operand)) {
            (_, Some(leaf)) if is_constant => {
                format!("state its range: `{}`", self.ranged(&leaf.name, site.operation))
            }
            (_, None) if is_constant && short => {
                format!("state its range at one of the parameters: `where {a} > 0.0`")
            }
            _ if is_constant => "state its range at one of the parameters, with `where`".to_owned(),
            (Operation::Division | Operation::Power(_), _) if short => {
                format!("choose another value there: `if {a} != 0.0 {{ ... }} else {{ 0.0 }}`")
            }
            (Operation::Division | Operation::Power(_), _) => {
                "choose another value there, with `if`".to_owned()
            }
            (Operation::Sqrt, _) if problem == Problem::Slope && short => {
                format!("keep it above 0, for example `sqrt({a} + 1e-6)`")
            }
            (Operation::Ln, _) if short => format!("keep it above 0, for example `ln(max({a}, 1e-6))`"),
            (Operation::Sqrt, _) if short => format!("keep it above 0, for example `sqrt(max({a}, 1e-6))`"),
            _ => "keep it above 0, for example with `max`".to_owned(),
        };
        Diagnostic::new(site.extent, message).help(hint)
    }

    /// The declaration of a parameter with the range that `operation` needs, around its default if that is in it.
    fn ranged(&self, name: &str, operation: Operation) -> String {
        let declared = self.scope.params.iter().position(|(declared, _)| *declared == name);
        let default = match declared.map(|index| self.defaults[index]) {
            Some(params::Default::Done(Some(value))) => value,
            None if name == "v_threshold" => 1.0,
            _ => 0.0,
        };
        let is_divisor = matches!(operation, Operation::Division | Operation::Power(_));
        let (range, fits) = match operation {
            Operation::Sqrt => (">= 0.0", default >= 0.0),
            _ if is_divisor && default < 0.0 => ("< 0.0", true),
            _ => ("> 0.0", default > 0.0),
        };
        let word = self.scope.param_kind(name).keyword();
        let item = match declared {
            Some(index) if fits => self.scope.params[index].1.to_string(),
            _ if fits => format!("{word} {name} = {default:?}"),
            _ => format!("{word} {name} = 1.0"),
        };
        format!("{item} where {name} {range};")
    }
}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    Negative,
    Zero,
    /// The value is fine, its derivative is not.
    Slope,
}

/// `a` as the base of a power.
fn group(a: &str) -> String {
    let is_atom = a.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    if is_atom || a.starts_with('(') { a.to_owned() } else { format!("({a})") }
}

/// Comparisons that are known to hold.
#[derive(Clone, Debug)]
struct Facts {
    /// `a < b`, or `a <= b` if the last is true.
    ordered: Vec<(Id, Id, bool)>,
    /// `a != b`
    different: HashSet<(Id, Id)>,
}

impl Facts {
    /// `cond` is `holds`.
    fn add(&mut self, g: &Graph, cond: Id, holds: bool) {
        match (g.node(cond), holds) {
            (Node::Not(a), _) => self.add(g, a, !holds),
            (Node::And(a, b), true) | (Node::Or(a, b), false) => {
                self.add(g, a, holds);
                self.add(g, b, holds);
            }
            (Node::Compare(op, a, b), _) => match (op, holds) {
                (Cmp::Lt, true) => self.ordered.push((a, b, false)),
                (Cmp::Le, true) => self.ordered.push((a, b, true)),
                (Cmp::Lt, false) => self.ordered.push((b, a, true)),
                (Cmp::Le, false) => self.ordered.push((b, a, false)),
                (Cmp::Eq, true) | (Cmp::Ne, false) => self.ordered.extend([(a, b, true), (b, a, true)]),
                (Cmp::Ne, true) | (Cmp::Eq, false) => self.different.extend([(a, b), (b, a)]),
            },
            _ => {}
        }
    }
}

/// How deep a choice in a choice is looked at with its own condition.
const DEEPEST: usize = 3;

/// How often what is known of one expression is passed on to those that it is compared with.
const ROUNDS: usize = 3;

/// The values of expressions, under some facts.
struct Values<'a> {
    graph: &'a Graph,
    facts: Facts,
    /// How many choices it is in.
    depth: usize,
    /// What the facts say of expressions that are compared.
    known: HashMap<Id, Interval>,
    /// Those computed so far.
    done: RefCell<HashMap<Id, Interval>>,
}

impl<'a> Values<'a> {
    fn new(graph: &'a Graph, facts: Facts, depth: usize) -> Self {
        let mut values = Self { graph, facts, depth, known: HashMap::new(), done: RefCell::default() };
        for _ in 0..ROUNDS {
            let mut known = values.known.clone();
            for &(a, b, or_equal) in &values.facts.ordered {
                let (low, high) = (values.of(a), values.of(b));
                for (id, limit) in [(a, high.below(or_equal)), (b, low.above(or_equal))] {
                    let before = known.entry(id).or_insert(Interval::ALL);
                    *before = before.intersection(limit);
                }
            }
            values.known = known;
            values.done.borrow_mut().clear();
        }
        values
    }

    /// Whether `id` is known to differ from 0, where intervals cannot say it.
    fn is_nonzero(&self, id: Id) -> bool {
        self.facts.different.iter().any(|&(a, b)| {
            let is_difference = self.graph.node(id) == Node::Sub(a, b);
            is_difference || (a == id && self.graph.number(b) == Some(0.0))
        })
    }

    fn of(&self, id: Id) -> Interval {
        if let Some(&done) = self.done.borrow().get(&id) {
            return done;
        }
        let known = self.known.get(&id).copied().unwrap_or(Interval::ALL);
        let value = self.node(id).intersection(known);
        self.done.borrow_mut().insert(id, value);
        value
    }

    fn node(&self, id: Id) -> Interval {
        match self.graph.node(id) {
            Node::Num(bits) => Interval::point(f64::from_bits(bits)),
            Node::Leaf(_) if self.is_spike(id) => Interval::closed(0.0, 1.0),
            Node::Leaf(_) => Interval::ALL,
            Node::Neg(a) => self.of(a).neg(),
            Node::Add(a, b) => self.of(a).add(self.of(b)),
            Node::Sub(a, b) => {
                let difference = self.of(a).sub(self.of(b));
                self.facts.ordered.iter().fold(difference, |difference, &(low, high, or_equal)| {
                    let zero = Interval::point(0.0);
                    match (low == a && high == b, low == b && high == a) {
                        (true, _) => difference.intersection(zero.below(or_equal)),
                        (_, true) => difference.intersection(zero.above(or_equal)),
                        _ => difference,
                    }
                })
            }
            Node::Mul(a, b) if a == b => self.of(a).powi(2),
            Node::Mul(a, b) => self.of(a).mul(self.of(b)),
            Node::Div(a, b) => self.of(a).div(self.of(b)),
            Node::Powi(a, n) => self.of(a).powi(n),
            Node::Min(a, b) => self.of(a).min(self.of(b)),
            Node::Max(a, b) => self.of(a).max(self.of(b)),
            Node::Call(func, a) => self.of(a).call(func),
            Node::Select(_, a, b) if self.depth == DEEPEST => self.of(a).union(self.of(b)),
            Node::Select(cond, a, b) => self.under(cond, true, a).union(self.under(cond, false, b)),
            Node::Compare(..) | Node::Not(_) | Node::And(..) | Node::Or(..) => Interval::ALL,
        }
    }

    /// `id` where `cond` is `holds`.
    fn under(&self, cond: Id, holds: bool, id: Id) -> Interval {
        let mut facts = self.facts.clone();
        facts.add(self.graph, cond, holds);
        Self::new(self.graph, facts, self.depth + 1).of(id)
    }

    fn is_spike(&self, id: Id) -> bool {
        self.graph.as_leaf(id).is_some_and(|leaf| leaf.name == "spike")
    }
}
