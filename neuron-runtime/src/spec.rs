//! What a neuron is, as data: names, documentation, buffers. Generated once a neuron as
//! [`Neuron::SPEC`](crate::Neuron::SPEC) and read by everything that serves any neuron.

use std::fmt;

use crate::{Element, Error};

/// How the membrane potential is reset after a spike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reset {
    /// `V[t] = S[t] V_reset + (1 - S[t]) H[t]`
    Hard,
    /// `V[t] = H[t] - S[t] V_threshold`
    Soft,
    /// `V[t] = H[t]`
    None,
    /// As the declaration says: `update v = ...`
    Custom,
}

impl Reset {
    /// What its kernels' names begin with: `hard_reset_`.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Hard => "hard_reset_",
            Self::Soft => "soft_reset_",
            Self::None => "no_reset_",
            Self::Custom => "custom_reset_",
        }
    }
}

impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::None => "no",
            Self::Custom => "custom",
        })
    }
}

/// What a kernel computes. With the two resets, the first four are the eight forward templates of the
/// 2020 API; the next two, the gradients, do not depend on the reset mode, since the forward pass saved its effect.
/// The lean pair trains without saving anything of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Template {
    /// One step: inputs and states to spike and next states.
    Forward,
    /// A sequence of `T` steps ("forward pass through time").
    Fptt,
    /// One step, saving the factors that [`Template::Backward`] needs.
    ForwardWithGrad,
    /// A sequence, saving the factors that [`Template::Bptt`] needs.
    FpttWithGrad,
    /// Gradients of one step.
    Backward,
    /// Gradients of a sequence: back-propagation through time.
    Bptt,
    /// A sequence, saving no more than the states before every [`STEPS`](crate::STEPS)th step.
    LeanFptt,
    /// As [`Template::Bptt`], from the inputs and what [`Template::LeanFptt`] has saved: it computes the steps
    /// again. The same gradients, bit for bit.
    LeanBptt,
    /// As [`Template::Fptt`], with the membrane potential after every step.
    FpttWithV,
    /// As [`Template::Fptt`], with spikes of one bit: [`Class::Bits`]. Only of neurons that fire.
    PackedFptt,
}

impl Template {
    /// All templates.
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

    /// Its name, without the reset.
    pub const fn name(self) -> &'static str {
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

    /// Whether it runs over a sequence rather than one step.
    pub const fn is_multi_step(self) -> bool {
        !matches!(self, Self::Forward | Self::ForwardWithGrad | Self::Backward)
    }

    /// Whether it computes gradients, and so goes backward in time.
    pub const fn is_backward(self) -> bool {
        matches!(self, Self::Backward | Self::Bptt | Self::LeanBptt)
    }

    /// Whether its kernel depends on the reset mode. [`Template::Backward`] and [`Template::Bptt`] find the
    /// effect of the reset in what the forward pass saved.
    pub const fn resets(self) -> bool {
        !matches!(self, Self::Backward | Self::Bptt)
    }

    /// Whether it differentiates spikes, and so reads the [`Gradient`](crate::Gradient) of a call.
    pub const fn takes_gradient(self) -> bool {
        matches!(self, Self::ForwardWithGrad | Self::FpttWithGrad | Self::LeanBptt)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What values a parameter has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParamKind {
    /// One number, the same for all neurons.
    Scalar,
    /// One number for all neurons, or one a channel or a neuron.
    Array,
    /// As [`ParamKind::Array`], with a gradient.
    Learnable,
}

/// A real-valued parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParamSpec {
    /// What values it has.
    pub kind: ParamKind,
    /// Field name.
    pub name: &'static str,
    /// Doc comment.
    pub doc: &'static str,
    /// Default value.
    pub default: f64,
    /// Valid range as declared, such as `tau > 1.0`; empty if every finite number is valid.
    pub range: &'static str,
}

/// A boolean switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlagSpec {
    /// Field name.
    pub name: &'static str,
    /// Doc comment.
    pub doc: &'static str,
    /// Default value.
    pub default: bool,
}

/// A state variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateSpec {
    /// Name; the first state is always `v`.
    pub name: &'static str,
    /// Doc comment.
    pub doc: &'static str,
    /// Initial value as declared, over the parameters.
    pub init: &'static str,
    /// Whether that depends on a parameter that may differ between neurons.
    pub varies: bool,
}

/// A named formula, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Equation {
    /// Left-hand side.
    pub name: &'static str,
    /// Right-hand side, in the syntax of the DSL.
    pub expr: &'static str,
}

impl fmt::Display for Equation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.name, self.expr)
    }
}

/// In which format a buffer is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The data's own format: inputs, spikes and their gradients. May be a half-precision one.
    Signal,
    /// The format of the arithmetic: states, their gradients, factors kept for the backward pass.
    State,
    /// One bit a neuron, in words of 32 bits, `u32`: that of neuron `n` is bit `n % 32`, the lowest being bit 0, of
    /// word `n / 32` of a step. Bits beyond the last neuron are 0.
    Bits,
}

impl Class {
    /// Bytes of so many neighbours in this format, of data of format `E`.
    pub const fn bytes<E: Element>(self, neurons: usize) -> usize {
        match self {
            Self::Signal => neurons.saturating_mul(size_of::<E>()),
            Self::State => neurons.saturating_mul(size_of::<E::Real>()),
            Self::Bits => neurons.div_ceil(WORD).saturating_mul(size_of::<u32>()),
        }
    }

    /// Elements of a row of so many neurons.
    pub const fn columns(self, neurons: usize) -> usize {
        match self {
            Self::Signal | Self::State => neurons,
            Self::Bits => neurons.div_ceil(WORD),
        }
    }
}

/// Bits of a word of [`Class::Bits`].
pub(crate) const WORD: usize = u32::BITS as usize;

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signal => "signal",
            Self::State => "state",
            Self::Bits => "bits",
        })
    }
}

/// How many values a buffer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extent {
    /// One a step and neuron: `[T, N]`.
    Step,
    /// One a neuron: `[N]`.
    Neuron,
    /// One a neuron before every [`STEPS`](crate::STEPS)th step but the first: `[(T - 1) / 8, N]`, so none up to
    /// `T = 8`.
    Checkpoint,
    /// As many as a parameter has: one, or one a channel or a neuron; see
    /// [`Parameter`](crate::Parameter).
    Parameter,
}

impl Extent {
    /// Rows of such an array over so many steps: the others have as many elements as neurons in each. `None` for
    /// a parameter.
    pub(crate) fn rows(self, steps: usize) -> Option<usize> {
        match self {
            Self::Step => Some(steps),
            Self::Neuron => Some(1),
            Self::Checkpoint => Some(steps.saturating_sub(1) / crate::STEPS),
            Self::Parameter => None,
        }
    }
}

/// What an array is to a neuron. Indices are places in [`Spec::inputs`], [`Spec::states`] and [`Spec::params`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// An input.
    Input(usize),
    /// The loss gradient of an input.
    GradInput(usize),
    /// The spike, or what else leaves the neuron.
    Output,
    /// The loss gradient of that.
    GradOutput,
    /// A state before the first step.
    State(usize),
    /// The loss gradient of that.
    GradState(usize),
    /// A state after the last step.
    NextState(usize),
    /// The loss gradient of that.
    GradNextState(usize),
    /// A state before every [`STEPS`](crate::STEPS)th step but the first.
    Checkpoint(usize),
    /// The membrane potential after every step.
    Trace,
    /// A derivative that the forward pass saves for the backward pass; in the order of [`Spec::factors`].
    Factor,
    /// A parameter that may differ between neurons.
    Param(usize),
    /// The loss gradient of a learnable parameter.
    GradParam(usize),
}

/// One array that a template reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BufferSpec {
    /// Name, as in the documentation of the template.
    pub name: &'static str,
    /// What it is. A name says that to people only.
    pub role: Role,
    /// Its format.
    pub class: Class,
    /// How many values it has.
    pub extent: Extent,
}

impl BufferSpec {
    /// Elements of such an array, or `None` for a parameter.
    pub fn elements(&self, steps: usize, neurons: usize) -> Option<usize> {
        Some(self.extent.rows(steps)?.saturating_mul(self.class.columns(neurons)))
    }

    /// Bytes of such an array for data of format `E`. Parameters, of which there may be any number, count as none.
    pub fn bytes<E: Element>(&self, steps: usize, neurons: usize) -> usize {
        self.extent.rows(steps).unwrap_or(0).saturating_mul(self.class.bytes::<E>(neurons))
    }
}

/// The arrays of one template, in the order in which every interface takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The template.
    pub template: Template,
    /// Arrays read.
    pub inputs: &'static [BufferSpec],
    /// Arrays written.
    pub outputs: &'static [BufferSpec],
    /// Neurons that a thread of its kernel on a GPU computes.
    pub lanes: Lanes,
}

/// Neurons that a thread of a kernel on a GPU computes, by the format of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lanes {
    /// In float64.
    pub double: usize,
    /// In float32.
    pub single: usize,
    /// In float16 and bfloat16.
    pub half: usize,
}

impl Lanes {
    /// In format `E`.
    pub const fn of<E: Element>(self) -> usize {
        match size_of::<E>() {
            8 => self.double,
            4 => self.single,
            _ => self.half,
        }
    }
}

/// A neuron's kernels for the GPU: all templates, in CUDA C++ and compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Cuda {
    /// Source of all kernels, complete: it includes nothing. Which of the four data formats it is compiled
    /// for is chosen by defining `F32`, `F64`, `F16` or `BF16`.
    pub source: &'static str,
    /// What was compiled when the crate was built. Empty if it was built without a CUDA compiler.
    pub images: &'static [Image],
}

// The texts are thousands of lines, which have no place in a message.
impl fmt::Debug for Cuda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = format_args!("{} bytes", self.source.len());
        f.debug_struct("Cuda").field("source", &source).field("images", &self.images).finish()
    }
}

/// A neuron's kernels compiled for one data format and one architecture.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Image {
    /// The data's format: `f32`, `f64`, `f16` or `bf16`.
    pub format: &'static str,
    /// What it was compiled for: `sm_90`, a cubin for GPUs of that architecture, or `compute_80`, PTX that the
    /// driver compiles for any later one.
    pub target: &'static str,
    /// The image, as a frame of LZ4 with its length and a checksum. PTX ends with a zero, as the driver takes it.
    pub compressed: &'static [u8],
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Image({} {}, {} bytes compressed)", self.format, self.target, self.compressed.len())
    }
}

/// Everything about a neuron that does not depend on parameter values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spec {
    /// Name of the struct, `Lif`.
    pub name: &'static str,
    /// Name of the module with its buffers and kernels, `lif`; the prefix of its CUDA kernels.
    pub module: &'static str,
    /// Doc comment.
    pub doc: &'static str,
    /// What is between the braces of `neuron!`, as it was written, without comments that are not documentation.
    pub declaration: &'static str,
    /// Names of the inputs; `x` first.
    pub inputs: &'static [&'static str],
    /// States; `v` first.
    pub states: &'static [StateSpec],
    /// Real-valued parameters.
    pub params: &'static [ParamSpec],
    /// Boolean switches.
    pub flags: &'static [FlagSpec],
    /// What leaves it: `spike`, or `output` if it does not fire.
    pub output: &'static str,
    /// Reset modes that it was declared with.
    pub resets: &'static [Reset],
    /// Factors that the with-grad templates save for the backward ones, in order.
    pub factors: &'static [&'static str],
    /// The model's equations.
    pub equations: &'static [Equation],
    /// Its partial derivatives.
    pub derivatives: &'static [Equation],
    /// The arrays of each template that it has, in the order of [`Template::ALL`].
    pub signatures: &'static [Signature],
    /// Its kernels for the GPU.
    pub cuda: &'static Cuda,
}

impl Spec {
    /// The templates that it has: all, but for [`Template::PackedFptt`] if it does not fire.
    pub fn templates(&self) -> impl Iterator<Item = Template> + use<> {
        self.signatures.iter().map(|signature| signature.template)
    }

    /// The arrays of `template`.
    ///
    /// # Panics
    /// If it does not have that template; [`Spec::check_template`] finds out.
    pub fn signature(&self, template: Template) -> &'static Signature {
        let signature = self.find(template);
        signature.unwrap_or_else(|| panic!("{} has no {template}: it does not fire", self.name))
    }

    /// Not by its place, which a specification written by hand may have wrong.
    fn find(&self, template: Template) -> Option<&'static Signature> {
        self.signatures.iter().find(|signature| signature.template == template)
    }

    /// Whether it has `template`.
    ///
    /// # Errors
    /// [`Error::NoTemplate`]
    pub fn check_template(&self, template: Template) -> Result<(), Error> {
        if self.find(template).is_some() {
            Ok(())
        } else {
            Err(Error::NoTemplate { neuron: self.name, template })
        }
    }

    /// The arrays of `template`, after a check of what the executors rely on: that arrays of parameters are as many as
    /// the neuron has, and that their gradients are the last outputs of backward templates, in order. It is so in all
    /// that is generated; a specification can also be written by hand.
    ///
    /// # Errors
    /// [`Error::NoTemplate`], [`Error::Signature`]
    pub(crate) fn checked_signature(&self, template: Template) -> Result<&'static Signature, Error> {
        let Some(signature) = self.find(template) else {
            return Err(Error::NoTemplate { neuron: self.name, template });
        };
        let is_parameter = |buffer: &BufferSpec| buffer.extent == Extent::Parameter;
        let inputs = signature.inputs.iter().filter(|buffer| is_parameter(buffer)).count();
        let gradients = if template.is_backward() { self.learnables().count() } else { 0 };
        let wrong = |what| Err(Error::Signature { neuron: self.name, template, what });
        if inputs != self.arrays().count() {
            return wrong("parameters");
        }
        let outputs = signature.outputs;
        let Some(first) = outputs.len().checked_sub(gradients) else {
            return wrong("gradients of parameters");
        };
        if outputs.iter().enumerate().any(|(at, buffer)| is_parameter(buffer) != (at >= first)) {
            return wrong("gradients of parameters");
        }
        Ok(signature)
    }

    /// The parameters that may differ between neurons, in order.
    pub fn arrays(&self) -> impl Iterator<Item = &'static ParamSpec> + Clone + use<> {
        self.params.iter().filter(|param| param.kind != ParamKind::Scalar)
    }

    /// Whether [`Template::LeanBptt`] computes the steps again from the input called `name`.
    pub fn rereads_input(&self, name: &str) -> bool {
        self.rereads(|role| matches!(role, Role::Input(index) if self.inputs[index] == name))
    }

    /// Whether [`Template::LeanBptt`] computes the steps again from the state called `name`; if so, there are
    /// checkpoints of it.
    pub fn rereads_state(&self, name: &str) -> bool {
        self.rereads(|role| matches!(role, Role::State(index) if self.states[index].name == name))
    }

    fn rereads(&self, is_meant: impl Fn(Role) -> bool) -> bool {
        self.signature(Template::LeanBptt).inputs.iter().any(|buffer| is_meant(buffer.role))
    }

    /// The place of the parameter called `name` among [`Spec::arrays`].
    ///
    /// # Errors
    /// [`Error::ScalarParameter`], [`Error::UnknownParameter`]
    pub fn array_index(&self, name: &str) -> Result<usize, Error> {
        self.arrays().position(|param| param.name == name).ok_or_else(|| {
            let arrays: Vec<_> = self.arrays().map(|param| format!("`{}`", param.name)).collect();
            let arrays = if arrays.is_empty() { "none".to_owned() } else { arrays.join(", ") };
            match self.params.iter().find(|param| param.name == name) {
                Some(param) => Error::ScalarParameter { neuron: self.name, name: param.name, arrays },
                None => Error::UnknownParameter { neuron: self.name, name: name.to_owned(), known: arrays },
            }
        })
    }

    /// The parameters that have a gradient, in order.
    pub fn learnables(&self) -> impl Iterator<Item = &'static ParamSpec> + Clone + use<> {
        self.params.iter().filter(|param| param.kind == ParamKind::Learnable)
    }

    /// Whether it fires, rather than give a number in each step.
    pub fn fires(&self) -> bool {
        self.output == "spike"
    }
}
