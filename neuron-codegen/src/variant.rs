//! Which kernel: names, look-ups and signatures all derive from a [`Variant`].

use crate::gradient::{Derived, Recomputed};
use crate::interface::Content;
use crate::model::{Model, ParamKind, Reset};

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
    /// A sequence, keeping the states every [`STEPS`] steps.
    LeanFptt,
    /// Gradients of a sequence, whose steps are computed again from these.
    LeanBptt,
    /// A sequence, with the membrane potential after every step.
    FpttWithV,
    /// A sequence, whose spikes are bits. Neurons that do not fire have none.
    PackedFptt,
}

/// Steps from one checkpoint of the lean templates to the next, and that a thread of a GPU has in flight.
pub const STEPS: usize = 8;

impl Template {
    /// All templates, in the runtime's order.
    pub const ALL: [Self; 10] = [
        Self::Forward,
        Self::Fptt,
        Self::ForwardWithGrad,
        Self::FpttWithGrad,
        Self::Backward,
        Self::Bptt,
        Self::LeanFptt,
        Self::LeanBptt,
        Self::FpttWithV,
        Self::PackedFptt,
    ];

    /// Those of a neuron, in the runtime's order.
    pub fn of(model: &Model) -> impl Iterator<Item = Self> + use<> {
        let fires = model.threshold().is_some();
        Self::ALL.into_iter().filter(move |&template| fires || template != Self::PackedFptt)
    }

    /// Its name in CamelCase: that of the runtime's variant and of the struct of its buffers.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Forward => "Forward",
            Self::Fptt => "Fptt",
            Self::ForwardWithGrad => "ForwardWithGrad",
            Self::FpttWithGrad => "FpttWithGrad",
            Self::Backward => "Backward",
            Self::Bptt => "Bptt",
            Self::LeanFptt => "LeanFptt",
            Self::LeanBptt => "LeanBptt",
            Self::FpttWithV => "FpttWithV",
            Self::PackedFptt => "PackedFptt",
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
            Self::LeanFptt => "lean_fptt",
            Self::LeanBptt => "lean_bptt",
            Self::FpttWithV => "fptt_with_v",
            Self::PackedFptt => "packed_fptt",
        }
    }

    /// Whether it runs over a sequence.
    pub fn is_multi_step(self) -> bool {
        !matches!(self, Self::Forward | Self::ForwardWithGrad | Self::Backward)
    }

    /// Whether it goes forward in time and keeps factors.
    pub fn is_with_grad(self) -> bool {
        matches!(self, Self::ForwardWithGrad | Self::FpttWithGrad)
    }

    /// Whether it computes gradients, and so goes backward in time.
    pub fn is_backward(self) -> bool {
        matches!(self, Self::Backward | Self::Bptt | Self::LeanBptt)
    }

    /// Whether it computes what depends on the reset mode: all but the gradients that find that in factors.
    pub fn resets(self) -> bool {
        !matches!(self, Self::Backward | Self::Bptt)
    }

    /// Whether it differentiates spikes.
    pub fn takes_gradient(self) -> bool {
        self.is_with_grad() || self == Self::LeanBptt
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
            Self::LeanFptt => "a sequence of steps, keeping the states of every 8th for `lean_bptt`",
            Self::LeanBptt => "gradients of a sequence, computing the steps again from what `lean_fptt` kept",
            Self::FpttWithV => "a sequence of steps, with the membrane potential after each",
            Self::PackedFptt => "a sequence of steps, with spikes of one bit",
        }
    }
}

/// One kernel of a neuron.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Variant {
    /// What it computes.
    pub template: Template,
    /// The reset mode. `backward` and `bptt` read its effect from the factors and have none.
    pub reset: Option<Reset>,
    /// Whether it is of the relaxed model, whose spike is the surrogate's primitive.
    pub relaxed: bool,
}

impl Variant {
    /// The kernels of `model`: the templates under each reset, the gradients, then the relaxed model.
    pub fn all(model: &Model) -> Vec<Self> {
        let (by_reset, of_all): (Vec<_>, Vec<_>) =
            Template::of(model).partition(|template| template.resets());
        let mut all = Vec::new();
        for &reset in &model.resets {
            all.extend(by_reset.iter().map(|&template| Self {
                template,
                reset: Some(reset),
                relaxed: false,
            }));
        }
        all.extend(of_all.into_iter().map(|template| Self { template, reset: None, relaxed: false }));
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
    /// One bit a neuron, in words of 32.
    Bits,
}

/// How many values a buffer has; the same names as in the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extent {
    /// One a step and neuron: `[T, N]`.
    Step,
    /// One a neuron: `[N]`.
    Neuron,
    /// One a neuron and checkpoint: `[(T - 1) / 8, N]`.
    Checkpoint,
    /// As many as a parameter has: one, or one a channel, or one a neuron.
    Parameter,
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
    /// Neurons that a thread of a GPU computes.
    pub lanes: Lanes,
}

/// Neurons that a thread of a GPU computes; how many that are depends on the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lanes {
    /// One.
    One,
    /// Two, all that they need being in registers; one in float64.
    Pair,
    /// As many as move eight bytes at once.
    Wide,
    /// One at a time, and as many as move four bytes at once.
    Turns,
}

impl Lanes {
    /// Its name in CUDA C++.
    pub fn name(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::Pair => "PAIR",
            Self::Wide => "WIDE",
            Self::Turns => "TURNS",
        }
    }

    /// How many in float64, in float32 and in a half-precision format.
    pub fn counts(self) -> [usize; 3] {
        match self {
            Self::One => [1, 1, 1],
            Self::Pair => [1, 2, 2],
            Self::Wide => [1, 2, 4],
            Self::Turns => [1, 1, 2],
        }
    }
}

/// Registers that the neurons of a thread may take: what is in flight of each array, and what stays for all steps.
const REGISTERS: usize = 88;

/// Arrays of which a block of threads may keep eight steps in shared memory, 48 KiB.
const STAGES: usize = 6;

impl Signature {
    /// The arrays of `template`. The reset mode makes no difference.
    pub fn new(derived: &Derived, template: Template) -> Self {
        let model = &derived.model;
        let recomputed = derived.recomputed();
        let is_multi = template.is_multi_step();
        let per_step = if is_multi { Extent::Step } else { Extent::Neuron };
        let buffer = |class, extent, content| Buffer {
            name: match content {
                Content::Factor(index) => derived.factors[index].name.clone(),
                content => derived.interface.name(content, is_multi).to_owned(),
            },
            class,
            extent,
            content,
        };
        let (inputs_of, states_of) = (model.inputs.len(), model.states.len());
        let signals = |count: usize, content: fn(usize) -> Content| {
            (0..count).map(move |index| buffer(Class::Signal, per_step, content(index)))
        };
        let states = |content: fn(usize) -> Content| {
            (0..states_of).map(move |index| buffer(Class::State, Extent::Neuron, content(index)))
        };
        let params = |kinds: &'static [ParamKind], content: fn(usize) -> Content| {
            let params = model.params.iter().enumerate().filter(|(_, param)| kinds.contains(&param.kind));
            params.map(move |(index, _)| buffer(Class::State, Extent::Parameter, content(index)))
        };
        let output = |content| [buffer(Class::Signal, per_step, content)].into_iter();
        let checkpoints = || {
            let states = recomputed.states.iter();
            states.map(|&index| buffer(Class::State, Extent::Checkpoint, Content::Checkpoint(index)))
        };
        let factors = || {
            let kept = derived.factors.iter().enumerate().filter(|(_, factor)| factor.kept);
            kept.map(|(index, _)| buffer(Class::State, per_step, Content::Factor(index)))
        };
        let arrays = || params(&[ParamKind::Array, ParamKind::Learnable], Content::Param);

        let forward = || signals(inputs_of, Content::Input).chain(states(Content::State)).chain(arrays());
        let results = || output(Content::Output).chain(states(Content::NextState));
        let gradients = || {
            signals(inputs_of, Content::GradInput)
                .chain(states(Content::GradState))
                .chain(params(&[ParamKind::Learnable], Content::GradParam))
        };
        let grad_output = || output(Content::GradOutput);
        let grad_next = || states(Content::GradNextState);
        let (inputs, outputs): (Vec<Buffer>, Vec<Buffer>) = match template {
            Template::Forward | Template::Fptt => (forward().collect(), results().collect()),
            Template::ForwardWithGrad | Template::FpttWithGrad => {
                (forward().collect(), results().chain(factors()).collect())
            }
            Template::FpttWithV => {
                let trace = buffer(Class::State, Extent::Step, Content::Trace);
                (forward().collect(), results().chain([trace]).collect())
            }
            Template::PackedFptt => {
                let name = derived.interface.bits().to_owned();
                let packed =
                    Buffer { name, class: Class::Bits, ..buffer(Class::Signal, per_step, Content::Output) };
                (forward().collect(), [packed].into_iter().chain(states(Content::NextState)).collect())
            }
            Template::LeanFptt => (forward().collect(), results().chain(checkpoints()).collect()),
            Template::Backward | Template::Bptt => {
                let inputs = grad_output().chain(grad_next()).chain(factors()).chain(arrays());
                (inputs.collect(), gradients().collect())
            }
            Template::LeanBptt => {
                let is_read = |buffer: &Buffer| recomputed.reads(buffer.content);
                let inputs = signals(inputs_of, Content::Input).filter(is_read).chain(grad_output());
                let inputs = inputs.chain(states(Content::State).filter(is_read)).chain(checkpoints());
                (inputs.chain(grad_next()).chain(arrays()).collect(), gradients().collect())
            }
        };
        let mut signature = Self { template, inputs, outputs, lanes: Lanes::One };
        signature.lanes = match template {
            // Steps that are computed twice have so much between loads and stores that more threads are worth more.
            Template::LeanBptt if signature.stages() <= STAGES => Lanes::Turns,
            Template::LeanBptt => Lanes::One,
            Template::Fptt | Template::LeanFptt if signature.fits(4) => Lanes::Wide,
            _ if signature.fits(2) => Lanes::Pair,
            _ => Lanes::One,
        };
        signature
    }

    /// How many arrays have a value of the data's format for every step.
    fn stages(&self) -> usize {
        self.buffers().filter(|buffer| buffer.extent == Extent::Step).count()
    }

    /// Whether a thread of a GPU has registers for so many neurons.
    pub(crate) fn fits(&self, neurons: usize) -> bool {
        let registers = |buffer: &Buffer| match buffer.extent {
            Extent::Step => STEPS,
            Extent::Neuron | Extent::Parameter => 1,
            Extent::Checkpoint => 0,
        };
        neurons * self.buffers().map(registers).sum::<usize>() <= REGISTERS
    }

    /// All arrays, those read first.
    pub fn buffers(&self) -> impl Iterator<Item = &Buffer> {
        self.inputs.iter().chain(&self.outputs)
    }
}

impl Recomputed {
    /// Whether the backward pass of the lean templates reads the array with this content.
    fn reads(&self, content: Content) -> bool {
        match content {
            Content::Input(index) => self.inputs.contains(&index),
            Content::State(index) => self.states.contains(&index),
            _ => true,
        }
    }
}
