//! A [`Declaration`](syntax::Declaration) of a neuron to a [`Model`].
//!
//! Names, sorts and ranges are checked in `lowering`, as those of surrogates are; what only neurons
//! have is checked here. The model of a wrong declaration has something valid in the place of what is wrong.

mod flags;
mod gradient;
mod resets;
mod states;

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};

use crate::identifiers;
use crate::ir::{Cmp, Graph, Id, Node, Quantity, Sort};
use crate::lowering::{GivenParam, Language, Lowering, Place, Symbol};
use crate::model::{Input, Leaves, Model, Output, Reset, Spike, State};
use crate::report::{Diagnostic, Report};
use crate::syntax::{self, Expr, ItemKind};

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
        Checker::new(Lowering::new(&NEURON, &declaration, &mut report, &mut warnings)).model()
    });
    report.sort();
    warnings.sort();
    if !report.is_empty() {
        warnings = Report::default();
    }
    Analysis { model, report, warnings }
}

/// What only neurons have.
static NEURON: Language = Language {
    grammar: &syntax::NEURON,
    equation: "charge",
    given: &[
        ("v", Symbol::State(None)),
        ("h", Symbol::Charged),
        ("spike", Symbol::Spike),
        // Unless inputs are declared.
        ("x", Symbol::Input(0)),
    ],
    params: &[
        GivenParam {
            name: "v_threshold",
            quantity: Quantity::Threshold,
            default: 1.0,
            doc: "Potential at which the neuron fires.",
        },
        GivenParam {
            name: "v_reset",
            quantity: Quantity::ResetPotential,
            default: 0.0,
            doc: "Potential at the start and after a hard reset.",
        },
    ],
    refused: &[],
    variable: "v",
    aliases: &[],
    instead_of_alias: "",
    use_in: "an equation",
};

/// The parameters that every neuron has.
pub(crate) fn given_params() -> &'static [GivenParam] {
    NEURON.params
}

/// The state of checking one neuron.
struct Checker<'a> {
    lowering: Lowering<'a>,
    leaves: Leaves,
}

impl<'a> Checker<'a> {
    fn new(mut lowering: Lowering<'a>) -> Self {
        let leaves = Leaves {
            h: lowering.leaf(Quantity::Charged, "h"),
            spike: lowering.leaf(Quantity::Spike, "spike"),
            v_threshold: lowering.leaf(Quantity::Threshold, "v_threshold"),
            v_reset: lowering.leaf(Quantity::ResetPotential, "v_reset"),
            fired: lowering.leaf(Quantity::Fired, "spike"),
        };
        Self { lowering, leaves }
    }

    fn model(mut self) -> Model {
        let declaration = self.lowering.declaration;
        self.lowering.struct_name(|name| format!("; `{name}` is the module with its kernels"));
        let inputs = self.inputs();
        let v = self.lowering.leaf(Quantity::State(0), "v");
        let charge = match self.lowering.scope.equation {
            Some(value) => self.lowering.number(value, Place::Charge),
            None => {
                self.lowering.missing("charge", "write for example `charge = v + x;`");
                None
            }
        };
        let charge = charge.unwrap_or_else(|| self.lowering.graph.add(Node::Add(v, inputs[0].leaf)));
        let written = self.lowering.scope.spike.and_then(|written| self.spike(written));
        let (spike, mut output) = self.output(written);
        let mut states = self.states(v);
        if let Some(Spike { value, .. }) = written {
            self.refer_to_spike(value, &mut states, &mut output);
        }
        self.lowering.resolve_all();
        let flags = self.flags();
        let values = flags.iter().map(|flag| (flag.leaf, f64::from(u8::from(flag.default)))).collect();
        let params = self.lowering.params(values);
        let resets = self.resets(states[0].update.is_some());
        self.counts(spike, output, &resets, &states);
        self.lowering.unused();
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
            spike,
            resets,
            names: std::mem::take(&mut self.lowering.names),
            graph: Graph::default(),
        };
        // Of what is wrong in itself, nothing is known to follow.
        if self.lowering.report.is_empty() {
            self.gradients(&model);
            self.lowering.domains(&model.params);
        }
        model.graph = self.lowering.graph;
        model
    }

    fn inputs(&mut self) -> Vec<Input> {
        let inputs = self.lowering.scope.inputs.clone();
        let span = self.lowering.declaration.name.span();
        let mut input = |index, name: &Ident, doc: Vec<String>| {
            let leaf = self.lowering.leaf(Quantity::Input(index), &identifiers::text(name));
            Input { name: name.clone(), doc, leaf }
        };
        if inputs.is_empty() {
            return vec![input(0, &Ident::new("x", span), Vec::new())];
        }
        let inputs = inputs.into_iter().enumerate();
        inputs.map(|(index, (name, item))| input(index, name, item.doc.clone())).collect()
    }

    /// What leaves the neuron, spikes unless it says otherwise; and how they are computed, unless `h` is compared with
    /// a threshold.
    fn output(&mut self, spike: Option<Spike>) -> (Option<Spike>, Output) {
        let scope = &self.lowering.scope;
        let (written, output, threshold) = (scope.spike, scope.output, scope.threshold);
        if let Some(item) = threshold.filter(|_| written.is_some() || output.is_some()) {
            let (message, help) = match written {
                Some(_) => (
                    "`spike` says when the neuron fires, so it has no threshold",
                    "compare `h` with it there",
                ),
                None => {
                    ("a neuron with `output` does not fire, so it has no threshold", "remove one of the two")
                }
            };
            self.lowering.report.push(Diagnostic::new(item.head(), message).help(help));
        }
        if let Some(value) = output {
            let value = self.lowering.number(value, Place::Output).unwrap_or(self.leaves.h);
            return (spike, Output::Value(value));
        }
        if let Some(spike) = spike {
            return match self.compared(spike.value) {
                Some((threshold, strict)) => (None, Output::Spike { threshold, strict }),
                None => (Some(spike), Output::Spikes),
            };
        }
        let threshold = threshold.and_then(|item| match &item.kind {
            ItemKind::Threshold { value } => self.lowering.number(value, Place::Threshold),
            _ => None,
        });
        let threshold = threshold.unwrap_or(self.leaves.v_threshold);
        (None, Output::Spike { threshold, strict: false })
    }

    /// `spike = ...`: a comparison, or a number made of step functions.
    fn spike(&mut self, written: &Expr) -> Option<Spike> {
        let id = self.lowering.expr(written, None, Place::Spike)?;
        let value = match self.lowering.graph.sort(id) {
            Sort::Real => Some(id),
            Sort::Bool => self.lowering.graph.heaviside(id),
        };
        let Some(value) = value else {
            self.lowering.no_comparison("spike", written, Sort::Bool);
            return None;
        };
        Some(Spike { value, is_binary: is_binary(&self.lowering.graph, value) })
    }

    /// Makes resets, updates and outputs refer to the spike where they use its value under the name of a `let`, so that
    /// `detach_reset` applies.
    fn refer_to_spike(&mut self, value: Id, states: &mut [State], output: &mut Output) {
        let (g, spike) = (&mut self.lowering.graph, self.leaves.spike);
        if g.is_atom(value) {
            return;
        }
        for update in states.iter_mut().filter_map(|state| state.update.as_mut()) {
            *update = g.replaced(*update, value, spike);
        }
        if let Output::Value(output) = output {
            *output = g.replaced(*output, value, spike);
        }
    }

    /// What `spike` compares `h` with, and whether it has to exceed it, if that is what it does.
    fn compared(&self, spike: Id) -> Option<(Id, bool)> {
        let g = &self.lowering.graph;
        match g.node(g.as_heaviside(spike)?) {
            Node::Compare(op, threshold, h) if h == self.leaves.h && !g.contains(threshold, h) => {
                Some((threshold, op == Cmp::Lt))
            }
            _ => None,
        }
    }

    /// Reports what needs a spike of 0 or 1 in a neuron that may have several in a step.
    fn counts(&mut self, spike: Option<Spike>, output: Output, resets: &[Reset], states: &[State]) {
        if spike.is_none_or(|spike| spike.is_binary) || !self.lowering.report.is_empty() {
            return;
        }
        let Some(written) = self.lowering.scope.spike else { return };
        let message = "`spike` may be other than 0 or 1";
        if resets.contains(&Reset::Hard) {
            let error =
                Diagnostic::new(written.extent, format!("{message}, which a hard reset does not support"));
            self.lowering.report.push(error.help("write `reset soft;`, or the reset as `update v = ...`"));
        }
        let mut later: Vec<Id> = states.iter().filter_map(|state| state.update).collect();
        if let Output::Value(value) = output {
            later.push(value);
        }
        if self.lowering.graph.reach(later).contains(&self.leaves.fired) {
            let error = Diagnostic::new(written.extent, format!("{message}, so it is not a condition"));
            self.lowering.report.push(error.help("compare it: `if spike > 0.0 { .. }`"));
        }
    }
}

/// Whether the number `id` is 0 or 1 whatever it is computed from.
fn is_binary(g: &Graph, id: Id) -> bool {
    let mut done = HashMap::new();
    for part in g.reach([id]) {
        let of = |id: Id| done.get(&id) == Some(&true);
        let binary = match g.node(part) {
            Node::Num(_) => matches!(g.number(part), Some(0.0 | 1.0)),
            Node::StraightThrough(a, _) | Node::Detach(a) => of(a),
            Node::Mul(a, b) | Node::Min(a, b) | Node::Max(a, b) | Node::Select(_, a, b) => of(a) && of(b),
            Node::Sub(a, b) => g.number(a) == Some(1.0) && of(b),
            Node::Powi(a, n) => n > 0 && of(a),
            _ => false,
        };
        done.insert(part, binary);
    }
    done[&id]
}
