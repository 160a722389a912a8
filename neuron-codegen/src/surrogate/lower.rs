//! Expressions as written to expressions in the graph: resolves names, checks sorts.

use std::collections::{HashMap, HashSet};

use proc_macro2::Ident;

use crate::check::names;
use crate::identifiers;
use crate::ir::{Cmp, Func, Graph, Id, Node, Sort};
use crate::report::{Diagnostic, Report};
use crate::suggest;
use crate::syntax::{Binary, Expr, ExprKind};
use crate::walk::{self, Order};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbol {
    /// `u`
    Distance,
    /// A parameter, by its leaf.
    Param(Id),
    /// A `let`, by its index.
    Let(usize),
    /// A number that has a name: `PI`.
    Constant(Id),
    /// Something that a reported mistake was made about.
    Wrong,
}

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

/// Where an expression stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The primitive, or a `let`.
    Primitive,
    /// A `where` condition.
    Where,
    /// The default of a parameter.
    Default,
}

impl Place {
    fn allows(self, symbol: Symbol) -> bool {
        match self {
            Self::Primitive => true,
            Self::Where => matches!(symbol, Symbol::Param(_) | Symbol::Constant(_)),
            Self::Default => matches!(symbol, Symbol::Constant(_)),
        }
    }
}

/// The names that a declaration gives, and its expressions as far as they are known.
pub struct Lowering<'a> {
    pub graph: Graph,
    pub u: Id,
    pub symbols: HashMap<String, Symbol>,
    /// Names and expressions of the `let`s.
    pub lets: Vec<(&'a Ident, &'a Expr, Let)>,
    /// The names of expressions given by `let`.
    pub names: HashMap<Id, String>,
    /// Words in parts that could not be parsed.
    pub lost: &'a [String],
    /// Whether some name that is declared could not be read.
    pub nameless: bool,
    /// Names already reported.
    pub reported: HashSet<String>,
    /// Names that were used, or that unknown ones were probably meant to be.
    pub used: HashSet<String>,
    pub report: &'a mut Report,
}

impl Lowering<'_> {
    /// `expr`, which has to be of sort `expected`. `None` if something is wrong with it, which has been reported.
    pub fn expr(&mut self, expr: &Expr, expected: Sort, place: Place) -> Option<Id> {
        let id = match &expr.kind {
            ExprKind::Wrong(parts) => {
                for part in parts {
                    self.look(part, place);
                }
                return None;
            }
            ExprKind::Paren(inner) => return self.expr(inner, expected, place),
            ExprKind::Name(name) => self.name(name, place)?,
            ExprKind::Bool(value) => {
                let message = format!("`{value}` cannot be used in a surrogate");
                let error = Diagnostic::new(expr.extent, message);
                self.report.push(error.help(format!("as a number, it is `{}.0`", u8::from(*value))));
                return None;
            }
            ExprKind::Number(value, _) => self.graph.num(*value),
            ExprKind::Neg(a) => {
                let a = self.expr(a, Sort::Real, place)?;
                self.graph.add(Node::Neg(a))
            }
            ExprKind::Not(a) => {
                let a = self.expr(a, Sort::Bool, place)?;
                self.graph.add(Node::Not(a))
            }
            ExprKind::Power(a, n) => {
                let a = self.expr(a, Sort::Real, place)?;
                self.graph.add(Node::Powi(a, *n))
            }
            ExprKind::Binary(op, a, b) => self.binary(*op, a, b, place)?,
            ExprKind::Call(function, args) => self.call(function, args, place)?,
            ExprKind::If(cond, yes, no) => {
                let cond = self.expr(cond, Sort::Bool, place);
                let (yes, no) = (self.expr(yes, Sort::Real, place), self.expr(no, Sort::Real, place));
                self.graph.add(Node::Select(cond?, yes?, no?))
            }
        };
        let sort = self.graph.sort(id);
        if sort != expected {
            self.mismatch(expr, sort);
            return None;
        }
        Some(id)
    }

    /// Notes what is used in an expression that is wrong as a whole; nothing is said about its parts.
    fn look(&mut self, expr: &Expr, place: Place) {
        if let ExprKind::Name(name) = &expr.kind {
            self.name(name, place);
        }
        for operand in expr.operands() {
            self.look(operand, place);
        }
    }

    fn mismatch(&mut self, expr: &Expr, sort: Sort) {
        let text = expr.to_string();
        let shown = if text.len() <= 40 { text.as_str() } else { "..." };
        self.report.push(match sort {
            Sort::Bool => {
                Diagnostic::new(expr.extent, format!("expected a number, found the condition `{shown}`"))
                    .help(format!("to get a number, write `if {shown} {{ 1.0 }} else {{ 0.0 }}`"))
            }
            Sort::Real => {
                Diagnostic::new(expr.extent, format!("expected a condition, found the number `{shown}`"))
                    .help(format!("compare it with something: `{shown} > 0.0`"))
            }
        });
    }

    fn binary(&mut self, op: Binary, a: &Expr, b: &Expr, place: Place) -> Option<Id> {
        let sort = if matches!(op, Binary::And | Binary::Or) { Sort::Bool } else { Sort::Real };
        let (a, b) = (self.expr(a, sort, place), self.expr(b, sort, place));
        let (a, b) = (a?, b?);
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
            Binary::And => Node::And(a, b),
            Binary::Or => Node::Or(a, b),
        }))
    }

    fn call(&mut self, function: &Ident, args: &[Expr], place: Place) -> Option<Id> {
        let name = function.to_string();
        let (form, arity) = match name.as_str() {
            "min" | "max" => (format!("{name}(a, b)"), 2),
            "clamp" => ("clamp(x, low, high)".to_owned(), 3),
            _ => (format!("{name}(x)"), 1),
        };
        if !names::functions().contains(&name.as_str()) {
            self.unknown_function(function, args);
        } else if args.len() != arity {
            let s = if arity == 1 { "" } else { "s" };
            let message = format!("`{name}` takes {arity} argument{s}, found {}", args.len());
            self.report.push(Diagnostic::new(function, message).help(format!("write `{form}`")));
        }
        let ids: Vec<_> = args.iter().map(|arg| self.expr(arg, Sort::Real, place)).collect();
        let ids: Option<Vec<Id>> = ids.into_iter().collect();
        let node = match (name.as_str(), ids?.as_slice()) {
            ("min", &[a, b]) => Node::Min(a, b),
            ("max", &[a, b]) => Node::Max(a, b),
            ("clamp", &[x, low, high]) => Node::Min(high, self.graph.add(Node::Max(low, x))),
            (_, &[a]) => Node::Call(Func::ALL.into_iter().find(|func| func.name() == name)?, a),
            _ => return None,
        };
        Some(self.graph.add(node))
    }

    fn unknown_function(&mut self, function: &Ident, args: &[Expr]) {
        let name = identifiers::text(function);
        if self.lost.contains(&name) || !self.reported.insert(format!("{name}()")) {
            return;
        }
        if self.symbols.contains_key(&name) {
            self.used.insert(name.clone());
            let error = Diagnostic::new(function, format!("`{name}` is not a function"));
            let first = args.first().map_or_else(|| "u".to_owned(), Expr::to_string);
            self.report.push(error.help(format!("a product is written with `*`: `{name} * ({first})`")));
            return;
        }
        let texts: Vec<_> = args.iter().map(Expr::to_string).collect();
        let error = Diagnostic::new(function, format!("unknown function `{name}`"));
        self.report.push(match suggest::function(&name, &names::functions(), &texts) {
            Some(hint) => error.help(hint),
            None => error.help(format!("the functions are `{}`", names::functions().join("`, `"))),
        });
    }

    fn name(&mut self, ident: &Ident, place: Place) -> Option<Id> {
        let name = identifiers::text(ident);
        let Some(&symbol) = self.symbols.get(&name) else {
            self.unknown(ident, place);
            return None;
        };
        self.used.insert(name.clone());
        if symbol == Symbol::Wrong {
            return None;
        }
        if !place.allows(symbol) {
            if self.reported.insert(format!("{name} in {place:?}")) {
                let (what, hint) = match place {
                    Place::Default => ("the default of a parameter", "it is a constant, made of numbers"),
                    _ => ("a `where` condition", "it can use parameters and numbers"),
                };
                self.report.push(Diagnostic::new(ident, format!("{what} cannot use `{name}`")).help(hint));
            }
            return None;
        }
        match symbol {
            Symbol::Distance => Some(self.u),
            Symbol::Param(id) | Symbol::Constant(id) => Some(id),
            Symbol::Let(index) => self.resolve(index),
            Symbol::Wrong => None,
        }
    }

    /// The value of the `let` of that index.
    pub fn resolve(&mut self, index: usize) -> Option<Id> {
        match self.lets[index].2 {
            Let::Done(id) => return id,
            // Its cycle has been reported.
            Let::Active => return None,
            Let::Waiting => {}
        }
        // What it uses comes first: each `let` by itself is no deep recursion, however long the chain of them.
        let is_settled = |index: usize| !matches!(self.lets[index].2, Let::Waiting);
        let Order { sequence, cycles } = walk::order(index, is_settled, |index| self.uses(index));
        for first in cycles.into_iter().filter_map(|cycle| cycle.into_iter().min()) {
            let name = self.lets[first].0;
            self.report.push(Diagnostic::new(name, format!("`{name}` is defined by itself")));
        }
        sequence.iter().for_each(|&index| self.lets[index].2 = Let::Active);
        sequence.iter().for_each(|&index| self.settle(index));
        match self.lets[index].2 {
            Let::Done(id) => id,
            Let::Waiting | Let::Active => None,
        }
    }

    /// Looks at a `let` after those that it uses.
    fn settle(&mut self, index: usize) {
        let (name, value, _) = self.lets[index];
        let id = self.expr(value, Sort::Real, Place::Primitive);
        self.lets[index].2 = Let::Done(id);
        if let Some(id) = id
            && !matches!(self.graph.node(id), Node::Num(_) | Node::Leaf(_))
        {
            self.names.entry(id).or_insert_with(|| identifiers::text(name));
        }
    }

    /// Which `let`s that of this index uses.
    fn uses(&self, index: usize) -> Vec<usize> {
        let mut names = Vec::new();
        self.lets[index].1.names(&mut names);
        let symbols = names.into_iter().filter_map(|name| self.symbols.get(&identifiers::text(name)));
        symbols
            .filter_map(|symbol| if let Symbol::Let(index) = symbol { Some(*index) } else { None })
            .collect()
    }

    fn unknown(&mut self, ident: &Ident, place: Place) {
        let name = identifiers::text(ident);
        if self.lost.contains(&name) || !self.reported.insert(name.clone()) {
            return;
        }
        let error = Diagnostic::new(ident, format!("unknown name `{name}`"));
        if names::functions().contains(&name.as_str()) {
            let message = format!("`{name}` is a function and needs an argument");
            self.report.push(Diagnostic::new(ident, message).help(format!("write for example `{name}(u)`")));
            return;
        }
        if self.nameless {
            return;
        }
        const OF_NEURONS: [&str; 9] = ["h", "v", "x", "s", "z", "spike", "v_threshold", "v_th", "U"];
        if OF_NEURONS.contains(&name.as_str()) && place == Place::Primitive {
            self.used.insert("u".to_owned());
            // `h - v_threshold` is one mistake.
            if !self.reported.insert("u by other names".to_owned()) {
                return;
            }
            self.report.push(error.help("a surrogate is a function of `u = h - v_threshold`: write `u`"));
            return;
        }
        if name.eq_ignore_ascii_case("pi") {
            self.report.push(error.help("did you mean `PI`?"));
            return;
        }
        let allowed = self.symbols.iter().filter(|(_, symbol)| place.allows(**symbol));
        let mut known: Vec<&str> = allowed.map(|(name, _)| name.as_str()).collect();
        known.sort_unstable();
        self.report.push(match suggest::name(&name, &known, None) {
            Some(meant) => {
                let help = format!("did you mean `{meant}`?");
                self.used.insert(meant.to_owned());
                error.help(help)
            }
            None => error.help(format!("declare it, for example `param {name} = 1.0;`")),
        });
    }
}
