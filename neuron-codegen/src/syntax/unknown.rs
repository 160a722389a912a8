//! Words that no item begins with: what was meant, and what to write instead.

use proc_macro2::Ident;

use super::NAMELESS;
use super::item::ItemKind;
use super::items::Items;
use super::pratt::Result;
use crate::identifiers;
use crate::report::Diagnostic;
use crate::suggest;

impl Items<'_, '_> {
    /// Reports a word that no item begins with; gives the keyword it was meant to be, if that is clear.
    pub fn unknown(&mut self, word: &Ident) -> Result<&'static str> {
        let mut ahead = self.tokens;
        ahead.ident();
        let error = Diagnostic::new(word, format!("unknown item `{word}`"));
        // A name directly before `=` is more likely an assignment than a misspelt `charge`.
        let text = identifiers::text(word);
        let is_assigned = ahead.at_operator("=");
        let meant = suggest::keyword(&text, self.grammar.keywords)
            .filter(|meant| self.grammar.keywords.contains(meant))
            .filter(|meant| NAMELESS.contains(meant) == is_assigned);
        if let Some(meant) = meant {
            self.report.push(error.help(format!("did you mean `{meant}`?")));
            return Ok(meant);
        }
        self.complete = false;
        Err(if self.grammar.declares == "surrogate" && text == "gradient" {
            error.help("the gradient is derived from what it is the derivative of: `primitive = ...`")
        } else if self.grammar.declares == "surrogate" && is_assigned {
            error.help(format!(
                "`let {word} = ...` names an expression; `primitive = ...` is what the gradient is derived from"
            ))
        } else if is_assigned {
            error.help(self.instead_of_assignment(word, &text))
        } else {
            error.help(format!("an item begins with one of `{}`", self.grammar.keywords.join("`, `")))
        })
    }

    /// What to write instead of `word = ...;` in a neuron.
    fn instead_of_assignment(&self, word: &Ident, text: &str) -> String {
        if matches!(text, "v_threshold" | "v_reset") {
            return format!("its default is set by `param {word} = ...`");
        }
        let states = self.states();
        let states: Vec<&str> = states.iter().map(String::as_str).chain(["v", "h"]).collect();
        match suggest::state(text, &states) {
            Some("v" | "h") => "the equation of the membrane potential is `charge = ...`".to_owned(),
            Some(state) => format!("a state changes by `update {state} = ...`"),
            None => {
                format!("a state changes by `update {word} = ...`; `let {word} = ...` names an expression")
            }
        }
    }

    /// The states that are declared before and after the current item.
    fn states(&self) -> Vec<String> {
        let before = self.items.iter().filter_map(|item| match &item.kind {
            ItemKind::State { name, .. } => Some(identifiers::text(name)),
            _ => None,
        });
        let mut states: Vec<String> = before.collect();
        let mut after = self.tokens;
        while !after.is_empty() {
            let is_state = after.at("state");
            after.skip();
            states.extend(after.peek_ident().filter(|_| is_state).map(|name| identifiers::text(&name)));
        }
        states
    }
}
