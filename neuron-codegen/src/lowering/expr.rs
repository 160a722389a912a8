//! Expressions as written to expressions in the graph: resolves names, checks kinds.
//!
//! Nothing is rearranged: what the user wrote is what is evaluated.

use proc_macro2::Ident;

use super::domain::{Operation, Site};
use super::{Lowering, Place, Symbol};
use crate::identifiers;
use crate::ir::{Cmp, Func, Id, Node, Quantity, Rate, Sort};
use crate::model::rate_of;
use crate::report::Extent;
use crate::syntax::{Binary, Expr, ExprKind, is_keyword};

impl Lowering<'_> {
    /// A number.
    pub fn number(&mut self, expr: &Expr, place: Place) -> Option<Id> {
        self.expr(expr, Some(Sort::Real), place)
    }

    /// A condition.
    pub fn condition(&mut self, expr: &Expr, place: Place) -> Option<Id> {
        self.expr(expr, Some(Sort::Bool), place)
    }

    /// `expr`, which has to be of sort `expected` if that is given.
    pub fn expr(&mut self, expr: &Expr, expected: Option<Sort>, place: Place) -> Option<Id> {
        let id = match &expr.kind {
            ExprKind::Wrong(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    // Of a word on its own, such as an exponent, it is enough to say that it cannot stand there.
                    if index == 0 || !matches!(part.bare().kind, ExprKind::Name(_) | ExprKind::Bool(_)) {
                        self.expr(part, None, place);
                    }
                }
                return None;
            }
            ExprKind::Paren(inner) => return self.expr(inner, expected, place),
            ExprKind::Name(name) => self.name(name, expected, place)?,
            ExprKind::Bool(value) => {
                self.literal_condition(expr, *value, expected);
                return None;
            }
            ExprKind::Number(value, _) => self.graph.num(*value),
            ExprKind::Neg(a) => {
                let a = self.number(a, place)?;
                self.graph.add(Node::Neg(a))
            }
            ExprKind::Not(a) => {
                let a = self.condition(a, place)?;
                self.graph.add(Node::Not(a))
            }
            ExprKind::Power(a, n) => {
                let base = self.number(a, place)?;
                if *n < 0 {
                    self.site(Operation::Power(*n), base, a, a.extent);
                }
                self.graph.add(Node::Powi(base, *n))
            }
            ExprKind::Binary(op, a, b) => self.binary(*op, a, b, place)?,
            ExprKind::Call(function, args) => self.call(function, args, place)?,
            ExprKind::If(cond, yes, no) => {
                if expected == Some(Sort::Bool) {
                    self.choice_as_condition(expr);
                    return None;
                }
                let cond = self.condition(cond, place);
                let yes = self.assuming(cond, true, |this| this.number(yes, place));
                let no = self.assuming(cond, false, |this| this.number(no, place));
                self.graph.add(Node::Select(cond?, yes?, no?))
            }
        };
        let sort = self.graph.sort(id);
        if expected.is_some_and(|expected| expected != sort) {
            self.mismatch(expr, sort);
            return None;
        }
        Some(id)
    }

    /// What `inner` makes of an expression that only counts where `cond` is `holds`.
    fn assuming<T>(&mut self, cond: Option<Id>, holds: bool, inner: impl FnOnce(&mut Self) -> T) -> T {
        let outside = self.path.len();
        self.path.extend(cond.map(|cond| (cond, holds)));
        let result = inner(self);
        self.path.truncate(outside);
        result
    }

    /// Notes that `operation` may have no value, to be looked at when all ranges are known.
    fn site(&mut self, operation: Operation, operand: Id, written: &Expr, extent: Extent) {
        let text = written.bare().to_string();
        self.sites.push(Site { operation, operand, text, extent, path: self.path.clone() });
    }

    fn binary(&mut self, op: Binary, a: &Expr, b: &Expr, place: Place) -> Option<Id> {
        if let (_, ExprKind::Bool(value)) | (ExprKind::Bool(value), _) = (&a.bare().kind, &b.bare().kind)
            && op.is_comparison()
        {
            self.compared_with_literal(op, a, b, *value);
            return None;
        }
        if let Binary::And | Binary::Or = op {
            let a = self.condition(a, place);
            // The second is only of interest where the first does not decide.
            let b = self.assuming(a, op == Binary::And, |this| this.condition(b, place));
            let node = if op == Binary::And { Node::And } else { Node::Or };
            return Some(self.graph.add(node(a?, b?)));
        }
        let (left, right) = (self.number(a, place), self.number(b, place));
        if let (Binary::Div, Some(divisor)) = (op, right) {
            self.site(Operation::Division, divisor, b, b.extent);
        }
        let (a, b) = (left?, right?);
        Some(self.graph.add(match op {
            Binary::Add => Node::Add(a, b),
            Binary::Sub => Node::Sub(a, b),
            Binary::Mul => Node::Mul(a, b),
            Binary::Div => Node::Div(a, b),
            Binary::Lt => Node::Compare(Cmp::Lt, a, b),
            Binary::Le => Node::Compare(Cmp::Le, a, b),
            Binary::Gt => Node::Compare(Cmp::Lt, b, a),
            Binary::Ge => Node::Compare(Cmp::Le, b, a),
            Binary::Eq => Node::Compare(Cmp::Eq, a, b),
            Binary::Ne => Node::Compare(Cmp::Ne, a, b),
            Binary::And | Binary::Or => unreachable!("handled above"),
        }))
    }

    fn call(&mut self, function: &Ident, args: &[Expr], place: Place) -> Option<Id> {
        let name = function.to_string();
        let is_neuron = self.language.has("state");
        if name == "heaviside" && is_neuron {
            return self.heaviside(function, args, place);
        }
        let (form, arity) = match name.as_str() {
            "min" | "max" => (format!("{name}(a, b)"), 2),
            "clamp" => ("clamp(x, low, high)".to_owned(), 3),
            "straight_through" => ("straight_through(value, smooth)".to_owned(), 2),
            _ => (format!("{name}(x)"), 1),
        };
        if !self.language.functions().contains(&name.as_str()) {
            self.unknown_function(function, args);
        } else if args.len() != arity {
            self.wrong_number_of_arguments(function, arity, args.len(), &form);
        }
        // Looked at in any case, since they may have mistakes of their own.
        let ids: Option<Vec<Id>> =
            args.iter().map(|arg| self.number(arg, place)).collect::<Vec<_>>().into_iter().collect();
        let node = match (name.as_str(), ids?.as_slice()) {
            ("min", &[a, b]) => Node::Min(a, b),
            ("max", &[a, b]) => Node::Max(a, b),
            // In this order `x` is what is chosen at the bounds themselves, and if it is NaN.
            ("ln", &[a]) => {
                self.site(Operation::Ln, a, &args[0], function.into());
                Node::Call(Func::Ln, a)
            }
            ("log1p", &[a]) => {
                self.site(Operation::Log1p, a, &args[0], function.into());
                Node::Call(Func::Log1p, a)
            }
            ("sqrt", &[a]) => {
                self.site(Operation::Sqrt, a, &args[0], function.into());
                Node::Call(Func::Sqrt, a)
            }
            ("detach", &[a]) => Node::Detach(a),
            ("straight_through", &[value, smooth]) => Node::StraightThrough(value, smooth),
            ("clamp", &[x, low, high]) => Node::Min(high, self.graph.add(Node::Max(low, x))),
            (_, &[a]) => Node::Call(Func::ALL.into_iter().find(|func| func.name() == name)?, a),
            _ => return None,
        };
        Some(self.graph.add(node))
    }

    /// `heaviside(a > b)`
    fn heaviside(&mut self, function: &Ident, args: &[Expr], place: Place) -> Option<Id> {
        let [argument] = args else {
            self.wrong_number_of_arguments(function, 1, args.len(), "heaviside(a > b)");
            return None;
        };
        let condition = self.expr(argument, None, place)?;
        if !place.is_in_step() {
            self.no_surrogate(function, place);
            return None;
        }
        let step = self.graph.heaviside(condition);
        if step.is_none() {
            let sort = self.graph.sort(condition);
            self.no_comparison("heaviside", argument, sort);
        }
        step
    }

    /// Whether the neuron has no spike.
    pub fn is_silent(&self) -> bool {
        self.scope.output.is_some() && self.scope.spike.is_none()
    }

    fn name(&mut self, ident: &Ident, expected: Option<Sort>, place: Place) -> Option<Id> {
        let name = identifiers::text(ident);
        let Some(symbol) = self.scope.symbol(&name) else {
            self.unknown(ident, expected, place);
            return None;
        };
        if symbol == Symbol::Wrong {
            return None;
        }
        if is_keyword(ident) {
            self.bare_keyword(ident);
            return None;
        }
        if !place.allows(symbol) {
            self.unavailable(ident, symbol, place);
            return None;
        }
        let quantity = match symbol {
            Symbol::Wrong => return None,
            Symbol::Pi => return Some(self.graph.num(std::f64::consts::PI)),
            Symbol::Let(index) => {
                let id = self.resolve(index)?;
                return self.is_there(ident, id, place).then_some(id);
            }
            Symbol::Param(index) if place == Place::Default => {
                let value = match index {
                    Some(index) => self.default(index)?,
                    None => self.language.param(&name)?.default,
                };
                return Some(self.graph.num(value));
            }
            Symbol::Param(Some(index)) if self.is_no_number(index) => return None,
            Symbol::Param(Some(index)) => self.language.param_quantity(&name, index),
            Symbol::Param(None) => self.language.param(&name)?.quantity,
            Symbol::Flag(_) if expected == Some(Sort::Real) && self.is_no_flag(&name) => return None,
            Symbol::Flag(index) => Quantity::Flag(index),
            Symbol::Input(index) => Quantity::Input(index),
            // `v` is the first.
            Symbol::State(index) => Quantity::State(index.map_or(0, |index| index + 1)),
            Symbol::Charged => Quantity::Charged,
            Symbol::Spike if self.is_silent() && place != Place::Let => {
                self.no_spike(ident);
                return None;
            }
            Symbol::Spike if expected == Some(Sort::Bool) => Quantity::Fired,
            Symbol::Spike => Quantity::Spike,
            Symbol::Distance => Quantity::Distance,
        };
        Some(self.leaf(quantity, &name))
    }

    /// The leaf that stands for `quantity`, which is called `name`.
    pub fn leaf(&mut self, quantity: Quantity, name: &str) -> Id {
        let (sort, rate) = match quantity {
            Quantity::Flag(_) => (Sort::Bool, Rate::Uniform),
            Quantity::Fired => (Sort::Bool, Rate::Step),
            Quantity::Param(_) | Quantity::Threshold | Quantity::ResetPotential => {
                (Sort::Real, rate_of(self.scope.param_kind(name)))
            }
            _ => (Sort::Real, Rate::Step),
        };
        self.graph.leaf(quantity, name, sort, rate)
    }
}
