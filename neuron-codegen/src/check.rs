//! A [`Declaration`] to a [`Model`]: resolves names, checks kinds and ranges.
//!
//! Reports every mistake once, where it was made. What depends on a mistake is not reported: an
//! expression with a wrong part has no [`Id`], nothing is said about what uses it, and the model gets
//! something valid in its place.

mod domain;
mod gradient;
mod interval;
mod lets;
mod lower;
mod mistakes;
pub(crate) mod names;
mod params;
mod scope;
mod usage;

use std::collections::{HashMap, HashSet};

use proc_macro2::{Ident, TokenStream};

use crate::identifiers;
use crate::ir::{Graph, Id, Node, Quantity, Rate, Sort};
use crate::model::{Flag, Input, Leaves, Model, Output, Reset, State, rate_of};
use crate::report::{Diagnostic, Report};
use crate::suggest;
use crate::syntax::{self, Declaration, Expr, ExprKind, Item, ItemKind};
use lower::Place;
use scope::Scope;

/// What became of a declaration.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// The neuron. If there are errors, it is as close to what was meant as could be told, and valid; it
    /// is only `None` if there is not even a name.
    pub model: Option<Model>,
    /// The errors.
    pub report: Report,
    /// What is probably not meant; nothing as long as there are errors.
    pub warnings: Report,
}

/// Parses and checks the tokens between the braces of `neuron! { .. }`.
pub fn analyse(tokens: TokenStream) -> Analysis {
    let (mut report, mut warnings) = (Report::default(), Report::default());
    let model = syntax::parse(tokens, &mut report).map(|declaration| {
        let scope = Scope::new(&declaration, &mut report);
        Checker::new(&declaration, scope, &mut report, &mut warnings).model()
    });
    report.sort();
    warnings.sort();
    if !report.is_empty() {
        warnings = Report::default();
    }
    Analysis { model, report, warnings }
}

/// The state of checking one declaration.
struct Checker<'a> {
    declaration: &'a Declaration,
    scope: Scope<'a>,
    report: &'a mut Report,
    warnings: &'a mut Report,
    graph: Graph,
    leaves: Leaves,
    /// The names of expressions given by `let`.
    names: HashMap<Id, String>,
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
    /// Names that unknown ones were probably meant to be.
    meant: HashSet<String>,
}

impl<'a> Checker<'a> {
    fn new(
        declaration: &'a Declaration,
        scope: Scope<'a>,
        report: &'a mut Report,
        warnings: &'a mut Report,
    ) -> Self {
        let mut graph = Graph::default();
        let mut real = |quantity, name, rate| graph.leaf(quantity, name, Sort::Real, rate);
        let rate = |name| rate_of(scope.param_kind(name));
        let leaves = Leaves {
            h: real(Quantity::Charged, "h", Rate::Step),
            spike: real(Quantity::Spike, "spike", Rate::Step),
            v_threshold: real(Quantity::Threshold, "v_threshold", rate("v_threshold")),
            v_reset: real(Quantity::ResetPotential, "v_reset", rate("v_reset")),
            fired: graph.leaf(Quantity::Fired, "spike", Sort::Bool, Rate::Step),
        };
        Self {
            declaration,
            report,
            warnings,
            graph,
            leaves,
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

    fn model(mut self) -> Model {
        let declaration = self.declaration;
        self.struct_name();
        let inputs = self.inputs();
        let v = self.graph.leaf(Quantity::State(0), "v", Sort::Real, Rate::Step);
        let charge = match self.scope.charge {
            Some(value) => self.number(value, Place::Charge),
            None => {
                self.missing("charge", "charge = v + x;");
                None
            }
        };
        let charge = charge.unwrap_or_else(|| self.graph.add(Node::Add(v, inputs[0].leaf)));
        let output = self.output();
        let states = self.states(v);
        for index in 0..self.scope.lets.len() {
            self.resolve(index);
        }
        let flags = self.flags();
        let params = self.params(&flags);
        let resets = self.resets(states[0].update.is_some());
        self.unused();
        let mut model = Model {
            name: declaration.name.clone(),
            vis: declaration.vis.clone(),
            attrs: declaration.attrs.clone(),
            doc: declaration.doc.clone(),
            leaves: self.leaves,
            inputs,
            params,
            flags,
            states,
            charge,
            output,
            resets,
            names: std::mem::take(&mut self.names),
            graph: Graph::default(),
        };
        // Of what is wrong in itself, nothing is known to follow.
        if self.report.is_empty() {
            self.gradients(&model);
            let conditions = model.params.iter().flat_map(|param| &param.conditions);
            self.domains(&conditions.map(|condition| condition.expr).collect::<Vec<_>>());
        }
        model.graph = self.graph;
        model
    }

    fn struct_name(&mut self) {
        let name = identifiers::text(&self.declaration.name);
        let mut letters = name.chars();
        if let Some(first) = letters.next().filter(|first| first.is_lowercase()) {
            let upper: String = first.to_uppercase().chain(letters).collect();
            let mut error = Diagnostic::new(
                &self.declaration.name,
                format!("the name of a neuron begins with an uppercase letter, found `{name}`"),
            );
            if upper != name {
                error =
                    error.help(format!("write `struct {upper}`; `{name}` is the module with its kernels"));
            }
            self.report.push(error);
        }
    }

    /// Reports that an item is missing, unless it may be in a part that could not be parsed.
    fn missing(&mut self, what: &str, example: &str) {
        if self.declaration.complete && !self.declaration.nameless {
            let name = &self.declaration.name;
            let error = Diagnostic::new(name, format!("`{name}` has no `{what}`"));
            self.report.push(error.help(format!("write for example `{example}`")));
        }
    }

    fn inputs(&mut self) -> Vec<Input> {
        let inputs = self.scope.inputs.clone();
        let mut input = |index, name: &Ident, doc: Vec<String>| {
            let text = identifiers::text(name);
            let leaf = self.graph.leaf(Quantity::Input(index), &text, Sort::Real, Rate::Step);
            Input { name: name.clone(), doc, leaf }
        };
        if inputs.is_empty() {
            let x = Ident::new("x", self.declaration.name.span());
            return vec![input(0, &x, Vec::new())];
        }
        let inputs = inputs.into_iter().enumerate();
        inputs.map(|(index, (name, item))| input(index, name, item.doc.clone())).collect()
    }

    /// `v`, and the states that were declared.
    fn states(&mut self, v: Id) -> Vec<State> {
        let span = self.declaration.name.span();
        let mut states = vec![State {
            name: Ident::new("v", span),
            doc: Vec::new(),
            init: self.leaves.v_reset,
            leaf: v,
            update: None,
        }];
        if let Some((_, item)) = self.scope.updates.iter().find(|(name, _)| *name == "v")
            && let ItemKind::Update { value, .. } = &item.kind
        {
            // As long as it is wrong, something that depends on all the same.
            states[0].update = Some(self.number(value, Place::Update).unwrap_or(self.leaves.h));
        }
        let mut updates: HashMap<String, &'a Expr> = HashMap::new();
        // Whether some update is of what is no state, or of what could not be read: it may be the one that a state lacks.
        let mut stray = self.declaration.nameless;
        for (name, item) in self.scope.updates.clone() {
            let ItemKind::Update { value, .. } = &item.kind else { continue };
            match self.updated_state(name) {
                Some(state) => {
                    updates.insert(state, value);
                }
                None => stray = true,
            }
        }
        for (index, (name, item)) in self.scope.states.clone().into_iter().enumerate() {
            let ItemKind::State { init, .. } = &item.kind else { continue };
            let text = identifiers::text(name);
            let leaf = self.state(index);
            let init = self.number(init, Place::Init).unwrap_or_else(|| self.graph.num(0.0));
            let update = match updates.remove(&text) {
                Some(value) => self.number(value, Place::Update),
                None => {
                    if !stray && !self.declaration.lost.contains(&text) {
                        let error = Diagnostic::new(name, format!("the state `{text}` is never updated"));
                        self.report.push(error.help(format!("write `update {text} = ...;`")));
                    }
                    // Whoever forgets the update of a state does not get to hear that it is unused, too.
                    self.meant.insert(text);
                    None
                }
            };
            let doc = item.doc.clone();
            states.push(State { name: name.clone(), doc, init, leaf, update: Some(update.unwrap_or(leaf)) });
        }
        states
    }

    /// The leaf of the declared flag of that index.
    fn flag(&mut self, index: usize) -> Id {
        let name = identifiers::text(self.scope.flags[index].0);
        self.graph.leaf(Quantity::Flag(index), &name, Sort::Bool, Rate::Uniform)
    }

    /// The leaf of the declared state of that index, which is not `v`.
    fn state(&mut self, index: usize) -> Id {
        let name = identifiers::text(self.scope.states[index].0);
        self.graph.leaf(Quantity::State(index + 1), &name, Sort::Real, Rate::Step)
    }

    /// The leaf of the declared parameter of that index.
    fn param(&mut self, index: usize) -> Id {
        let name = identifiers::text(self.scope.params[index].0);
        match name.as_str() {
            "v_threshold" => self.leaves.v_threshold,
            "v_reset" => self.leaves.v_reset,
            _ => {
                let rate = rate_of(self.scope.param_kind(&name));
                self.graph.leaf(Quantity::Param(index), &name, Sort::Real, rate)
            }
        }
    }

    fn flags(&mut self) -> Vec<Flag> {
        let flags = self.scope.flags.clone();
        flags
            .into_iter()
            .enumerate()
            .filter_map(|(index, (name, item))| {
                let ItemKind::Flag { default: value, .. } = &item.kind else { return None };
                let default = match &value.kind {
                    ExprKind::Bool(default) => *default,
                    kind => {
                        if !matches!(kind, ExprKind::Wrong(_)) {
                            let message =
                                format!("the default of a flag is `true` or `false`, found `{value}`");
                            let error = Diagnostic::new(value.extent, message);
                            self.report.push(match kind {
                                ExprKind::Number(..) => {
                                    error.help(format!("a number is a parameter: `param {name} = {value};`"))
                                }
                                ExprKind::Name(word) => {
                                    match suggest::closest(
                                        &word.to_string().to_lowercase(),
                                        &["true", "false"],
                                    ) {
                                        Some(meant) => error.help(format!("did you mean `{meant}`?")),
                                        None => error,
                                    }
                                }
                                _ => error,
                            });
                        }
                        false
                    }
                };
                let leaf = self.flag(index);
                Some(Flag { name: name.clone(), doc: item.doc.clone(), default, leaf })
            })
            .collect()
    }

    /// What leaves the neuron: spikes unless it says otherwise.
    fn output(&mut self) -> Output {
        let threshold = self.scope.threshold;
        if let Some(value) = self.scope.output {
            if let Some(item) = threshold {
                let message = "a neuron with `output` does not fire, so it has no threshold";
                self.report.push(Diagnostic::new(item.head(), message).help("remove one of the two"));
            }
            return Output::Value(self.number(value, Place::Output).unwrap_or(self.leaves.h));
        }
        let threshold = threshold.and_then(|item| match &item.kind {
            ItemKind::Threshold { value } => self.number(value, Place::Threshold),
            _ => None,
        });
        Output::Spike { threshold: threshold.unwrap_or(self.leaves.v_threshold) }
    }

    /// Whether there is a state of that name, be it that it cannot have it.
    fn declares_state(&self, text: &str) -> bool {
        let declares = |item: &Item| matches!(&item.kind, ItemKind::State { name, .. } if name == text);
        self.declaration.items.iter().any(declares)
    }

    fn resets(&mut self, is_written_out: bool) -> Vec<Reset> {
        let mut resets = Vec::new();
        let silent = self.scope.output.is_some();
        match self.scope.reset {
            // Whoever declares it as a state writes its update with it, and has been told.
            Some(_) if is_written_out && self.declares_state("v") => {}
            Some(item) if is_written_out => {
                let message = "the potential after the step is given twice: by `reset` and by `update v`";
                let error = Diagnostic::new(item.head(), message);
                self.report.push(error.help("remove `reset`, or `update v`"));
            }
            _ if is_written_out => return vec![Reset::Custom],
            None if silent => return vec![Reset::None],
            None => self.missing("reset", "reset hard | soft;"),
            Some(item) => {
                let ItemKind::Reset { modes } = &item.kind else { return vec![Reset::Hard] };
                if silent && modes.iter().any(|mode| mode != "none") {
                    let message = "a neuron with `output` does not fire, so there is nothing to reset at";
                    let error = Diagnostic::new(item.head(), message);
                    self.report.push(error.help(
                        "remove `reset`; what the potential becomes otherwise is written `update v = ...`",
                    ));
                    return vec![Reset::None];
                }
                for mode in modes {
                    match self.reset(mode) {
                        Some(reset) if resets.contains(&reset) => {
                            self.report.push(Diagnostic::new(
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
        if found.is_none() && self.declaration.items.iter().filter(is_reset).count() == 1 {
            let error = Diagnostic::new(mode, format!("unknown reset mode `{word}`"));
            let words = Reset::NAMED.map(Reset::keyword);
            self.report.push(match suggest::closest(&word.to_lowercase(), &words) {
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

/// A name and the item that declares it.
type Named<'a> = (&'a Ident, &'a Item);
