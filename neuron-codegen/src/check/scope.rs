//! What is declared: the first item of each name, and what a name stands for.

use std::collections::HashMap;

use proc_macro2::Ident;

use super::{Named, names};
use crate::identifiers;
use crate::model::ParamKind;
use crate::report::{Diagnostic, Report};
use crate::syntax::{Declaration, Expr, Item, ItemKind, instead_of_keyword, is_keyword};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbol {
    /// Index into [`Scope::params`], or `None` for `v_threshold` and `v_reset` if they are not declared.
    Param(Option<usize>),
    /// Index into [`Scope::flags`].
    Flag(usize),
    /// Index into [`Scope::inputs`], or 0 for `x` if none is declared.
    Input(usize),
    /// Index into [`Scope::states`], or `None` for `v`.
    State(Option<usize>),
    /// Index into [`Scope::lets`].
    Let(usize),
    /// `h`
    Charged,
    /// `spike`
    Spike,
    /// Something that a reported mistake was made about.
    Wrong,
}

impl Symbol {
    /// As it is called in messages, with its article.
    pub fn word(self) -> &'static str {
        match self {
            Self::Param(_) => "a parameter",
            Self::Flag(_) => "a flag",
            Self::Input(_) => "an input",
            Self::State(_) => "a state",
            Self::Let(_) => "a named expression",
            Self::Charged => "the charged potential",
            Self::Spike => "the spike",
            Self::Wrong => "not known",
        }
    }
}

/// All that is declared. What is declared twice counts as declared where it was first.
#[derive(Debug, Default)]
pub struct Scope<'a> {
    pub params: Vec<Named<'a>>,
    pub flags: Vec<Named<'a>>,
    pub inputs: Vec<Named<'a>>,
    pub states: Vec<Named<'a>>,
    pub lets: Vec<Named<'a>>,
    pub updates: Vec<Named<'a>>,
    pub charge: Option<&'a Expr>,
    pub threshold: Option<&'a Item>,
    pub output: Option<&'a Expr>,
    pub reset: Option<&'a Item>,
    pub symbols: HashMap<String, Symbol>,
}

impl<'a> Scope<'a> {
    /// Collects what `declaration` declares; reports names that cannot be given and repetitions.
    pub fn new(declaration: &'a Declaration, report: &mut Report) -> Self {
        let mut scope = Self::default();
        let mut symbols: HashMap<String, Symbol> = [
            ("v", Symbol::State(None)),
            ("h", Symbol::Charged),
            ("spike", Symbol::Spike),
            ("v_threshold", Symbol::Param(None)),
            ("v_reset", Symbol::Param(None)),
        ]
        .into_iter()
        .map(|(name, symbol)| (name.to_owned(), symbol))
        .collect();
        if !declaration.items.iter().any(|item| matches!(item.kind, ItemKind::Input { .. })) {
            symbols.insert("x".to_owned(), Symbol::Input(0));
        }
        scope.symbols = symbols;
        // What was first, by what it declares, to be quoted when it is declared again.
        let mut first: HashMap<String, &Item> = HashMap::new();
        for item in &declaration.items {
            scope.add(item, &mut first, report);
        }
        scope
    }

    fn add(&mut self, item: &'a Item, first: &mut HashMap<String, &'a Item>, report: &mut Report) {
        match &item.kind {
            ItemKind::Param { name, .. } => {
                if self.claim(name, item, Symbol::Param(Some(self.params.len())), first, report) {
                    self.params.push((name, item));
                }
            }
            ItemKind::Flag { name, .. } => {
                if self.claim(name, item, Symbol::Flag(self.flags.len()), first, report) {
                    self.flags.push((name, item));
                }
            }
            ItemKind::Input { names } => {
                for name in names {
                    if self.claim(name, item, Symbol::Input(self.inputs.len()), first, report) {
                        self.inputs.push((name, item));
                    }
                }
            }
            ItemKind::State { name, .. } => {
                if self.claim(name, item, Symbol::State(Some(self.states.len())), first, report) {
                    self.states.push((name, item));
                }
            }
            ItemKind::Let { name, .. } => {
                if self.claim(name, item, Symbol::Let(self.lets.len()), first, report) {
                    self.lets.push((name, item));
                }
            }
            ItemKind::Update { name, .. } => {
                if once(&format!("update {}", identifiers::text(name)), item, first, report) {
                    self.updates.push((name, item));
                }
            }
            ItemKind::Charge { value } => {
                if once("charge", item, first, report) {
                    self.charge = Some(value);
                }
            }
            ItemKind::Threshold { .. } => {
                if once("threshold", item, first, report) {
                    self.threshold = Some(item);
                }
            }
            ItemKind::Output { value } => {
                if once("output", item, first, report) {
                    self.output = Some(value);
                }
            }
            ItemKind::Reset { .. } => {
                if once("reset", item, first, report) {
                    self.reset = Some(item);
                }
            }
        }
    }

    /// Gives `name` to `item`; whether it could have it.
    fn claim(
        &mut self,
        name: &'a Ident,
        item: &'a Item,
        symbol: Symbol,
        first: &mut HashMap<String, &'a Item>,
        report: &mut Report,
    ) -> bool {
        let text = identifiers::text(name);
        if let Some(reason) = names::refused(name) {
            report.push(refusal(name, symbol, &reason));
            // Where it is used, the user means what is declared here.
            self.symbols.insert(text, Symbol::Wrong);
            return false;
        }
        if let Some(before) = first.get(&text) {
            let error = Diagnostic::new(name, format!("`{name}` is declared twice"));
            report.push(error.help(format!("the first is `{before}`")));
            return false;
        }
        match self.symbols.get(&text) {
            Some(Symbol::Input(_)) => {
                let error =
                    Diagnostic::new(name, format!("`{name}` is the input, which needs no declaration"));
                report.push(error.help("to call the input something else, write for example `input i;`"));
                false
            }
            Some(Symbol::Param(None)) if !matches!(symbol, Symbol::Param(_)) => {
                let error = Diagnostic::new(name, format!("`{name}` is a parameter that every neuron has"));
                report.push(error.help("use another name"));
                false
            }
            _ => {
                first.insert(text.clone(), item);
                self.symbols.insert(text, symbol);
                true
            }
        }
    }

    /// What `name` stands for.
    pub fn symbol(&self, name: &str) -> Option<Symbol> {
        self.symbols.get(name).copied()
    }

    /// What values the parameter called `name` (without `r#`) has.
    pub fn param_kind(&self, name: &str) -> ParamKind {
        let declared = self.params.iter().find(|(declared, _)| identifiers::text(declared) == name);
        match declared.map(|(_, item)| &item.kind) {
            Some(ItemKind::Param { kind, .. }) => *kind,
            _ => ParamKind::Scalar,
        }
    }

    /// The name of the first input.
    pub fn input(&self) -> String {
        self.inputs.first().map_or_else(|| "x".to_owned(), |(name, _)| identifiers::text(name))
    }
}

/// Whether `item` is the first of what it declares; reports it if not.
fn once<'a>(key: &str, item: &'a Item, first: &mut HashMap<String, &'a Item>, report: &mut Report) -> bool {
    // Keys of items are keywords, so that they are different from all names.
    if let Some(before) = first.get(key) {
        let error = Diagnostic::new(item.head(), format!("`{key}` is given twice"));
        report.push(error.help(format!("the first is `{before}`")));
        return false;
    }
    first.insert(key.to_owned(), item);
    true
}

fn refusal(name: &Ident, symbol: Symbol, reason: &str) -> Diagnostic {
    let error = Diagnostic::new(name, format!("`{name}` cannot be the name of {}: {reason}", symbol.word()));
    match name.to_string().as_str() {
        "v" if matches!(symbol, Symbol::State(_)) => {
            error.help("leave this out; it starts at `v_reset`, which `param v_reset = ...;` sets")
        }
        "h" | "spike" if matches!(symbol, Symbol::Let(_)) => error.help("use it without declaring it"),
        _ if is_keyword(name) => error.help(instead_of_keyword(name)),
        _ => error.help("use another name"),
    }
}
