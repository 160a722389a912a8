//! Names that are declared but never used.

use std::collections::HashSet;

use super::{Lowering, Symbol};
use crate::identifiers;
use crate::report::Diagnostic;
use crate::syntax::{Expr, ExprKind, Item, ItemKind};

impl Lowering<'_> {
    /// Reports names that are declared but never used. An item does not use itself, save for the update of
    /// a state, which is what a state is for.
    pub fn unused(&mut self) {
        // Without an equation, or with parts that are not understood at all, nothing is known to be unused.
        let is_blank = |item: &Item| item.exprs().into_iter().any(is_blank);
        if self.scope.equation.is_none()
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
        if scope.equation.is_some_and(is_wrong) {
            used.extend(scope.inputs.iter().map(|(name, _)| identifiers::text(name)));
            used.insert("x".to_owned());
        }
        let declared = [&scope.params, &scope.flags, &scope.inputs, &scope.states, &scope.lets];
        for (kind, names) in
            ["parameter", "flag", "input", "state", "named expression"].into_iter().zip(declared)
        {
            for (name, _) in names {
                let key = identifiers::text(name);
                if !used.contains(&key) && self.language.param(&key).is_none() {
                    let error = Diagnostic::new(*name, format!("the {kind} `{name}` is never used"));
                    let help = format!("use it in {}, or remove it", self.language.use_in);
                    self.report.push(error.help(help));
                }
            }
        }
        if scope.inputs.is_empty()
            && !self.declaration.nameless
            && scope.symbol("x") == Some(Symbol::Input(0))
            && !used.contains("x")
            && let Some(charge) = scope.equation
        {
            let error = Diagnostic::new(charge.extent, "the input `x` is never used");
            self.report.push(error.help("the charged potential depends on the input: `charge = v + x`"));
        }
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
