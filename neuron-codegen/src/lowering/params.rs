//! Parameters: defaults are evaluated, and compared with their ranges.

use std::collections::HashMap;

use proc_macro2::Ident;

use super::{GivenParam, Lowering, Place, Symbol};
use crate::evaluate::Evaluator;
use crate::identifiers;
use crate::ir::Id;
use crate::model::{Condition, Param, ParamKind};
use crate::report::Diagnostic;
use crate::syntax::{ExprKind, ItemKind};
use crate::walk::{self, Order};

/// What is known of a default.
#[derive(Clone, Copy, Debug)]
pub enum Default {
    /// Not looked at yet.
    Waiting,
    /// Being looked at: to meet it again is a cycle.
    Active,
    /// Its value, unless something is wrong with it.
    Done(Option<f64>),
}

fn as_param(symbol: Symbol) -> Option<usize> {
    match symbol {
        Symbol::Param(index) => index,
        _ => None,
    }
}

impl Lowering<'_> {
    /// The default of the parameter of that index.
    pub fn default(&mut self, index: usize) -> Option<f64> {
        match self.defaults[index] {
            Default::Done(value) => return value,
            // Its cycle has been reported.
            Default::Active => return None,
            Default::Waiting => {}
        }
        // As with `let`s, what it uses comes first.
        let is_settled = |index: usize| !matches!(self.defaults[index], Default::Waiting);
        let uses = |index: usize| match &self.scope.params[index].1.kind {
            ItemKind::Param { default, .. } => self.uses([default], as_param),
            _ => Vec::new(),
        };
        let Order { sequence, cycles } = walk::order(index, is_settled, uses);
        for first in cycles.into_iter().filter_map(|cycle| cycle.into_iter().min()) {
            let name = self.scope.params[first].0;
            let error = Diagnostic::new(name, format!("the default of `{name}` is defined by itself"));
            self.report.push(error.help("defaults are constants"));
        }
        sequence.iter().for_each(|&index| self.defaults[index] = Default::Active);
        for &index in &sequence {
            self.defaults[index] = Default::Done(self.settle_default(index));
        }
        match self.defaults[index] {
            Default::Done(value) => value,
            Default::Waiting | Default::Active => None,
        }
    }

    /// Looks at a default after those that it uses.
    fn settle_default(&mut self, index: usize) -> Option<f64> {
        let (name, item) = self.scope.params[index];
        let ItemKind::Param { default, .. } = &item.kind else { return None };
        if let ExprKind::Bool(value) = default.kind {
            let error = Diagnostic::new(
                default.extent,
                format!("the default of a parameter is a number, found `{value}`"),
            );
            self.report.push(if self.language.has("flag") {
                error.help(format!("what is true or false is a flag: `flag {name} = {value};`"))
            } else {
                error
            });
            return None;
        }
        let id = self.number(default, Place::Default)?;
        let value = Evaluator::new(&self.graph, &HashMap::new()).number(id);
        if !value.is_finite() {
            let message = format!("the default of `{name}` is not a finite number: `{default}` is {value}");
            self.report.push(Diagnostic::new(default.extent, message));
            return None;
        }
        Some(value)
    }

    /// Whether the parameter of that index was probably meant to be something else, so that its uses as
    /// that are no further mistakes.
    pub fn is_no_number(&self, index: usize) -> bool {
        matches!(&self.scope.params[index].1.kind, ItemKind::Param { default, .. }
            if matches!(default.kind, ExprKind::Bool(_)))
    }

    /// The same of a flag, by its default.
    pub fn is_no_flag(&self, name: &str) -> bool {
        self.scope.flags.iter().any(|(flag, item)| {
            identifiers::text(flag) == name
                && matches!(&item.kind, ItemKind::Flag { default, .. } if !matches!(default.kind, ExprKind::Bool(_)))
        })
    }

    /// All parameters; those of every declaration of the kind come last unless they were declared. `values` are those
    /// of the leaves that ranges may depend on besides.
    pub fn params(&mut self, mut values: HashMap<Id, f64>) -> Vec<Param> {
        let mut params = Vec::new();
        for (index, (name, item)) in self.scope.params.clone().into_iter().enumerate() {
            let default = self.default(index);
            let ItemKind::Param { kind, .. } = item.kind else { continue };
            let text = identifiers::text(name);
            let leaf = self.leaf(self.language.param_quantity(&text, index), &text);
            // Without a value, conditions over it are not held against it.
            values.insert(leaf, default.unwrap_or(f64::NAN));
            params.push(Param {
                kind,
                name: name.clone(),
                doc: item.doc.clone(),
                default: default.unwrap_or(1.0),
                conditions: Vec::new(),
                leaf,
                built_in: self.language.param(&text).is_some(),
            });
        }
        for &GivenParam { name, quantity, default, doc } in self.language.params {
            let leaf = self.leaf(quantity, name);
            if params.iter().all(|param| param.leaf != leaf) {
                let name = Ident::new(name, self.declaration.name.span());
                let (kind, doc, conditions) = (ParamKind::Scalar, vec![doc.to_owned()], Vec::new());
                params.push(Param { kind, name, doc, default, conditions, leaf, built_in: true });
                values.insert(leaf, default);
            }
        }
        self.ranges(&mut params, &values);
        params
    }

    /// The conditions of `params`, those that are declared coming first; reports defaults that do not meet them.
    fn ranges(&mut self, params: &mut [Param], values: &HashMap<Id, f64>) {
        for ((name, item), param) in self.scope.params.clone().into_iter().zip(params) {
            let ItemKind::Param { default, conditions, .. } = &item.kind else { continue };
            for condition in conditions {
                let Some(expr) = self.condition(condition, Place::Where) else { continue };
                let text = condition.to_string();
                let is_unknown = |id| values.get(id).is_some_and(|value: &f64| value.is_nan());
                let known = !self.graph.reach([expr]).iter().any(is_unknown);
                if known && !Evaluator::new(&self.graph, values).holds(expr) {
                    let value = param.default;
                    let message =
                        format!("the default of `{name}`, {value:?}, is outside its range `{text}`");
                    self.report.push(Diagnostic::new(default.extent, message));
                }
                param.conditions.push(Condition { expr, text });
            }
        }
    }
}
