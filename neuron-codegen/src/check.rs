//! A [`Declaration`](syntax::Declaration) of a neuron to a [`Model`].
//!
//! Names, sorts and ranges are checked in `lowering`, as those of surrogates are; what only neurons
//! have is checked here. The model of a wrong declaration has something valid in the place of what is wrong.

mod flags;
mod gradient;
mod resets;
mod states;

use proc_macro2::{Ident, TokenStream};

use crate::identifiers;
use crate::ir::{Graph, Node, Quantity};
use crate::lowering::{GivenParam, Language, Lowering, Place, Symbol};
use crate::model::{Input, Leaves, Model, Output};
use crate::report::{Diagnostic, Report};
use crate::syntax::{self, ItemKind};

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
        let output = self.output();
        let states = self.states(v);
        self.lowering.resolve_all();
        let flags = self.flags();
        let values = flags.iter().map(|flag| (flag.leaf, f64::from(u8::from(flag.default)))).collect();
        let params = self.lowering.params(values);
        let resets = self.resets(states[0].update.is_some());
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

    /// What leaves the neuron: spikes unless it says otherwise.
    fn output(&mut self) -> Output {
        let threshold = self.lowering.scope.threshold;
        if let Some(value) = self.lowering.scope.output {
            if let Some(item) = threshold {
                let message = "a neuron with `output` does not fire, so it has no threshold";
                self.lowering
                    .report
                    .push(Diagnostic::new(item.head(), message).help("remove one of the two"));
            }
            return Output::Value(self.lowering.number(value, Place::Output).unwrap_or(self.leaves.h));
        }
        let threshold = threshold.and_then(|item| match &item.kind {
            ItemKind::Threshold { value } => self.lowering.number(value, Place::Threshold),
            _ => None,
        });
        Output::Spike { threshold: threshold.unwrap_or(self.leaves.v_threshold) }
    }
}
