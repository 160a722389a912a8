//! Flags: their defaults are `true` or `false`.

use super::Checker;
use crate::identifiers;
use crate::ir::Quantity;
use crate::model::Flag;
use crate::report::Diagnostic;
use crate::suggest;
use crate::syntax::{ExprKind, ItemKind};

impl Checker<'_> {
    pub fn flags(&mut self) -> Vec<Flag> {
        let flags = self.lowering.scope.flags.clone();
        flags
            .into_iter()
            .enumerate()
            .filter_map(|(index, (name, item))| {
                let ItemKind::Flag { default: value, .. } = &item.kind else { return None };
                let default = match &value.kind {
                    ExprKind::Bool(default) => *default,
                    kind => {
                        if !matches!(kind, ExprKind::Wrong(_)) {
                            let message =
                                format!("the default of a flag is `true` or `false`, found `{value}`");
                            let error = Diagnostic::new(value.extent, message);
                            self.lowering.report.push(match kind {
                                ExprKind::Number(..) => {
                                    error.help(format!("a number is a parameter: `param {name} = {value};`"))
                                }
                                ExprKind::Name(word) => {
                                    match suggest::closest(
                                        &word.to_string().to_lowercase(),
                                        &["true", "false"],
                                    ) {
                                        Some(meant) => error.help(format!("did you mean `{meant}`?")),
                                        None => error,
                                    }
                                }
                                _ => error,
                            });
                        }
                        false
                    }
                };
                let leaf = self.lowering.leaf(Quantity::Flag(index), &identifiers::text(name));
                Some(Flag { name: name.clone(), doc: item.doc.clone(), default, leaf })
            })
            .collect()
    }
}
