//! Surrogate gradients, declared by their primitive: `surrogate! { .. }`.
//!
//! A surrogate is a function of `u = h - v_threshold`, the distance from the threshold, and at most four
//! parameters. What is written is its primitive, a smooth step that takes the place of the spike in the relaxed
//! model; its gradient, which takes the place of the derivative of the spike, is derived from that. The syntax
//! and the graph are those of neurons.

mod check;
mod description;
mod emit;
mod function;
mod probe;
mod tidy;

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::conditional::{self, Conditions};
use crate::emit::equations::{numbers, parts};
use crate::expand::{levels, split};
use crate::ir::{Graph, Id};
use crate::kernel::lower::Lowering;
use crate::model::Param;
use crate::print::{Dialect, Printer};
use crate::report::Report;
use crate::syntax::{self, SURROGATE};

pub use description::{Description, Parameter};
pub use emit::cuda_file;

/// How many parameters a surrogate may have: they travel with every launch.
pub use neuron_abi::SURROGATE_PARAMETERS as MAX_PARAMETERS;

/// How many expressions of a surrogate may have a name.
const MAX_LETS: usize = 256;

/// How deep the operators of a primitive may be nested, through names: its derivative, which is about as deep, is
/// rearranged recursively.
const MAX_DEPTH: usize = 1000;

/// A checked surrogate.
#[derive(Clone, Debug)]
pub struct Surrogate {
    /// Name of the struct, at the user's span.
    pub name: Ident,
    /// Visibility, as the user wrote it.
    pub vis: syn::Visibility,
    /// Attributes besides doc comments, passed on to the struct.
    pub attrs: Vec<syn::Attribute>,
    /// Doc comment, one entry a line.
    pub doc: Vec<String>,
    /// All expressions.
    pub graph: Graph,
    /// The distance from the threshold.
    pub u: Id,
    /// Parameters in order of declaration.
    pub params: Vec<Param>,
    /// As the user wrote it.
    pub primitive: Id,
    /// Its derivative with respect to `u`.
    pub gradient: Id,
    /// Names that the user gave to expressions with `let`, used for them in generated code too.
    pub names: HashMap<Id, String>,
    /// The same names, for what became of these expressions in the gradient.
    pub gradient_names: HashMap<Id, String>,
}

impl Surrogate {
    /// Its primitive, in the syntax of the language: `atan(z) / PI + 0.5 where z = PI / 2 * alpha * u`.
    pub fn primitive_text(&self) -> String {
        line(self.equation(self.primitive, &self.names))
    }

    /// Its gradient, likewise.
    pub fn gradient_text(&self) -> String {
        line(self.equation(self.gradient, &self.gradient_names))
    }

    /// What kernels compute for `value`, the primitive or the gradient: a value in a graph of its own.
    pub fn computed(&self, value: Id) -> (Graph, Id) {
        let mut graph = self.graph.clone();
        let value = function::computed(&mut graph, &mut Lowering::default(), value, self.u);
        (graph, value)
    }

    /// `value`, and what the names in it stand for.
    fn equation(&self, value: Id, names: &HashMap<Id, String>) -> (String, Vec<String>) {
        let mut named = names.clone();
        let mut numbers = numbers(&self.graph, &[value], names);
        let is_named = |id: Id| id == value || names.contains_key(&id);
        let shared = parts(&self.graph, &[value], |id| names.contains_key(&id), |_, id| is_named(id));
        for id in shared.into_iter().filter(|&id| !is_named(id)) {
            named.extend(numbers.next().map(|name| (id, name)));
        }
        let reached = self.graph.reach([value]);
        let pi = |id: &Id| self.graph.number(*id) == Some(std::f64::consts::PI);
        let written: Vec<Id> =
            reached.iter().copied().filter(|id| *id != value && named.contains_key(id)).collect();
        named.extend(reached.iter().copied().filter(pi).map(|id| (id, "PI".to_owned())));
        let printer = Printer { graph: &self.graph, dialect: Dialect::Dsl, names: &named };
        let parts = written.into_iter().map(|id| format!("{} = {}", named[&id], printer.definition(id)));
        (printer.definition(value), parts.collect())
    }
}

/// An equation in one line.
fn line((value, parts): (String, Vec<String>)) -> String {
    if parts.is_empty() { value } else { format!("{value} where {}", parts.join(", ")) }
}

/// What became of a declaration.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// The surrogate. If there are errors, it is as close to what was meant as could be told, and valid; it is
    /// only `None` if there is not even a name.
    pub surrogate: Option<Surrogate>,
    /// The errors.
    pub report: Report,
    /// What is probably not meant; nothing as long as there are errors.
    pub warnings: Report,
}

/// Parses and checks the tokens between the braces of `surrogate! { .. }`.
pub fn analyse(tokens: TokenStream) -> Analysis {
    let (mut report, mut warnings) = (Report::default(), Report::default());
    let surrogate = syntax::parse_as(&SURROGATE, tokens, &mut report)
        .map(|declaration| check::surrogate(&declaration, &mut report, &mut warnings));
    report.sort();
    warnings.sort();
    if !report.is_empty() {
        warnings = Report::default();
    }
    Analysis { surrogate, report, warnings }
}

/// Expands a declaration, as [`crate::expand::expand`] that of a neuron.
pub fn expand(tokens: TokenStream) -> TokenStream {
    let (krate, declaration) = split(tokens);
    let conditions = Conditions::of(&declaration);
    let analysis = analyse(declaration);
    let errors = analysis.report.to_compile_error();
    let attrs = analysis.surrogate.as_ref().map_or(&[][..], |surrogate| &surrogate.attrs);
    let warnings = analysis.warnings.to_warnings(&levels(attrs));
    let code = analysis.surrogate.map(|mut surrogate| {
        surrogate.attrs = conditional::without(std::mem::take(&mut surrogate.attrs));
        emit::expand(&surrogate, &krate)
    });
    conditions.apply(quote! { #errors #warnings #code })
}
