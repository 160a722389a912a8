//! A checked declaration: what `check` produces and everything after it reads.
//!
//! A model cannot be wrong: names are resolved, sorts agree, ranges hold. It contains what the user
//! wrote; derivatives are made from it in [`crate::derive`], kernels in [`crate::kernel`].

use std::collections::HashMap;

pub use neuron_abi::{ParamKind, Reset};
use proc_macro2::Ident;

use crate::ir::{Graph, Id, Quantity, Rate};

/// How often a parameter changes.
pub fn rate_of(kind: ParamKind) -> Rate {
    if kind == ParamKind::Scalar { Rate::Uniform } else { Rate::Neuron }
}

/// A real-valued parameter.
#[derive(Clone, Debug)]
pub struct Param {
    /// What values it has.
    pub kind: ParamKind,
    /// Name, at the user's span.
    pub name: Ident,
    /// Doc comment, one entry a line.
    pub doc: Vec<String>,
    /// Default value.
    pub default: f64,
    /// Conditions over parameters and numbers that must hold, from `where`.
    pub conditions: Vec<Condition>,
    /// Its leaf in the graph.
    pub leaf: Id,
    /// Whether it is one of the two every neuron has, `v_threshold` and `v_reset`.
    pub built_in: bool,
}

/// One condition of a `where` clause.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The condition, over parameter leaves.
    pub expr: Id,
    /// The condition as the user wrote it: `tau > 1.0`.
    pub text: String,
}

/// A boolean switch, the same for all neurons and steps of a call.
#[derive(Clone, Debug)]
pub struct Flag {
    /// Name, at the user's span.
    pub name: Ident,
    /// Doc comment, one entry a line.
    pub doc: Vec<String>,
    /// Default value.
    pub default: bool,
    /// Its leaf in the graph, of sort `Bool`.
    pub leaf: Id,
}

/// A quantity carried from step to step. The first is always the membrane potential `v`.
#[derive(Clone, Debug)]
pub struct State {
    /// Name, at the user's span.
    pub name: Ident,
    /// Doc comment, one entry a line.
    pub doc: Vec<String>,
    /// Value before the first step, over parameters and flags. That of `v` is `v_reset`.
    pub init: Id,
    /// Its leaf in the graph: the value the step starts from.
    pub leaf: Id,
    /// Value after the step, over all leaves including `h` and `spike`. `None` for `v` unless its reset is
    /// written out.
    pub update: Option<Id>,
}

/// The leaves that every model has.
#[derive(Clone, Copy, Debug)]
pub struct Leaves {
    /// `h`: the charged potential, before reset.
    pub h: Id,
    /// `spike`: 0 or 1, as a number.
    pub spike: Id,
    /// `fired`: the same as a condition; what `if spike { .. }` stands for.
    pub fired: Id,
    /// `v_threshold`
    pub v_threshold: Id,
    /// `v_reset`
    pub v_reset: Id,
}

/// An input current.
#[derive(Clone, Debug)]
pub struct Input {
    /// Name, at the user's span; `x` unless declared.
    pub name: Ident,
    /// Doc comment, one entry a line.
    pub doc: Vec<String>,
    /// Its leaf in the graph.
    pub leaf: Id,
}

/// What leaves a neuron in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// A spike where `H` reaches a threshold.
    Spike {
        /// What `H` is compared with: `v_threshold` unless declared; over inputs, states and parameters.
        threshold: Id,
        /// Whether `H` has to exceed it.
        strict: bool,
    },
    /// What the declaration computes as `spike`; see [`Model::spike`].
    Spikes,
    /// A number over all leaves.
    Value(Id),
}

/// A spike that is computed in another way than by a comparison of `H` with a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spike {
    /// Its value, over all leaves but the spike.
    pub value: Id,
    /// Whether that is 0 or 1, rather than a number of spikes.
    pub is_binary: bool,
}

impl Output {
    /// The name of its array.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spike { .. } | Self::Spikes => "spike",
            Self::Value(_) => "output",
        }
    }

    /// What it is called in the names of factors.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Spike { .. } | Self::Spikes => "s",
            Self::Value(_) => "output",
        }
    }
}

/// A checked neuron.
#[derive(Clone, Debug)]
pub struct Model {
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
    /// Leaves that every model has.
    pub leaves: Leaves,
    /// Inputs, in order; at least one.
    pub inputs: Vec<Input>,
    /// Parameters in order of declaration; `v_threshold` and `v_reset` come last unless declared.
    pub params: Vec<Param>,
    /// Flags in order of declaration.
    pub flags: Vec<Flag>,
    /// States; `v` first.
    pub states: Vec<State>,
    /// `H` as a function of inputs, states and parameters.
    pub charge: Id,
    /// What leaves the neuron.
    pub output: Output,
    /// The spike, if it is computed in another way than [`Output::Spike`] says.
    pub spike: Option<Spike>,
    /// Reset modes in order of declaration; at least one, each once.
    pub resets: Vec<Reset>,
    /// Names that the user gave to expressions with `let`, used for them in generated code too.
    pub names: HashMap<Id, String>,
}

impl Model {
    /// What equations call an input, a state or another quantity that expressions start from.
    ///
    /// # Panics
    /// The model has no such quantity.
    pub fn name_of(&self, quantity: Quantity) -> String {
        let leaf = match quantity {
            Quantity::Input(index) => self.inputs[index].leaf,
            Quantity::State(index) => self.states[index].leaf,
            Quantity::Charged => self.leaves.h,
            _ => {
                let of = |param: &&Param| self.graph.quantity(param.leaf) == Some(quantity);
                self.params.iter().find(of).expect("a parameter").leaf
            }
        };
        self.graph.as_leaf(leaf).expect("a leaf").name.clone()
    }

    /// The threshold, if the neuron fires where `H` reaches one.
    pub fn threshold(&self) -> Option<Id> {
        match self.output {
            Output::Spike { threshold, .. } => Some(threshold),
            Output::Spikes | Output::Value(_) => None,
        }
    }

    /// Whether what leaves the neuron is 0 or 1.
    pub fn fires_bits(&self) -> bool {
        match self.output {
            Output::Spike { .. } => true,
            Output::Spikes => self.spike.is_some_and(|spike| spike.is_binary),
            Output::Value(_) => false,
        }
    }

    /// What determines what leaves the neuron: the threshold, the spike or the output. A spike that only resets comes
    /// first.
    pub fn outputs(&self) -> impl Iterator<Item = Id> + use<> {
        let output = match self.output {
            Output::Spike { threshold, .. } => Some(threshold),
            Output::Spikes => None,
            Output::Value(value) => Some(value),
        };
        self.spike.map(|spike| spike.value).into_iter().chain(output)
    }

    /// The parameters that may differ between neurons, in order.
    pub fn arrays(&self) -> impl Iterator<Item = &Param> {
        self.params.iter().filter(|param| param.kind != ParamKind::Scalar)
    }

    /// The parameters that have a gradient, in order.
    pub fn learnables(&self) -> impl Iterator<Item = &Param> {
        self.params.iter().filter(|param| param.kind == ParamKind::Learnable)
    }
}
