//! The items of a declaration as written, nothing resolved.

use std::fmt;

use proc_macro2::Ident;

use super::expr::Expr;
use crate::model::ParamKind;
use crate::report::Extent;

/// A declaration as written.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// Attributes besides doc comments.
    pub attrs: Vec<syn::Attribute>,
    /// Doc comment, one entry a line.
    pub doc: Vec<String>,
    /// Visibility.
    pub vis: syn::Visibility,
    /// Name of the struct.
    pub name: Ident,
    /// What its body declares, in order.
    pub items: Vec<Item>,
    /// Words in parts that could not be parsed. What was meant by them is unknown, so nothing is said
    /// about them: neither that they are undeclared nor that they are unused.
    pub lost: Vec<String>,
    /// Whether some item has a name that could not be read, or cannot have been meant. What seems to be undeclared, or
    /// missing, may be declared there.
    pub nameless: bool,
    /// Whether every item could at least be told what it is. If not, what seems to be missing may be there.
    pub complete: bool,
}

/// One item of the body.
#[derive(Clone, Debug)]
pub struct Item {
    /// Doc comment, one entry a line.
    pub doc: Vec<String>,
    /// The word it begins with.
    pub keyword: Ident,
    /// What it declares.
    pub kind: ItemKind,
}

/// What an item declares.
#[derive(Clone, Debug)]
pub enum ItemKind {
    /// `param name = default where conditions;`, or `array` or `learnable` in place of `param`.
    Param {
        /// Which of the three.
        kind: ParamKind,
        /// Its name.
        name: Ident,
        /// Its default value.
        default: Expr,
        /// Its range.
        conditions: Vec<Expr>,
    },
    /// `flag name = default;`
    Flag {
        /// Its name.
        name: Ident,
        /// Its default value.
        default: Expr,
    },
    /// `input name, name;`
    Input {
        /// Their names.
        names: Vec<Ident>,
    },
    /// `state name = init;`
    State {
        /// Its name.
        name: Ident,
        /// Its value before the first step.
        init: Expr,
    },
    /// `let name = value;`
    Let {
        /// Its name.
        name: Ident,
        /// What it stands for.
        value: Expr,
    },
    /// `charge = value;`, or `primitive = value;` of a surrogate.
    Charge {
        /// The charged potential; the primitive.
        value: Expr,
    },
    /// `spike = value;`
    Spike {
        /// When the neuron fires, or how many spikes.
        value: Expr,
    },
    /// `threshold = value;`
    Threshold {
        /// What the charged potential is compared with.
        value: Expr,
    },
    /// `output = value;`
    Output {
        /// What leaves the neuron instead of spikes.
        value: Expr,
    },
    /// `update name = value;`
    Update {
        /// The state.
        name: Ident,
        /// Its value after the step.
        value: Expr,
    },
    /// `reset mode | mode;`
    Reset {
        /// The modes, as written.
        modes: Vec<Ident>,
    },
}

impl Item {
    /// What to point at: the name it declares, or its first word.
    pub fn head(&self) -> Extent {
        match &self.kind {
            ItemKind::Param { name, .. }
            | ItemKind::Flag { name, .. }
            | ItemKind::State { name, .. }
            | ItemKind::Let { name, .. }
            | ItemKind::Update { name, .. } => name.into(),
            _ => (&self.keyword).into(),
        }
    }

    /// Its expressions.
    pub fn exprs(&self) -> Vec<&Expr> {
        match &self.kind {
            ItemKind::Param { default, conditions, .. } => {
                std::iter::once(default).chain(conditions).collect()
            }
            ItemKind::Flag { default: value, .. }
            | ItemKind::State { init: value, .. }
            | ItemKind::Let { value, .. }
            | ItemKind::Charge { value }
            | ItemKind::Spike { value }
            | ItemKind::Threshold { value }
            | ItemKind::Output { value }
            | ItemKind::Update { value, .. } => vec![value],
            ItemKind::Input { .. } | ItemKind::Reset { .. } => vec![],
        }
    }
}

impl fmt::Display for Item {
    /// The item without its doc comment and range, to be quoted in messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &[Ident], separator| {
            names.iter().map(Ident::to_string).collect::<Vec<_>>().join(separator)
        };
        match &self.kind {
            ItemKind::Param { kind, name, default, .. } => write!(f, "{} {name} = {default}", kind.keyword()),
            ItemKind::Flag { name, default } => write!(f, "flag {name} = {default}"),
            ItemKind::Input { names } => write!(f, "input {}", list(names, ", ")),
            ItemKind::State { name, init } => write!(f, "state {name} = {init}"),
            ItemKind::Let { name, value } => write!(f, "let {name} = {value}"),
            ItemKind::Charge { value } => write!(f, "{} = {value}", self.keyword),
            ItemKind::Spike { value } => write!(f, "spike = {value}"),
            ItemKind::Threshold { value } => write!(f, "threshold = {value}"),
            ItemKind::Output { value } => write!(f, "output = {value}"),
            ItemKind::Update { name, value } => write!(f, "update {name} = {value}"),
            ItemKind::Reset { modes } => write!(f, "reset {}", list(modes, " | ")),
        }
    }
}
