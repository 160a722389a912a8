//! Where parsing goes on behind a mistake, and what is made of the items that it was made in.

use std::collections::HashSet;

use proc_macro2::{Delimiter, TokenTree};

use super::item::{Item, ItemKind};
use super::items::Items;
use super::tokens::Tokens;
use super::{Grammar, NAMELESS};
use crate::identifiers;
use crate::model::Reset;
use crate::report::Diagnostic;

impl Items<'_, '_> {
    /// `;`. `silent` if a mistake in the item has already been reported.
    pub fn end(&mut self, silent: bool) {
        if self.tokens.eat(";").is_some() {
            return;
        }
        if at_end(self.grammar, &self.tokens, &[]) {
            if !silent {
                let error = Diagnostic::new(self.tokens.previous(), "missing `;` at the end of this item");
                self.report.push(error);
            }
            return;
        }
        if !silent {
            let found = self.tokens.describe();
            self.report.push(Diagnostic::new(self.tokens.extent(), format!("expected `;`, found {found}")));
        }
        self.skip(&[]);
        self.tokens.eat(";");
    }

    /// Goes on to the end of the item or to one of `stops`, noting which words are passed.
    pub fn skip(&mut self, stops: &[&str]) {
        while !at_end(self.grammar, &self.tokens, stops) {
            match self.tokens.skip() {
                Some(token) => self.lose(token),
                None => return,
            }
        }
    }

    /// Notes words that nothing is known about.
    pub fn lose(&mut self, token: TokenTree) {
        match token {
            TokenTree::Ident(ident) => self.lost.push(identifiers::text(&ident)),
            TokenTree::Group(group) => group.stream().into_iter().for_each(|token| self.lose(token)),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }

    /// Drops items that something is wrong with and that repeat what another one declares: most likely, something else
    /// was meant. What they use counts as used.
    pub fn drop_doubtful_repetitions(&mut self) {
        let doubtful: HashSet<usize> = self.doubtful.iter().copied().collect();
        let (mut sound, mut wrong) = (HashSet::new(), Vec::new());
        for (index, item) in self.items.iter().enumerate() {
            match key(item) {
                Some(key) if doubtful.contains(&index) => wrong.push((index, key)),
                Some(key) => drop(sound.insert(key)),
                None => {}
            }
        }
        for (index, key) in wrong.into_iter().rev() {
            let is_written_out = key == "reset" && sound.contains("update v");
            if !is_written_out && !sound.contains(&key) {
                continue;
            }
            let dropped = self.items.remove(index);
            let mut names = Vec::new();
            dropped.exprs().into_iter().for_each(|expr| expr.names(&mut names));
            self.lost.extend(names.into_iter().map(identifiers::text));
        }
    }
}

/// What only one item may declare. Words that items begin with are no names, so that these are different.
fn key(item: &Item) -> Option<String> {
    match &item.kind {
        ItemKind::Param { name, .. }
        | ItemKind::Flag { name, .. }
        | ItemKind::State { name, .. }
        | ItemKind::Let { name, .. } => Some(identifiers::text(name)),
        ItemKind::Update { name, .. } => Some(format!("update {}", identifiers::text(name))),
        ItemKind::Charge { .. } => Some("charge".to_owned()),
        ItemKind::Spike { .. } => Some("spike =".to_owned()),
        ItemKind::Threshold { .. } => Some("threshold".to_owned()),
        ItemKind::Output { .. } => Some("output".to_owned()),
        ItemKind::Reset { .. } => Some("reset".to_owned()),
        ItemKind::Input { .. } => None,
    }
}

/// Whether an item ends here, be it that its `;` is missing.
pub fn at_end(grammar: &Grammar, tokens: &Tokens<'_>, stops: &[&str]) -> bool {
    tokens.is_empty()
        || tokens.at_operator(";")
        || stops.iter().any(|stop| tokens.at(stop) || tokens.at_operator(stop))
        || at_item(grammar, tokens)
}

/// Whether an item begins here, beyond doubt: its first word alone may have got into another item.
pub fn at_item(grammar: &Grammar, tokens: &Tokens<'_>) -> bool {
    let mut ahead = *tokens;
    while ahead.eat("#").is_some() {
        if ahead.group(Delimiter::Bracket).is_none() {
            return false;
        }
    }
    let Some(word) = ahead.ident().filter(|word| grammar.keywords.iter().any(|known| word == known)) else {
        return false;
    };
    match word.to_string().as_str() {
        word if NAMELESS.contains(&word) => ahead.at_operator("="),
        "reset" => Reset::NAMED.iter().any(|reset| ahead.at(reset.keyword())),
        "input" => {
            ahead.ident().is_some() && (ahead.is_empty() || ahead.at_operator(",") || ahead.at_operator(";"))
        }
        _ => ahead.ident().is_some() && ahead.at_operator("="),
    }
}

/// Whether what begins here may be meant as an item.
pub fn resembles_item(tokens: &Tokens<'_>) -> bool {
    let mut ahead = *tokens;
    if ahead.at_operator("#") {
        return true;
    }
    ahead.ident().is_some() && (ahead.peek_ident().is_some() || ahead.at_operator("="))
}
