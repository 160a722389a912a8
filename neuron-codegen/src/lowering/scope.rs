//! What is declared: the first item of each name, and what a name stands for.

use std::collections::HashMap;

use proc_macro2::Ident;

use super::{Language, names};
use crate::identifiers;
use crate::model::ParamKind;
use crate::report::{Diagnostic, Report};
use crate::syntax::{Declaration, Expr, Item, ItemKind, instead_of_keyword, is_keyword};

/// A name and the item that declares it.
pub type Named<'a> = (&'a Ident, &'a Item);

/// What a name stands for. Indices are those of the declaration's items of that kind, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbol {
    /// Index into [`Scope::params`], or `None` for those that the language gives if they are not declared.
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
    /// `u`, the distance from the threshold, in a surrogate.
    Distance,
    /// The number that has a name.
    Pi,
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
            Self::Distance => "the distance from the threshold",
            Self::Pi => "a number",
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
    /// `charge`, or `primitive`.
    pub equation: Option<&'a Expr>,
    pub spike: Option<&'a Expr>,
    pub threshold: Option<&'a Item>,
    pub output: Option<&'a Expr>,
    pub reset: Option<&'a Item>,
    /// `state v`
    pub initial: Option<&'a Expr>,
    pub symbols: HashMap<String, Symbol>,
}

impl<'a> Scope<'a> {
    /// Collects what `declaration` declares; reports names that cannot be given and repetitions.
    pub fn new(language: &'static Language, declaration: &'a Declaration, report: &mut Report) -> Self {
        let params = language.params.iter().map(|param| (param.name, Symbol::Param(None)));
        let given =
            params.chain(language.given.iter().copied()).map(|(name, symbol)| (name.to_owned(), symbol));
        let mut scope = Self { symbols: given.collect(), ..Self::default() };
        if declaration.items.iter().any(|item| matches!(item.kind, ItemKind::Input { .. })) {
            scope.symbols.retain(|_, symbol| !matches!(symbol, Symbol::Input(_)));
        }
        let mut collector = Collector { language, scope, first: HashMap::new(), report };
        declaration.items.iter().for_each(|item| collector.add(item));
        collector.scope
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

    /// The name of the first input, if there are inputs.
    pub fn input(&self) -> Option<&str> {
        let is_first = |(_, symbol): &(_, &Symbol)| **symbol == Symbol::Input(0);
        self.symbols.iter().find(is_first).map(|(name, _)| name.as_str())
    }
}

/// The scope as far as it has been collected.
struct Collector<'a, 'r> {
    language: &'static Language,
    scope: Scope<'a>,
    /// What was first, by what it declares, to be quoted when it is declared again.
    first: HashMap<String, &'a Item>,
    report: &'r mut Report,
}

impl<'a> Collector<'a, '_> {
    fn add(&mut self, item: &'a Item) {
        match &item.kind {
            ItemKind::Param { name, .. } => {
                if self.claim(name, item, Symbol::Param(Some(self.scope.params.len()))) {
                    self.scope.params.push((name, item));
                }
            }
            ItemKind::Flag { name, .. } => {
                if self.claim(name, item, Symbol::Flag(self.scope.flags.len())) {
                    self.scope.flags.push((name, item));
                }
            }
            ItemKind::Input { names } => {
                for name in names {
                    if self.claim(name, item, Symbol::Input(self.scope.inputs.len())) {
                        self.scope.inputs.push((name, item));
                    }
                }
            }
            ItemKind::State { name, init } if *name == "v" && self.language.has("state") => {
                if self.once("state v", item) {
                    self.scope.initial = Some(init);
                }
            }
            ItemKind::State { name, .. } => {
                if self.claim(name, item, Symbol::State(Some(self.scope.states.len()))) {
                    self.scope.states.push((name, item));
                }
            }
            ItemKind::Let { name, .. } => {
                if self.claim(name, item, Symbol::Let(self.scope.lets.len())) {
                    self.scope.lets.push((name, item));
                }
            }
            ItemKind::Update { name, .. } => {
                if self.once(&format!("update {}", identifiers::text(name)), item) {
                    self.scope.updates.push((name, item));
                }
            }
            ItemKind::Charge { value } => {
                if self.once(self.language.equation, item) {
                    self.scope.equation = Some(value);
                }
            }
            ItemKind::Spike { value } => {
                if self.once("spike", item) {
                    self.scope.spike = Some(value);
                }
            }
            ItemKind::Threshold { .. } => {
                if self.once("threshold", item) {
                    self.scope.threshold = Some(item);
                }
            }
            ItemKind::Output { value } => {
                if self.once("output", item) {
                    self.scope.output = Some(value);
                }
            }
            ItemKind::Reset { .. } => {
                if self.once("reset", item) {
                    self.scope.reset = Some(item);
                }
            }
        }
    }

    /// Gives `name` to `item`; whether it could have it.
    fn claim(&mut self, name: &'a Ident, item: &'a Item, symbol: Symbol) -> bool {
        let text = identifiers::text(name);
        if let Some(reason) = names::refused(self.language, name) {
            self.report.push(self.refusal(name, symbol, reason));
            // Where it is used, the user means what is declared here.
            self.scope.symbols.insert(text, Symbol::Wrong);
            return false;
        }
        if let Some(before) = self.first.get(&text) {
            let error = Diagnostic::new(name, format!("`{name}` is declared twice"));
            self.report.push(error.help(format!("the first is `{before}`")));
            return false;
        }
        match self.scope.symbols.get(&text) {
            Some(Symbol::Input(_)) => {
                let error =
                    Diagnostic::new(name, format!("`{name}` is the input, which needs no declaration"));
                self.report
                    .push(error.help("to call the input something else, write for example `input i;`"));
                false
            }
            Some(Symbol::Param(None)) if !matches!(symbol, Symbol::Param(_)) => {
                let error = Diagnostic::new(name, format!("`{name}` is a parameter that every neuron has"));
                self.report.push(error.help("use another name"));
                false
            }
            _ => {
                self.first.insert(text.clone(), item);
                self.scope.symbols.insert(text, symbol);
                true
            }
        }
    }

    fn refusal(&self, name: &Ident, symbol: Symbol, reason: &str) -> Diagnostic {
        let message = format!("`{name}` cannot be the name of {}: {reason}", symbol.word());
        let error = Diagnostic::new(name, message);
        let given = self.scope.symbol(&identifiers::text(name));
        match (given, symbol) {
            (Some(Symbol::Charged | Symbol::Spike | Symbol::Distance | Symbol::Pi), Symbol::Let(_)) => {
                error.help("use it without declaring it")
            }
            _ if is_keyword(name) => error.help(instead_of_keyword(name)),
            _ => error.help("use another name"),
        }
    }

    /// Whether `item` is the first of what it declares; reports it if not.
    fn once(&mut self, key: &str, item: &'a Item) -> bool {
        // Keys of items are keywords, so that they are different from all names.
        if let Some(before) = self.first.get(key) {
            let error = Diagnostic::new(item.head(), format!("`{key}` is given twice"));
            self.report.push(error.help(format!("the first is `{before}`")));
            return false;
        }
        self.first.insert(key.to_owned(), item);
        true
    }
}
