//! Which kernel: names, look-ups and signatures all derive from a [`Variant`].

use crate::gradient::Derived;
use crate::model::{Model, Param, Reset};

/// What a kernel computes; the same names as in the runtime's `Template`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Template {
    /// One step.
    Forward,
    /// A sequence of steps.
    Fptt,
    /// One step, keeping factors.
    ForwardWithGrad,
    /// A sequence, keeping factors.
    FpttWithGrad,
    /// Gradients of one step.
    Backward,
    /// Gradients of a sequence.
    Bptt,
}

impl Template {
    /// All templates, in the runtime's order.
    pub const ALL: [Self; 6] =
        [Self::Forward, Self::Fptt, Self::ForwardWithGrad, Self::FpttWithGrad, Self::Backward, Self::Bptt];

    /// Its name in CamelCase: that of the runtime's variant and of the struct of its buffers.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Forward => "Forward",
            Self::Fptt => "Fptt",
            Self::ForwardWithGrad => "ForwardWithGrad",
            Self::FpttWithGrad => "FpttWithGrad",
            Self::Backward => "Backward",
            Self::Bptt => "Bptt",
        }
    }

    /// Its name in snake_case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Fptt => "fptt",
            Self::ForwardWithGrad => "forward_with_grad",
            Self::FpttWithGrad => "fptt_with_grad",
            Self::Backward => "backward",
            Self::Bptt => "bptt",
        }
    }

    /// Whether it runs over a sequence.
    pub fn is_multi_step(self) -> bool {
        matches!(self, Self::Fptt | Self::FpttWithGrad | Self::Bptt)
    }

    /// Whether it goes forward in time and keeps factors.
    pub fn is_with_grad(self) -> bool {
        matches!(self, Self::ForwardWithGrad | Self::FpttWithGrad)
    }

    /// Whether it goes backward in time.
    pub fn is_backward(self) -> bool {
        matches!(self, Self::Backward | Self::Bptt)
    }

    /// What it does, for documentation.
    pub fn title(self) -> &'static str {
        match self {
            Self::Forward => "one step",
            Self::Fptt => "a sequence of steps",
            Self::ForwardWithGrad => "one step, with the factors that `backward` needs",
            Self::FpttWithGrad => "a sequence of steps, with the factors that `bptt` needs",
            Self::Backward => "gradients of one step",
            Self::Bptt => "gradients of a sequence: back-propagation through time",
        }
    }
}

/// One kernel of a neuron.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Variant {
    /// What it computes.
    pub template: Template,
    /// The reset mode of forward kernels. Backward kernels read its effect from the factors.
    pub reset: Option<Reset>,
    /// Whether it is of the relaxed model, whose spike is the surrogate's primitive.
    pub relaxed: bool,
}

impl Variant {
    /// The kernels of `model`: the templates under each reset, the gradients, then the relaxed model.
    pub fn all(model: &Model) -> Vec<Self> {
        let (backward, forward): (Vec<_>, Vec<_>) =
            Template::ALL.into_iter().partition(|template| template.is_backward());
        let mut all = Vec::new();
        for &reset in &model.resets {
            all.extend(forward.iter().map(|&template| Self { template, reset: Some(reset), relaxed: false }));
        }
        all.extend(backward.into_iter().map(|template| Self { template, reset: None, relaxed: false }));
        let relaxed = |&reset| Self { template: Template::FpttWithGrad, reset: Some(reset), relaxed: true };
        all.extend(model.resets.iter().map(relaxed));
        all
    }

    /// Its name: `hard_reset_fptt_with_grad`.
    pub fn name(self) -> String {
        match (self.reset, self.relaxed) {
            (Some(reset), false) => format!("{}_reset_{}", reset.word(), self.template.name()),
            (Some(reset), true) => format!("{}_reset_relaxed", reset.word()),
            (None, _) => self.template.name().to_owned(),
        }
    }
}

/// In which format a buffer is stored; the same names as in the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The data's own format, which may be a half-precision one.
    Signal,
    /// The format of the arithmetic.
    State,
}

/// How many values a buffer has; the same names as in the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extent {
    /// One a step and neuron: `[T, N]`.
    Step,
    /// One a neuron: `[N]`.
    Neuron,
    /// As many as a parameter has: one, or one a channel, or one a neuron.
    Parameter,
}

/// What a buffer holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// An input, or its gradient.
    Input(String),
    /// The spike or what else leaves the neuron, or its gradient.
    Output,
    /// A state before the step, or its gradient.
    State(String),
    /// A state after the step, or its gradient.
    NextState(String),
    /// A kept factor.
    Factor(String),
    /// A parameter that may differ between neurons, or its gradient.
    Param(String),
}

/// An array that a template reads or writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// Its name in every interface.
    pub name: String,
    /// Its format.
    pub class: Class,
    /// How many values it has.
    pub extent: Extent,
    /// What it holds.
    pub content: Content,
}

/// The arrays of one template, in the order in which every interface takes them.
#[derive(Clone, Debug)]
pub struct Signature {
    /// The template.
    pub template: Template,
    /// Arrays read.
    pub inputs: Vec<Buffer>,
    /// Arrays written.
    pub outputs: Vec<Buffer>,
}

impl Signature {
    /// The arrays of `template`. The reset mode makes no difference.
    pub fn new(derived: &Derived, template: Template) -> Self {
        let multi = template.is_multi_step();
        let prefix = if template.is_backward() { "grad_" } else { "" };
        let signal = |name: &str, content| Buffer {
            name: format!("{prefix}{name}{}", if multi { "_seq" } else { "" }),
            class: Class::Signal,
            extent: if multi { Extent::Step } else { Extent::Neuron },
            content,
        };
        let state = |name: String, content| Buffer {
            name: format!("{prefix}{name}"),
            class: Class::State,
            extent: Extent::Neuron,
            content,
        };
        let model = &derived.model;
        let inputs =
            || model.inputs.iter().map(|i| signal(&i.name.to_string(), Content::Input(i.name.to_string())));
        let states =
            || model.states.iter().map(|s| state(s.name.to_string(), Content::State(s.name.to_string())));
        let next = || {
            let content = |s: &crate::model::State| Content::NextState(s.name.to_string());
            model.states.iter().map(move |s| state(format!("{}_next", s.name), content(s)))
        };
        let output = || [signal(model.output.name(), Content::Output)].into_iter();
        let factors = || {
            derived.kept().map(|factor| Buffer {
                name: factor.name.clone(),
                class: Class::State,
                extent: if multi { Extent::Step } else { Extent::Neuron },
                content: Content::Factor(factor.name.clone()),
            })
        };
        let param = |param: &Param, name: String| Buffer {
            name,
            class: Class::State,
            extent: Extent::Parameter,
            content: Content::Param(param.name.to_string()),
        };
        let arrays = || model.arrays().map(|p| param(p, p.name.to_string()));
        let grads = || model.learnables().map(|p| param(p, format!("grad_{}", p.name)));
        let (inputs, outputs) = match template {
            Template::Forward | Template::Fptt => {
                (inputs().chain(states()).chain(arrays()).collect(), output().chain(next()).collect())
            }
            Template::ForwardWithGrad | Template::FpttWithGrad => (
                inputs().chain(states()).chain(arrays()).collect(),
                output().chain(next()).chain(factors()).collect(),
            ),
            Template::Backward | Template::Bptt => (
                output().chain(next()).chain(factors()).chain(arrays()).collect(),
                inputs().chain(states()).chain(grads()).collect(),
            ),
        };
        Self { template, inputs, outputs }
    }

    /// All arrays, those read first.
    pub fn buffers(&self) -> impl Iterator<Item = &Buffer> {
        self.inputs.iter().chain(&self.outputs)
    }
}
