//! A declaration to a [`Surrogate`]: reports every mistake once, where it was made.

use std::collections::{HashMap, HashSet};

use proc_macro2::Ident;

use super::lower::{Let, Lowering, Place, Symbol};
use super::{MAX_LETS, MAX_PARAMETERS, Param, Surrogate, probe, tidy};
use crate::check::names;
use crate::derive::slope;
use crate::evaluate::Evaluator;
use crate::identifiers;
use crate::ir::{Graph, Id, Node, Quantity, Rate, Sort};
use crate::model::Condition;
use crate::report::{Diagnostic, Report};
use crate::syntax::{Declaration, Expr, ExprKind, Item, ItemKind, instead_of_keyword, is_keyword};

/// The surrogate that `declaration` declares. Where that is wrong, something valid takes its place.
pub fn surrogate(declaration: &Declaration, report: &mut Report) -> Surrogate {
    upper_case(&declaration.name, report);
    let mut graph = Graph::default();
    let u = graph.leaf(Quantity::Distance, "u", Sort::Real, Rate::Step);
    let pi = graph.num(std::f64::consts::PI);
    let symbols = [("u", Symbol::Distance), ("PI", Symbol::Constant(pi))];
    let lowering = Lowering {
        graph,
        u,
        symbols: symbols.into_iter().map(|(name, symbol)| (name.to_owned(), symbol)).collect(),
        lets: Vec::new(),
        names: HashMap::new(),
        lost: &declaration.lost,
        nameless: declaration.nameless,
        reported: HashSet::new(),
        used: HashSet::new(),
        report,
    };
    Checker { declaration, lowering, params: Vec::new() }.surrogate()
}

fn upper_case(name: &Ident, report: &mut Report) {
    let text = identifiers::text(name);
    let mut letters = text.chars();
    if let Some(first) = letters.next().filter(|first| first.is_lowercase()) {
        let upper: String = first.to_uppercase().chain(letters).collect();
        let message = format!("the name of a surrogate begins with an uppercase letter, found `{text}`");
        report.push(Diagnostic::new(name, message).help(format!("write `surrogate {upper}`")));
    }
}

struct Checker<'a> {
    declaration: &'a Declaration,
    lowering: Lowering<'a>,
    /// Parameters as declared: name, item, leaf.
    params: Vec<(&'a Ident, &'a Item, Id)>,
}

impl<'a> Checker<'a> {
    fn surrogate(mut self) -> Surrogate {
        let declaration = self.declaration;
        let mistakes = self.lowering.report.iter().len();
        let written = self.scope();
        let params = self.parameters();
        for index in 0..self.lowering.lets.len() {
            self.lowering.resolve(index);
        }
        let primitive = match written {
            Some(value) => self.lowering.expr(value, Sort::Real, Place::Primitive),
            None => {
                self.missing();
                None
            }
        };
        // Without a place for all of its parameters, it cannot be computed.
        let primitive = primitive.filter(|_| self.params.len() <= MAX_PARAMETERS);
        self.unused(written.is_some());
        let Lowering { mut graph, u, names, report, .. } = self.lowering;
        let is_complete = primitive.is_some() && report.iter().len() == mistakes;
        let primitive = primitive.unwrap_or_else(|| graph.add(Node::Call(crate::ir::Func::Sigmoid, u)));
        let slope = slope(&mut graph, primitive, u);
        let (gradient, gradient_names) = tidy::tidied(&mut graph, slope, &names);
        let surrogate = Surrogate {
            name: declaration.name.clone(),
            vis: declaration.vis.clone(),
            attrs: declaration.attrs.clone(),
            doc: declaration.doc.clone(),
            graph,
            u,
            params,
            primitive,
            gradient,
            names,
            gradient_names,
        };
        if is_complete && let Some(value) = written {
            Self::sound(&surrogate, value, report);
        }
        surrogate
    }

    /// Gives names to what is declared; returns the primitive as written.
    fn scope(&mut self) -> Option<&'a Expr> {
        let mut first: HashMap<String, &Item> = HashMap::new();
        let mut primitive = None;
        for item in &self.declaration.items {
            match &item.kind {
                ItemKind::Param { name, .. } if self.claim(name, item, &mut first) => {
                    let text = identifiers::text(name);
                    let quantity = Quantity::Param(self.params.len());
                    let leaf = self.lowering.graph.leaf(quantity, &text, Sort::Real, Rate::Uniform);
                    self.lowering.symbols.insert(text, Symbol::Param(leaf));
                    if self.params.len() == MAX_PARAMETERS {
                        let message = format!("a surrogate has at most {MAX_PARAMETERS} parameters");
                        let error = Diagnostic::new(name, message);
                        self.lowering
                            .report
                            .push(error.help("write constants as numbers, or name them by `let`"));
                    }
                    self.params.push((name, item, leaf));
                }
                ItemKind::Let { name, value } if self.claim(name, item, &mut first) => {
                    if self.lowering.lets.len() == MAX_LETS {
                        let message = format!("a surrogate has at most {MAX_LETS} named expressions");
                        let error = Diagnostic::new(name, message);
                        self.lowering.report.push(error.help("its derivative is rearranged as a whole"));
                    }
                    let symbol = Symbol::Let(self.lowering.lets.len());
                    self.lowering.symbols.insert(identifiers::text(name), symbol);
                    self.lowering.lets.push((name, value, Let::Waiting));
                }
                ItemKind::Charge { value } => match first.get("primitive") {
                    Some(before) => {
                        let error = Diagnostic::new(item.head(), "`primitive` is given twice");
                        self.lowering.report.push(error.help(format!("the first is `{before}`")));
                    }
                    None => {
                        first.insert("primitive".to_owned(), item);
                        primitive = Some(value);
                    }
                },
                _ => {}
            }
        }
        primitive
    }

    /// Whether `item` can have `name`; reports it if not.
    fn claim(&mut self, name: &Ident, item: &'a Item, first: &mut HashMap<String, &'a Item>) -> bool {
        let text = identifiers::text(name);
        let refused = match text.as_str() {
            "u" => Some(
                "it is the distance from the threshold, which every surrogate is a function of".to_owned(),
            ),
            "PI" => Some("it is the number 3.14159...".to_owned()),
            "primitive" => Some("items begin with it".to_owned()),
            _ => names::refused(name),
        };
        if let Some(reason) = refused {
            let what =
                if matches!(item.kind, ItemKind::Param { .. }) { "a parameter" } else { "an expression" };
            let message = format!("`{name}` cannot be the name of {what}: {reason}");
            let error = Diagnostic::new(name, message);
            self.lowering.report.push(if is_keyword(name) {
                error.help(instead_of_keyword(name))
            } else {
                error.help("use another name")
            });
            self.lowering.symbols.entry(text).or_insert(Symbol::Wrong);
            return false;
        }
        if let Some(before) = first.get(&text) {
            let error = Diagnostic::new(name, format!("`{name}` is declared twice"));
            self.lowering.report.push(error.help(format!("the first is `{before}`")));
            return false;
        }
        first.insert(text, item);
        true
    }

    fn parameters(&mut self) -> Vec<Param> {
        let mut values = HashMap::new();
        let mut params = Vec::new();
        for (name, item, leaf) in self.params.clone() {
            let ItemKind::Param { default, .. } = &item.kind else { continue };
            let value = self.default(name, default);
            // Without a value, conditions over it are not held against it.
            values.insert(leaf, value.unwrap_or(f64::NAN));
            let doc = item.doc.clone();
            let default = value.unwrap_or(1.0);
            params.push(Param { name: name.clone(), doc, default, conditions: Vec::new(), leaf });
        }
        for (index, (name, item, _)) in self.params.clone().into_iter().enumerate() {
            let ItemKind::Param { default, conditions, .. } = &item.kind else { continue };
            for condition in conditions {
                let Some(expr) = self.lowering.expr(condition, Sort::Bool, Place::Where) else { continue };
                let text = condition.to_string();
                let graph = &self.lowering.graph;
                let is_unknown = |id| values.get(id).is_some_and(|value: &f64| value.is_nan());
                let known = !graph.reach([expr]).iter().any(is_unknown);
                if known && !Evaluator::new(graph, &values).holds(expr) {
                    let value = params[index].default;
                    let message =
                        format!("the default of `{name}`, {value:?}, is outside its range `{text}`");
                    self.lowering.report.push(Diagnostic::new(default.extent, message));
                }
                params[index].conditions.push(Condition { expr, text });
            }
        }
        params.truncate(MAX_PARAMETERS);
        // To stand in a range is not a use.
        self.lowering.used.clear();
        params
    }

    fn default(&mut self, name: &Ident, default: &Expr) -> Option<f64> {
        if let ExprKind::Bool(value) = default.kind {
            let message = format!("the default of a parameter is a number, found `{value}`");
            self.lowering.report.push(Diagnostic::new(default.extent, message));
            return None;
        }
        let id = self.lowering.expr(default, Sort::Real, Place::Default)?;
        let value = Evaluator::new(&self.lowering.graph, &HashMap::new()).number(id);
        if value.is_finite() {
            return Some(value);
        }
        let message = format!("the default of `{name}` is not a finite number: `{default}` is {value}");
        self.lowering.report.push(Diagnostic::new(default.extent, message));
        None
    }

    /// Reports that there is no primitive, unless it may be in a part that could not be parsed.
    fn missing(&mut self) {
        if self.declaration.complete && !self.declaration.nameless {
            let name = &self.declaration.name;
            let error = Diagnostic::new(name, format!("`{name}` has no `primitive`"));
            let help = "write for example `primitive = sigmoid(4.0 * u);`: its derivative is the gradient";
            self.lowering.report.push(error.help(help));
        }
    }

    /// Reports what is declared but never used.
    fn unused(&mut self, has_primitive: bool) {
        if !self.declaration.complete || !has_primitive || !self.lowering.report.is_empty() {
            return;
        }
        let params = self.params.iter().map(|(name, ..)| ("parameter", *name));
        let lets = self.lowering.lets.iter().map(|(name, ..)| ("named expression", *name));
        for (kind, name) in params.chain(lets) {
            if !self.lowering.used.contains(&identifiers::text(name)) {
                let error = Diagnostic::new(name, format!("the {kind} `{name}` is never used"));
                self.lowering.report.push(error.help("use it in `primitive`, or remove it"));
            }
        }
    }

    /// Reports a gradient that is no use: 0 everywhere, or not a number somewhere.
    fn sound(surrogate: &Surrogate, written: &Expr, report: &mut Report) {
        let error = |message: String| Diagnostic::new(written.extent, message);
        let Surrogate { name, graph, gradient, .. } = surrogate;
        if graph.number(*gradient) == Some(0.0) {
            let error = error(format!("the gradient of `{name}` is 0 everywhere: nothing would be learned"));
            report.push(error.help(if graph.contains(surrogate.primitive, surrogate.u) {
                "the primitive is a smooth version of the step, such as `sigmoid(4.0 * u)`, not the step itself"
            } else {
                "the primitive depends on `u`, the distance from the threshold"
            }));
        } else if let Some(probe::Failure { what, u, value, format }) = probe::failure(surrogate) {
            let message = format!("the {what} of `{name}` is {value} at u = {u:?} in {format}");
            report.push(error(message).help(
                "it has to be finite everywhere, so nothing in it may overflow: `sigmoid` and `tanh` do not, \
                 nor does `exp(-abs(u))`",
            ));
        }
    }
}
