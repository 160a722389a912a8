//! What the items say of each other: names that nothing uses, updates of what is no state.

use std::collections::HashSet;

use proc_macro2::Ident;

use super::Checker;
use super::scope::Symbol;
use crate::identifiers;
use crate::model::ParamKind;
use crate::report::Diagnostic;
use crate::suggest;
use crate::syntax::{Expr, ExprKind, Item, ItemKind};

impl Checker<'_> {
    /// Reports names that are declared but never used. An item does not use itself, save for the update of
    /// a state, which is what a state is for.
    pub fn unused(&mut self) {
        // Without a charge, or with parts that are not understood at all, nothing is known to be unused.
        let is_blank = |item: &Item| item.exprs().into_iter().any(is_blank);
        if self.scope.charge.is_none()
            || !self.declaration.complete
            || self.declaration.items.iter().any(is_blank)
        {
            return;
        }
        let mut used: HashSet<String> = self.meant.clone();
        used.extend(self.declaration.lost.iter().cloned());
        for item in &self.declaration.items {
            let mut mentioned = HashSet::new();
            item.exprs().into_iter().for_each(|expr| mention(expr, &mut mentioned));
            if let ItemKind::Param { name, .. } | ItemKind::Let { name, .. } = &item.kind {
                mentioned.remove(&identifiers::text(name));
            }
            used.extend(mentioned);
        }
        let scope = &self.scope;
        if scope.charge.is_some_and(is_wrong) {
            used.extend(scope.inputs.iter().map(|(name, _)| identifiers::text(name)));
            used.insert("x".to_owned());
        }
        let declared = [&scope.params, &scope.flags, &scope.inputs, &scope.states, &scope.lets];
        for (kind, names) in
            ["parameter", "flag", "input", "state", "named expression"].into_iter().zip(declared)
        {
            for (name, _) in names {
                let key = identifiers::text(name);
                if !used.contains(&key) && key != "v_threshold" && key != "v_reset" {
                    let error = Diagnostic::new(*name, format!("the {kind} `{name}` is never used"));
                    self.report.push(error.help("use it in an equation, or remove it"));
                }
            }
        }
        if scope.inputs.is_empty()
            && !self.declaration.nameless
            && scope.symbol("x") == Some(Symbol::Input(0))
            && !used.contains("x")
            && let Some(charge) = scope.charge
        {
            let error = Diagnostic::new(charge.extent, "the input `x` is never used");
            self.report.push(error.help("the charged potential depends on the input: `charge = v + x`"));
        }
    }

    /// The state that `update name` means; reports it if there is none of that name.
    pub fn updated_state(&mut self, name: &Ident) -> Option<String> {
        let text = identifiers::text(name);
        let states: Vec<_> = self.scope.states.iter().map(|(name, _)| identifiers::text(name)).collect();
        if text == "v" {
            return Some(text);
        }
        if states.contains(&text) {
            return Some(text);
        }
        let error = Diagnostic::new(name, format!("`{text}` is not a state"));
        self.report.push(match self.scope.symbol(&text) {
            Some(Symbol::Wrong) => return None,
            Some(Symbol::Flag(_)) if self.is_no_flag(&text) => return None,
            // Declared as both, which has been reported.
            Some(_) if self.declares_state(&text) => return None,
            Some(Symbol::Param(_)) => {
                let message = if self.scope.param_kind(&text) == ParamKind::Learnable {
                    format!("`{text}` is a learnable parameter: training changes it, steps do not")
                } else {
                    format!("`{text}` is a parameter: states change over time, parameters do not")
                };
                let error = Diagnostic::new(name, message);
                let updated = |state: &&String| self.scope.updates.iter().any(|(name, _)| *name == *state);
                let waiting: Vec<&String> = states.iter().filter(|state| !updated(state)).collect();
                match waiting.as_slice() {
                    [state] => error.help(format!("did you mean `update {state} = ...;`?")),
                    _ => error.help(format!("did you mean to declare `state {text} = ...;`?")),
                }
            }
            Some(symbol) => {
                let message = format!("`{text}` is {}, only states can be updated", symbol.word());
                let error = Diagnostic::new(name, message);
                match symbol {
                    Symbol::Charged => error
                        .help("`charge = ...` computes it; the potential after the step is `update v = ...`"),
                    Symbol::Let(_) => {
                        error.help(format!("to carry it to the next step, declare `state {text} = ...;`"))
                    }
                    _ => error,
                }
            }
            None if self.declaration.nameless || self.declaration.lost.contains(&text) => return None,
            None => {
                // Reported here, and not again where it is used.
                self.scope.symbols.insert(text.clone(), Symbol::Wrong);
                let known: Vec<_> = states.iter().map(String::as_str).collect();
                match suggest::name(&text, &known, None) {
                    Some(meant) => {
                        self.report.push(error.help(format!("did you mean `{meant}`?")));
                        return Some(meant.to_owned());
                    }
                    None => error.help(format!("declare it with its initial value: `state {text} = 0.0;`")),
                }
            }
        });
        None
    }
}

/// Whether a part of `expr` is wrong, so that what else was meant to be in it is unknown.
fn is_wrong(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Wrong(_)) || expr.operands().into_iter().any(is_wrong)
}

/// Whether nothing is known of a part of `expr` but that it is wrong, so that whatever is not used may be used there.
fn is_blank(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Wrong(parts) if parts.is_empty())
        || expr.operands().into_iter().any(is_blank)
}

/// All names in `expr`, among them those that are wrongly called like functions.
fn mention(expr: &Expr, names: &mut HashSet<String>) {
    if let ExprKind::Name(name) | ExprKind::Call(name, _) = &expr.kind {
        names.insert(identifiers::text(name));
    }
    expr.operands().into_iter().for_each(|operand| mention(operand, names));
}
