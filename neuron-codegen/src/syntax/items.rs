//! Tokens to items. Whatever is wrong, an item whose name could be read is kept, its wrong parts replaced
//! by [`ExprKind::Wrong`], and parsing goes on behind the next `;`.

use proc_macro2::{Delimiter, Ident, TokenStream};
use syn::parse::Parser as _;

use super::expr::{Expr, ExprKind};
use super::header::split_doc;
use super::item::{Item, ItemKind};
use super::mistakes::stray;
use super::pratt::{self, Result};
use super::recovery::{at_end, at_item, resembles_item};
use super::tokens::Tokens;
use super::{Grammar, is_keyword};
use crate::model::{ParamKind, Reset};
use crate::report::{Diagnostic, Extent, Report};

/// The body being parsed, and what was found so far.
pub struct Items<'a, 'r> {
    pub grammar: &'static Grammar,
    pub tokens: Tokens<'a>,
    pub report: &'r mut Report,
    pub items: Vec<Item>,
    pub lost: Vec<String>,
    pub complete: bool,
    pub nameless: bool,
    /// Which of the items something is wrong with.
    pub doubtful: Vec<usize>,
}

impl Items<'_, '_> {
    /// Parses all items.
    pub fn parse(&mut self) {
        let mut silent = false;
        while !self.tokens.is_empty() {
            if silent && !resembles_item(&self.tokens) {
                // The rest of what was wrong, behind a `;` that did not end it.
                self.complete = false;
                self.skip(&[]);
                self.end(true);
                continue;
            }
            let doc = self.doc();
            if self.tokens.is_empty() {
                self.report.push(Diagnostic::new(
                    self.tokens.previous(),
                    "expected an item after the doc comment, found the end",
                ));
                return;
            }
            let (errors, items) = (self.report.iter().len(), self.items.len());
            if let Err(error) = self.item(doc) {
                self.report.push(error);
                self.skip(&[]);
            }
            silent = self.report.iter().len() > errors;
            if silent {
                self.doubtful.extend(items..self.items.len());
            }
            self.end(silent);
        }
        self.drop_doubtful_repetitions();
    }

    /// Doc comments before an item.
    fn doc(&mut self) -> Vec<String> {
        let mut attrs = TokenStream::new();
        loop {
            let mut ahead = self.tokens;
            if ahead.eat("#").is_none() || !ahead.at_group(Delimiter::Bracket) {
                break;
            }
            attrs.extend(self.tokens.skip());
            attrs.extend(self.tokens.skip());
        }
        match syn::Attribute::parse_outer.parse2(attrs) {
            Ok(attrs) => {
                let (doc, others) = split_doc(attrs);
                for attr in others {
                    let extent = Extent::from(attr.pound_token.span).to(attr.bracket_token.span.close());
                    self.report.push(Diagnostic::new(
                        extent,
                        "an item can have doc comments, but no other attributes",
                    ));
                }
                doc
            }
            Err(error) => {
                self.report.push(Diagnostic::new(error.span(), error.to_string()));
                Vec::new()
            }
        }
    }

    fn item(&mut self, doc: Vec<String>) -> Result<()> {
        let Some(keyword) = self.tokens.peek_ident() else {
            self.complete &= self.tokens.at_operator(";");
            return Err(Diagnostic::new(
                self.tokens.extent(),
                format!(
                    "expected an item such as {}, found {}",
                    self.grammar.such_as,
                    self.tokens.describe()
                ),
            ));
        };
        let word = keyword.to_string();
        let Some(word) = self.grammar.keywords.iter().copied().find(|known| *known == word) else {
            let meant = self.unknown(&keyword)?;
            // What else is wrong with it may only seem so, if something else was meant.
            let errors = self.report.iter().len();
            let item = self.item_of(meant, keyword, doc);
            self.report.truncate(errors);
            if item.is_err() {
                self.complete = false;
                self.skip(&[]);
            }
            return Ok(());
        };
        self.item_of(word, keyword, doc)
    }

    /// The item that `word` begins, which is what is meant by `keyword`.
    fn item_of(&mut self, word: &'static str, keyword: Ident, doc: Vec<String>) -> Result<()> {
        self.tokens.ident();
        let kind = match word {
            "reset" => {
                let errors = self.report.iter().len();
                let mut modes = self.modes();
                if self.report.iter().len() > errors {
                    let is_known =
                        |mode: &mut Ident| Reset::NAMED.iter().any(|reset| mode == reset.keyword());
                    let others: Vec<Ident> = modes.extract_if(.., |mode| !is_known(mode)).collect();
                    others.into_iter().for_each(|other| self.lose(other.into()));
                }
                ItemKind::Reset { modes }
            }
            "charge" | "primitive" => ItemKind::Charge { value: self.value_after_equals(word, &[]) },
            "spike" | "threshold" | "output" => {
                // Without `=`, it is unclear whether this is such an item at all, which much else depends on.
                let is_clear = self.tokens.at_operator("=");
                let value = self.value_after_equals(word, &[]);
                if !is_clear {
                    return Ok(());
                }
                match word {
                    "spike" => ItemKind::Spike { value },
                    "output" => ItemKind::Output { value },
                    _ => ItemKind::Threshold { value },
                }
            }
            "input" => {
                let names = self.names()?;
                if !at_end(self.grammar, &self.tokens, &[]) {
                    self.nameless = true;
                    let found = self.tokens.describe();
                    return Err(Diagnostic::new(
                        self.tokens.extent(),
                        format!("expected `;`, found {found}"),
                    ));
                }
                ItemKind::Input { names }
            }
            _ => {
                let name = self.name(match word {
                    "param" | "array" | "learnable" => "parameter",
                    "update" => "state",
                    "let" => "expression",
                    word => word,
                })?;
                let left = format!("{word} {name}");
                if word == "update" && !self.tokens.at_operator("=") {
                    // As with `output`: what it updates is unclear.
                    self.nameless = true;
                    self.value_after_equals(&left, &[]);
                    return Ok(());
                }
                if let Some(kind) = ParamKind::ALL.into_iter().find(|kind| kind.keyword() == word) {
                    let default = self.value_after_equals(&left, &["where"]);
                    let conditions = self.conditions();
                    self.items.push(Item {
                        doc,
                        keyword,
                        kind: ItemKind::Param { kind, name, default, conditions },
                    });
                    return Ok(());
                }
                match word {
                    "flag" => ItemKind::Flag { name, default: self.value_after_equals(&left, &[]) },
                    "state" => ItemKind::State { name, init: self.value_after_equals(&left, &[]) },
                    "let" => ItemKind::Let { name, value: self.value_after_equals(&left, &[]) },
                    _ => ItemKind::Update { name, value: self.value_after_equals(&left, &[]) },
                }
            }
        };
        self.items.push(Item { doc, keyword, kind });
        Ok(())
    }

    /// A name, keyword of Rust or not: that is for `check` to refuse, which can say more.
    fn name(&mut self, what: &str) -> Result<Ident> {
        let (extent, found) = (self.tokens.extent(), self.tokens.describe());
        if let Some(name) = self.tokens.ident() {
            let is_word = self.grammar.keywords.iter().any(|known| name == known);
            self.nameless |= is_word;
            // Of two words that items begin with, one is too many.
            if !is_word || self.tokens.peek_ident().is_none() {
                return Ok(name);
            }
        }
        self.nameless = true;
        Err(Diagnostic::new(extent, format!("expected the name of the {what}, found {found}")))
    }

    /// `name, name`
    fn names(&mut self) -> Result<Vec<Ident>> {
        let mut names = vec![self.name("input")?];
        while self.tokens.eat(",").is_some() {
            match self.name("input") {
                Ok(name) => names.push(name),
                Err(error) => {
                    self.report.push(error);
                    self.skip(&[]);
                }
            }
        }
        Ok(names)
    }

    /// `hard | soft`
    fn modes(&mut self) -> Vec<Ident> {
        const HELP: &str = "write `reset hard;`, `reset soft;` or `reset hard | soft;`";
        let mut modes = Vec::new();
        let mut separated = true;
        loop {
            match self.tokens.peek_ident() {
                Some(mode) if !is_keyword(&mode) && !at_item(self.grammar, &self.tokens) => {
                    self.tokens.ident();
                    modes.push(mode);
                }
                _ => {
                    let found = self.tokens.describe();
                    let message = format!("expected a reset mode, found {found}");
                    self.report.push(Diagnostic::new(self.tokens.extent(), message).help(HELP));
                    self.skip(&[]);
                    return modes;
                }
            }
            if self.tokens.eat("|").is_some() {
                continue;
            }
            if self.tokens.at_operator("=") {
                let error = Diagnostic::new(self.tokens.extent(), "a reset mode has no value, found `=`");
                self.report.push(error.help(
                    "the potential after a hard reset is `param v_reset = ...`; any other reset is written \
                     `update v = ...`",
                ));
                self.skip(&[]);
                return modes;
            }
            let separator = match self.tokens.peek_operator() {
                Some(other) if matches!(other.as_str(), "," | "||" | "+" | "&" | "/") => other,
                None if self.tokens.peek_ident().is_some() && !at_item(self.grammar, &self.tokens) => {
                    String::new()
                }
                _ => return modes,
            };
            if separated {
                let message = format!("reset modes are separated by `|`, found {}", self.tokens.describe());
                self.report.push(Diagnostic::new(self.tokens.extent(), message).help(HELP));
                separated = false;
            }
            self.tokens.eat(&separator);
        }
    }

    /// `where a, b`
    fn conditions(&mut self) -> Vec<Expr> {
        let mut conditions = Vec::new();
        if self.tokens.at("where") {
            self.tokens.ident();
            loop {
                conditions.push(self.value(&[","]));
                if self.tokens.eat(",").is_none() {
                    break;
                }
            }
        }
        conditions
    }

    /// `= value`, after `left`.
    fn value_after_equals(&mut self, left: &str, stops: &[&str]) -> Expr {
        if self.tokens.eat("=").is_some() {
            return self.value(stops);
        }
        self.complete = false;
        let extent = self.tokens.extent();
        let error =
            Diagnostic::new(extent, format!("expected `=` after `{left}`, found {}", self.tokens.describe()));
        self.report.push(match self.tokens.peek_operator().as_deref() {
            Some(":") => error.help(format!("there are no types to declare: write `{left} = ...;`")),
            Some(op @ ("+=" | "-=" | "*=" | "/=")) => {
                let name = match left.rsplit(' ').next() {
                    None | Some("charge") => "v",
                    Some("threshold") => "v_threshold",
                    Some(name) => name,
                };
                error.help(format!("write `{left} = {name} {} ...;`", &op[..1]))
            }
            _ => error.help(format!("write `{left} = ...;`")),
        });
        self.skip(stops);
        Expr { kind: ExprKind::Wrong(Vec::new()), extent }
    }

    /// An expression up to `;`, or to one of `stops`.
    fn value(&mut self, stops: &[&str]) -> Expr {
        let start = self.tokens;
        let parsed = pratt::expression(&mut self.tokens, self.report).and_then(|value| {
            if at_end(self.grammar, &self.tokens, stops) {
                return Ok(value);
            }
            let error = stray(&self.tokens, &value, "`;`");
            Err(if self.tokens.at("where") { error.help("only parameters have a range") } else { error })
        });
        parsed.unwrap_or_else(|error| {
            let extent = error.extent;
            self.report.push(error);
            self.tokens = start;
            self.skip(stops);
            Expr { kind: ExprKind::Wrong(Vec::new()), extent }
        })
    }
}
