//! Which kernel: names, look-ups and signatures all derive from a [`Variant`].

use neuron_abi::kernel;
pub use neuron_abi::{Absent, Class, Extent, STEPS, Template};

use crate::gradient::{Derived, Recomputed};
use crate::interface::Role;
use crate::model::{Model, ParamKind, Reset};

/// The templates of a neuron, in the order of [`Template::ALL`].
pub fn templates(model: &Model) -> impl Iterator<Item = Template> + use<> {
    let fires = model.fires_bits();
    Template::ALL.into_iter().filter(move |template| fires || !template.needs_spikes())
}

/// What a template does, for documentation.
pub fn title(template: Template) -> &'static str {
    match template {
        Template::Forward => "one step",
        Template::Fptt => "a sequence of steps",
        Template::ForwardWithGrad => "one step, with the factors that `backward` needs",
        Template::FpttWithGrad => "a sequence of steps, with the factors that `bptt` needs",
        Template::Backward => "gradients of one step",
        Template::Bptt => "gradients of a sequence: back-propagation through time",
        Template::LeanFptt => "a sequence of steps, checkpointing the states every 8 steps for `lean_bptt`",
        Template::LeanBptt => {
            "gradients of a sequence, recomputing the steps from the checkpoints of `lean_fptt`"
        }
        Template::FpttWithV => "a sequence of steps, with the membrane potential after each",
        Template::PackedFptt => "a sequence of steps, with spikes packed into bits",
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
        let (by_reset, of_all): (Vec<_>, Vec<_>) = templates(model).partition(|template| template.resets());
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
            (Some(reset), false) => kernel::name(self.template, reset),
            (Some(reset), true) => format!("{}relaxed", reset.prefix()),
            (None, _) => self.template.name().to_owned(),
        }
    }
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
    /// What it is to the neuron.
    pub role: Role,
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
        let model = &derived.model;
        let recomputed = derived.recomputed();
        let is_multi = template.is_multi_step();
        let per_step = if is_multi { Extent::Step } else { Extent::Neuron };
        let buffer = |class, extent, role| Buffer {
            name: match role {
                Role::Factor(index) => derived.kept_factor(index).name.clone(),
                role => derived.interface.name(role, is_multi).to_owned(),
            },
            class,
            extent,
            role,
        };
        let (inputs_of, states_of) = (model.inputs.len(), model.states.len());
        let signals = |count: usize, role: fn(usize) -> Role| {
            (0..count).map(move |index| buffer(Class::Signal, per_step, role(index)))
        };
        let states = |role: fn(usize) -> Role| {
            (0..states_of).map(move |index| buffer(Class::State, Extent::Neuron, role(index)))
        };
        let params = |kinds: &'static [ParamKind], role: fn(usize) -> Role| {
            let params = model.params.iter().enumerate().filter(|(_, param)| kinds.contains(&param.kind));
            params.map(move |(index, _)| buffer(Class::State, Extent::Parameter, role(index)))
        };
        let output = |role| [buffer(Class::Signal, per_step, role)].into_iter();
        let checkpoints = || {
            let states = recomputed.states.iter();
            states.map(|&index| buffer(Class::State, Extent::Checkpoint, Role::Checkpoint(index)))
        };
        let factors =
            || (0..derived.kept().count()).map(|index| buffer(Class::State, per_step, Role::Factor(index)));
        let arrays = || params(&[ParamKind::Array, ParamKind::Learnable], Role::Param);

        let forward = || signals(inputs_of, Role::Input).chain(states(Role::State)).chain(arrays());
        let results = || output(Role::Output).chain(states(Role::NextState));
        let gradients = || {
            signals(inputs_of, Role::GradInput)
                .chain(states(Role::GradState))
                .chain(params(&[ParamKind::Learnable], Role::GradParam))
        };
        let grad_output = || output(Role::GradOutput);
        let grad_next = || states(Role::GradNextState);
        let (inputs, outputs): (Vec<Buffer>, Vec<Buffer>) = match template {
            Template::Forward | Template::Fptt => (forward().collect(), results().collect()),
            Template::ForwardWithGrad | Template::FpttWithGrad => {
                (forward().collect(), results().chain(factors()).collect())
            }
            Template::FpttWithV => {
                let trace = buffer(Class::State, Extent::Step, Role::Trace);
                (forward().collect(), results().chain([trace]).collect())
            }
            Template::PackedFptt => {
                let name = derived.interface.bits().to_owned();
                let packed =
                    Buffer { name, class: Class::Bits, ..buffer(Class::Signal, per_step, Role::Output) };
                (forward().collect(), [packed].into_iter().chain(states(Role::NextState)).collect())
            }
            Template::LeanFptt => (forward().collect(), results().chain(checkpoints()).collect()),
            Template::Backward | Template::Bptt => {
                let inputs = grad_output().chain(grad_next()).chain(factors()).chain(arrays());
                (inputs.collect(), gradients().collect())
            }
            Template::LeanBptt => {
                let is_read = |buffer: &Buffer| recomputed.reads(buffer.role);
                let inputs = signals(inputs_of, Role::Input).filter(is_read).chain(grad_output());
                let inputs = inputs.chain(states(Role::State).filter(is_read)).chain(checkpoints());
                (inputs.chain(grad_next()).chain(arrays()).collect(), gradients().collect())
            }
        };
        Self { template, inputs, outputs }
    }

    /// The gradients of parameters that it returns.
    pub fn sums(&self) -> impl Iterator<Item = &Buffer> {
        self.outputs.iter().filter(|buffer| buffer.extent == Extent::Parameter)
    }

    /// All arrays, those read first.
    pub fn buffers(&self) -> impl Iterator<Item = &Buffer> {
        self.inputs.iter().chain(&self.outputs)
    }
}

impl Recomputed {
    /// Whether the backward pass of the lean templates reads the array of that role.
    fn reads(&self, role: Role) -> bool {
        match role {
            Role::Input(index) => self.inputs.contains(&index),
            Role::State(index) => self.states.contains(&index),
            _ => true,
        }
    }
}
