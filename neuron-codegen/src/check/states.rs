//! States: what they start from, what they become, and updates of what is no state.

use std::collections::HashMap;

use proc_macro2::Ident;

use super::Checker;
use crate::identifiers;
use crate::ir::{Id, Quantity};
use crate::lowering::{Place, Symbol};
use crate::model::{ParamKind, State};
use crate::report::Diagnostic;
use crate::suggest;
use crate::syntax::{Expr, Item, ItemKind};

impl<'a> Checker<'a> {
    /// `v`, and the states that were declared.
    pub fn states(&mut self, v: Id) -> Vec<State> {
        let span = self.lowering.declaration.name.span();
        let init = self.lowering.scope.initial.and_then(|init| self.lowering.number(init, Place::Init));
        let mut states = vec![State {
            name: Ident::new("v", span),
            doc: Vec::new(),
            init: init.unwrap_or(self.leaves.v_reset),
            leaf: v,
            update: None,
        }];
        if let Some((_, item)) = self.lowering.scope.updates.iter().find(|(name, _)| *name == "v")
            && let ItemKind::Update { value, .. } = &item.kind
        {
            // As long as it is wrong, something that depends on all the same.
            states[0].update = Some(self.lowering.number(value, Place::Update).unwrap_or(self.leaves.h));
        }
        let mut updates: HashMap<String, &'a Expr> = HashMap::new();
        // Whether some update is of what is no state, or of what could not be read: it may be the one that a state lacks.
        let mut stray = self.lowering.declaration.nameless;
        for (name, item) in self.lowering.scope.updates.clone() {
            let ItemKind::Update { value, .. } = &item.kind else { continue };
            match self.updated_state(name) {
                Some(state) => {
                    updates.insert(state, value);
                }
                None => stray = true,
            }
        }
        for (index, (name, item)) in self.lowering.scope.states.clone().into_iter().enumerate() {
            let ItemKind::State { init, .. } = &item.kind else { continue };
            let text = identifiers::text(name);
            let leaf = self.lowering.leaf(Quantity::State(index + 1), &text);
            let init =
                self.lowering.number(init, Place::Init).unwrap_or_else(|| self.lowering.graph.num(0.0));
            let update = match updates.remove(&text) {
                Some(value) => self.lowering.number(value, Place::Update),
                None => {
                    if !stray && !self.lowering.declaration.lost.contains(&text) {
                        let error = Diagnostic::new(name, format!("the state `{text}` is never updated"));
                        self.lowering.report.push(error.help(format!("write `update {text} = ...;`")));
                    }
                    // Whoever forgets the update of a state does not get to hear that it is unused, too.
                    self.lowering.meant.insert(text);
                    None
                }
            };
            let doc = item.doc.clone();
            states.push(State { name: name.clone(), doc, init, leaf, update: Some(update.unwrap_or(leaf)) });
        }
        states
    }

    /// Whether there is a state of that name, be it that it cannot have it.
    pub fn declares_state(&self, text: &str) -> bool {
        let declares = |item: &Item| matches!(&item.kind, ItemKind::State { name, .. } if name == text);
        self.lowering.declaration.items.iter().any(declares)
    }

    /// The state that `update name` means; reports it if there is none of that name.
    fn updated_state(&mut self, name: &Ident) -> Option<String> {
        let text = identifiers::text(name);
        let states: Vec<_> =
            self.lowering.scope.states.iter().map(|(name, _)| identifiers::text(name)).collect();
        if text == "v" {
            return Some(text);
        }
        if states.contains(&text) {
            return Some(text);
        }
        let error = Diagnostic::new(name, format!("`{text}` is not a state"));
        self.lowering.report.push(match self.lowering.scope.symbol(&text) {
            Some(Symbol::Wrong) => return None,
            Some(Symbol::Flag(_)) if self.lowering.is_no_flag(&text) => return None,
            // Declared as both, which has been reported.
            Some(_) if self.declares_state(&text) => return None,
            Some(Symbol::Param(_)) => {
                let message = if self.lowering.scope.param_kind(&text) == ParamKind::Learnable {
                    format!("`{text}` is a learnable parameter: training changes it, steps do not")
                } else {
                    format!("`{text}` is a parameter: states change over time, parameters do not")
                };
                let error = Diagnostic::new(name, message);
                let updated =
                    |state: &&String| self.lowering.scope.updates.iter().any(|(name, _)| *name == *state);
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
            None if self.lowering.declaration.nameless || self.lowering.declaration.lost.contains(&text) => {
                return None;
            }
            None => {
                // Reported here, and not again where it is used.
                self.lowering.scope.symbols.insert(text.clone(), Symbol::Wrong);
                let known: Vec<_> = states.iter().map(String::as_str).collect();
                match suggest::state(&text, &known).or_else(|| suggest::name(&text, &known, None)) {
                    Some(meant) => {
                        self.lowering.report.push(error.help(format!("did you mean `{meant}`?")));
                        return Some(meant.to_owned());
                    }
                    None => error.help(format!("declare it with its initial value: `state {text} = 0.0;`")),
                }
            }
        });
        None
    }
}
