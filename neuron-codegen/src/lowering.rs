//! Declarations to expressions in the graph, for neurons and surrogates alike: resolves names, checks sorts and ranges.
//!
//! What a name stands for is in one table of symbols, the [`Scope`]; what neurons and surrogates differ in is in their
//! [`Language`]. Everything between, from the sort of an operand to the range of a parameter, is checked once, here.
//! [`check`](crate::check) makes a model of the result, [`surrogate`](crate::surrogate) a surrogate.
//!
//! Reports every mistake once, where it was made. What depends on a mistake is not reported: an expression with a
//! wrong part has no [`Id`], and nothing is said about what uses it.

mod domain;
mod expr;
pub(crate) mod interval;
mod language;
mod lets;
mod mistakes;
mod names;
mod params;
mod place;
mod scope;
mod usage;

pub use language::{GivenParam, Language};
pub use place::Place;
pub use scope::{Scope, Symbol};

use std::collections::{HashMap, HashSet};

use crate::identifiers;
use crate::ir::{Graph, Id};
use crate::report::{Diagnostic, Report};
use crate::syntax::Declaration;

/// The state of checking one declaration.
pub struct Lowering<'a> {
    pub declaration: &'a Declaration,
    pub language: &'static Language,
    pub scope: Scope<'a>,
    pub report: &'a mut Report,
    pub warnings: &'a mut Report,
    pub graph: Graph,
    /// The names of expressions given by `let`.
    pub names: HashMap<Id, String>,
    /// What is known of each `let`, in the order of [`Scope::lets`].
    lets: Vec<lets::Let>,
    /// What expressions are computed from that not every place may use, as far as it was asked for.
    late: HashMap<Id, lets::Late>,
    /// What is known of the default of each parameter, in the order of [`Scope::params`].
    defaults: Vec<params::Default>,
    /// Conditions of the choices around the expression being looked at, and whether they hold there.
    path: Vec<(Id, bool)>,
    /// What may have no value.
    sites: Vec<domain::Site>,
    /// Names already reported as unknown, or as unknown at some place.
    reported: HashSet<String>,
    /// Names that count as used, because unknown ones were probably meant to be them.
    pub meant: HashSet<String>,
}

impl<'a> Lowering<'a> {
    /// Resolves what `declaration` declares; reports names that cannot be given and repetitions.
    pub fn new(
        language: &'static Language,
        declaration: &'a Declaration,
        report: &'a mut Report,
        warnings: &'a mut Report,
    ) -> Self {
        let scope = Scope::new(language, declaration, report);
        Self {
            declaration,
            language,
            report,
            warnings,
            graph: Graph::default(),
            names: HashMap::new(),
            lets: vec![lets::Let::Waiting; scope.lets.len()],
            late: HashMap::new(),
            defaults: vec![params::Default::Waiting; scope.params.len()],
            path: Vec::new(),
            sites: Vec::new(),
            reported: HashSet::new(),
            meant: HashSet::new(),
            scope,
        }
    }

    /// Reports a name of the struct that does not begin with an uppercase letter. `why` says more about such a name.
    pub fn struct_name(&mut self, why: impl Fn(&str) -> String) {
        let name = identifiers::text(&self.declaration.name);
        let mut letters = name.chars();
        if let Some(first) = letters.next().filter(|first| first.is_lowercase()) {
            let upper: String = first.to_uppercase().chain(letters).collect();
            let grammar = self.language.grammar;
            let message =
                format!("the name of {} begins with an uppercase letter, found `{name}`", grammar.article);
            let mut error = Diagnostic::new(&self.declaration.name, message);
            if upper != name {
                error = error.help(format!("write `{} {upper}`{}", grammar.word, why(&name)));
            }
            self.report.push(error);
        }
    }

    /// Reports that an item is missing, unless it may be in a part that could not be parsed.
    pub fn missing(&mut self, what: &str, help: &str) {
        if self.declaration.complete && !self.declaration.nameless {
            let name = &self.declaration.name;
            let error = Diagnostic::new(name, format!("`{name}` has no `{what}`"));
            self.report.push(error.help(help));
        }
    }
}
