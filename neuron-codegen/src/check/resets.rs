//! The reset modes, or the reset that is written out.

use proc_macro2::Ident;

use super::Checker;
use crate::model::Reset;
use crate::report::Diagnostic;
use crate::suggest;
use crate::syntax::{Item, ItemKind};

impl Checker<'_> {
    pub fn resets(&mut self, is_written_out: bool) -> Vec<Reset> {
        let mut resets = Vec::new();
        let silent = self.lowering.is_silent();
        match self.lowering.scope.reset {
            Some(item) if is_written_out => {
                let message = "the potential after the step is given twice: by `reset` and by `update v`";
                let error = Diagnostic::new(item.head(), message);
                self.lowering.report.push(error.help("remove `reset`, or `update v`"));
            }
            _ if is_written_out => return vec![Reset::Custom],
            None if silent => return vec![Reset::None],
            None => self.lowering.missing("reset", "write for example `reset hard | soft;`"),
            Some(item) => {
                let ItemKind::Reset { modes } = &item.kind else { return vec![Reset::Hard] };
                if silent && modes.iter().any(|mode| mode != "none") {
                    let message = "a neuron with `output` does not fire, so there is nothing to reset at";
                    let error = Diagnostic::new(item.head(), message);
                    self.lowering.report.push(error.help(
                        "remove `reset`; what the potential becomes otherwise is written `update v = ...`",
                    ));
                    return vec![Reset::None];
                }
                for mode in modes {
                    match self.reset(mode) {
                        Some(reset) if resets.contains(&reset) => {
                            self.lowering.report.push(Diagnostic::new(
                                mode,
                                format!("the reset mode `{mode}` is given twice"),
                            ));
                        }
                        Some(reset) => resets.push(reset),
                        None => {}
                    }
                }
            }
        }
        if resets.is_empty() { vec![Reset::Hard] } else { resets }
    }

    fn reset(&mut self, mode: &Ident) -> Option<Reset> {
        let word = mode.to_string();
        let found = Reset::NAMED.into_iter().find(|reset| reset.keyword() == word);
        // Of two resets, which has been reported, one is not meant at all.
        let is_reset = |item: &&Item| matches!(item.kind, ItemKind::Reset { .. });
        if found.is_none() && self.lowering.declaration.items.iter().filter(is_reset).count() == 1 {
            let error = Diagnostic::new(mode, format!("unknown reset mode `{word}`"));
            let words = Reset::NAMED.map(Reset::keyword);
            self.lowering.report.push(match suggest::closest(&word.to_lowercase(), &words) {
                Some(meant) => error.help(format!("did you mean `{meant}`?")),
                None => error.help(
                    "the reset modes are `hard` (v = v_reset), `soft` (v = h - v_threshold) and `none` (v = h); \
                     any other is written `update v = ...`",
                ),
            });
        }
        found
    }
}
