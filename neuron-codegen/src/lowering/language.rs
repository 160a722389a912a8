//! What neurons and surrogates differ in where names are resolved and mistakes are explained.

use super::scope::Symbol;
use crate::function;
use crate::ir::Quantity;
use crate::syntax::Grammar;

/// A kind of declaration, as far as its expressions are concerned.
#[derive(Debug)]
pub struct Language {
    /// Its items.
    pub grammar: &'static Grammar,
    /// The item without which nothing can be said about what is used: `charge`, `primitive`.
    pub equation: &'static str,
    /// Names that every declaration of the kind has, besides those of parameters.
    pub given: &'static [(&'static str, Symbol)],
    /// Parameters that it has even where it does not declare them.
    pub params: &'static [GivenParam],
    /// Names that no item of the kind can have, and why, in addition to those that neither kind can give.
    pub refused: &'static [(&'static str, &'static str)],
    /// The variable that examples are written with.
    pub variable: &'static str,
    /// What [`variable`](Self::variable) is called elsewhere.
    pub aliases: &'static [&'static str],
    /// What to say of these.
    pub instead_of_alias: &'static str,
    /// Where to use what nothing uses.
    pub use_in: &'static str,
}

impl Language {
    /// Whether there are items that begin with `keyword`.
    pub fn has(&self, keyword: &str) -> bool {
        self.grammar.keywords.contains(&keyword)
    }

    /// The names of its functions.
    pub fn functions(&self) -> Vec<&'static str> {
        let mut names = function::names();
        if self.has("state") {
            names.extend(function::OF_STEPS);
        }
        names
    }

    /// The parameter called `name`, if every declaration of the kind has it.
    pub fn param(&self, name: &str) -> Option<&'static GivenParam> {
        self.params.iter().find(|param| param.name == name)
    }

    /// What the declared parameter of that name and index stands for.
    pub fn param_quantity(&self, name: &str, index: usize) -> Quantity {
        self.param(name).map_or(Quantity::Param(index), |param| param.quantity)
    }
}

/// A parameter that every declaration of a kind has.
#[derive(Debug)]
pub struct GivenParam {
    pub name: &'static str,
    pub quantity: Quantity,
    /// Its default where it is not declared.
    pub default: f64,
    /// Its documentation there.
    pub doc: &'static str,
}
