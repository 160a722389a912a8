//! Where a function or a division is asked for what it has no value for: `ln(v)` where `v` is negative.
//!
//! What is known of an expression is an [`Interval`]. Inputs, states and parameters may be any number; the `where`
//! conditions, and the conditions of the `if`s around an expression, say more. How much is thought about a single place
//! is limited: see [`values::BUDGET`].

mod facts;
mod values;

use std::collections::{HashMap, HashSet};

use super::{Lowering, params};
use crate::ir::{Id, Rate};
use crate::lowering::interval::Interval;
use crate::model::{Param, ParamKind};
use crate::report::{Diagnostic, Extent};
use crate::walk;
use facts::{Index, from_condition};
use values::{BUDGET, Budget, Values};

/// What may have no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    Ln,
    Log1p,
    Sqrt,
    Division,
    /// A power with this negative exponent.
    Power(i32),
}

impl Operation {
    /// Where the values end that it has a result for.
    fn least(self) -> f64 {
        if self == Self::Log1p { -1.0 } else { 0.0 }
    }
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

impl Lowering<'_> {
    /// Warns of what may have no value, given the conditions that parameters meet.
    pub fn domains(&mut self, params: &[Param]) {
        let sites = std::mem::take(&mut self.sites);
        let conditions = params.iter().flat_map(|param| &param.conditions);
        let conditions: Vec<Id> = conditions.map(|condition| condition.expr).collect();
        let warnings = self.dubious(&sites, &conditions).unwrap_or_default();
        warnings.into_iter().for_each(|warning| self.warnings.push(warning));
    }

    /// What to say of `sites`. `None` if it takes too long to tell what the ranges of parameters mean.
    fn dubious(&self, sites: &[Site], conditions: &[Id]) -> Option<Vec<Diagnostic>> {
        let mut facts = Vec::new();
        conditions.iter().for_each(|&condition| from_condition(&self.graph, condition, true, &mut facts));
        let (index, budget) = (Index::new(&self.graph, facts), Budget::default());
        budget.refill(BUDGET * (1 + conditions.len()));
        let everywhere = Values::everywhere(&self.graph, &index, &budget)?;
        let (mut reported, mut differentiated) = (HashSet::new(), HashMap::new());
        let mut warnings = Vec::new();
        for site in sites {
            budget.refill(BUDGET);
            let is_differentiated = || self.is_differentiated(site.operand, &mut differentiated);
            let problem = if site.path.is_empty() {
                problem(site, &everywhere, is_differentiated)
            } else {
                let inside = everywhere.assuming(&site.path, site.operand, 0);
                inside.and_then(|inside| problem(site, &inside, is_differentiated))
            };
            if let Some(problem) = problem
                && reported.insert((site.operation, site.operand))
            {
                warnings.push(self.warning(site, problem));
            }
        }
        Some(warnings)
    }

    /// Whether something is differentiated with respect to what `id` is made of. What was found is kept in `done`.
    fn is_differentiated(&self, id: Id, done: &mut HashMap<Id, bool>) -> bool {
        let graph = &self.graph;
        let operands = |id| graph.node(id).operands();
        walk::fold(done, id, operands, |done, id| {
            let is_own = graph.as_leaf(id).is_some_and(|leaf| {
                leaf.rate == Rate::Step || self.scope.param_kind(&leaf.name) == ParamKind::Learnable
            });
            Some(is_own || graph.node(id).operands().any(|operand| done[&operand]))
        });
        done[&id]
    }

    fn warning(&self, site: &Site, problem: Problem) -> Diagnostic {
        let short = site.text.len() <= 40;
        let a = if short { &*site.text } else { "..." };
        let subject = if short { format!("`{a}`") } else { "its argument".to_owned() };
        let message = match (site.operation, problem) {
            (Operation::Ln, Problem::Negative) => format!("`ln({a})` is NaN where {subject} is negative"),
            (Operation::Ln, _) => format!("`ln({a})` is infinite where {subject} is 0"),
            (Operation::Log1p, Problem::Negative) => {
                format!("`log1p({a})` is NaN where {subject} is below -1")
            }
            (Operation::Log1p, _) => format!("`log1p({a})` is infinite where {subject} is -1"),
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
                let least = site.operation.least();
                format!("state its range at one of the parameters: `where {a} > {least:?}`")
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
            (Operation::Log1p, _) if short => {
                format!("keep it above -1, for example `log1p(max({a}, -0.999))`")
            }
            (Operation::Log1p, _) => "keep it above -1, for example with `max`".to_owned(),
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
            None => self.language.param(name).map_or(0.0, |param| param.default),
            Some(_) => 0.0,
        };
        let is_divisor = matches!(operation, Operation::Division | Operation::Power(_));
        let least = operation.least();
        let (range, fits) = match operation {
            Operation::Sqrt => (">= 0.0".to_owned(), default >= 0.0),
            _ if is_divisor && default < 0.0 => ("< 0.0".to_owned(), true),
            _ => (format!("> {least:?}"), default > least),
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
    /// Below the least that it is defined for.
    Negative,
    /// The least itself.
    Zero,
    /// The value is fine, its derivative is not.
    Slope,
}

/// What is wrong at `site`, if anything is. `None` as well where it takes too long to tell.
fn problem(site: &Site, values: &Values<'_>, is_differentiated: impl FnOnce() -> bool) -> Option<Problem> {
    let value = values.of(site.operand)?;
    // How far it is from the least that has a value.
    let value = value.sub(Interval::point(site.operation.least()));
    let zero = value.has_zero() && !(site.operation.least() == 0.0 && values.is_nonzero(site.operand));
    match site.operation {
        Operation::Ln | Operation::Log1p | Operation::Sqrt if value.has_negative() => Some(Problem::Negative),
        Operation::Sqrt => (zero && is_differentiated()).then_some(Problem::Slope),
        Operation::Ln | Operation::Log1p | Operation::Division | Operation::Power(_) => {
            zero.then_some(Problem::Zero)
        }
    }
}

/// `a` as the base of a power.
fn group(a: &str) -> String {
    let is_atom = a.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    if is_atom || a.starts_with('(') { a.to_owned() } else { format!("({a})") }
}
