//! Parameters: defaults are evaluated, and compared with their ranges.

use std::collections::HashMap;

use proc_macro2::Ident;

use super::Checker;
use super::lower::Place;
use crate::evaluate::Evaluator;
use crate::ir::Id;
use crate::model::{Condition, Flag, Param, ParamKind};
use crate::report::Diagnostic;
use crate::syntax::{ExprKind, ItemKind};

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

impl Checker<'_> {
    /// The default of the parameter of that index.
    pub fn default(&mut self, index: usize) -> Option<f64> {
        let (name, item) = self.scope.params[index];
        match self.defaults[index] {
            Default::Done(value) => return value,
            Default::Active => {
                let error = Diagnostic::new(name, format!("the default of `{name}` is defined by itself"));
                self.report.push(error.help("defaults are constants"));
                return None;
            }
            Default::Waiting => {}
        }
        let ItemKind::Param { default, .. } = &item.kind else { return None };
        self.defaults[index] = Default::Active;
        let value = if let ExprKind::Bool(value) = default.kind {
            let error = Diagnostic::new(
                default.extent,
                format!("the default of a parameter is a number, found `{value}`"),
            );
            self.report
                .push(error.help(format!("what is true or false is a flag: `flag {name} = {value};`")));
            None
        } else {
            self.number(default, Place::Default).and_then(|id| {
                let value = Evaluator::new(&self.graph, &HashMap::new()).number(id);
                if value.is_finite() {
                    return Some(value);
                }
                let message =
                    format!("the default of `{name}` is not a finite number: `{default}` is {value}");
                self.report.push(Diagnostic::new(default.extent, message));
                None
            })
        };
        self.defaults[index] = Default::Done(value);
        value
    }

    /// Whether the parameter of that index was probably meant to be something else, so that its uses as
    /// that are no further mistakes.
    pub fn is_no_number(&self, index: usize) -> bool {
        matches!(&self.scope.params[index].1.kind, ItemKind::Param { default, .. }
            if matches!(default.kind, ExprKind::Bool(_)))
    }

    /// All parameters. `v_threshold` and `v_reset` come last unless they were declared.
    pub fn params(&mut self, flags: &[Flag]) -> Vec<Param> {
        let mut params = Vec::new();
        let mut values: HashMap<Id, f64> =
            flags.iter().map(|flag| (flag.leaf, f64::from(u8::from(flag.default)))).collect();
        for (index, (name, item)) in self.scope.params.clone().into_iter().enumerate() {
            let default = self.default(index);
            let ItemKind::Param { kind, .. } = item.kind else { continue };
            let leaf = self.param(index);
            // Without a value, conditions over it are not held against it.
            values.insert(leaf, default.unwrap_or(f64::NAN));
            params.push(Param {
                kind,
                name: name.clone(),
                doc: item.doc.clone(),
                default: default.unwrap_or(1.0),
                conditions: Vec::new(),
                leaf,
                built_in: leaf == self.leaves.v_threshold || leaf == self.leaves.v_reset,
            });
        }
        for (leaf, name, default, doc) in [
            (self.leaves.v_threshold, "v_threshold", 1.0, "Potential at which the neuron fires."),
            (self.leaves.v_reset, "v_reset", 0.0, "Potential at the start and after a hard reset."),
        ] {
            if params.iter().all(|param| param.leaf != leaf) {
                let name = Ident::new(name, self.declaration.name.span());
                let doc = vec![doc.to_owned()];
                let kind = ParamKind::Scalar;
                params.push(Param { kind, name, doc, default, conditions: Vec::new(), leaf, built_in: true });
                values.insert(leaf, default);
            }
        }
        for (index, (name, item)) in self.scope.params.clone().into_iter().enumerate() {
            let ItemKind::Param { default, conditions, .. } = &item.kind else { continue };
            for condition in conditions {
                let Some(expr) = self.condition(condition, Place::Where) else { continue };
                let text = condition.to_string();
                let known =
                    values.iter().all(|(&leaf, value)| !value.is_nan() || !self.graph.contains(expr, leaf));
                if known && !Evaluator::new(&self.graph, &values).holds(expr) {
                    let value = params[index].default;
                    let message =
                        format!("the default of `{name}`, {value:?}, is outside its range `{text}`");
                    self.report.push(Diagnostic::new(default.extent, message));
                }
                params[index].conditions.push(Condition { expr, text });
            }
        }
        params
    }
}
