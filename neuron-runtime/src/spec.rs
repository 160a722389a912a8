//! A neuron as data: names, documentation, arrays. The macro generates one per neuron,
//! [`SPEC`](crate::DeclaredNeuron::SPEC), for code that works with any neuron.

mod cuda;

use std::fmt;

use neuron_abi::{Absent, Class, Extent, Lanes, ParamKind, Reset, Role, Template};

pub use cuda::{Cuda, Image, Print, Printed};

use crate::{Element, Error, Kind};

/// A real-valued parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParamSpec {
    /// Whether it is a scalar, and whether it has a gradient.
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
    /// Initial value as declared, an expression over the parameters.
    pub init: &'static str,
    /// Whether the initial value depends on an array parameter.
    pub varies: bool,
}

/// A named formula as text.
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

/// One array that a template reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BufferSpec {
    /// Name, as in the documentation of the template.
    pub name: &'static str,
    /// What it holds. Code goes by the role, not by the name. Indices refer to [`Spec::inputs`], [`Spec::states`],
    /// [`Spec::params`] and [`Spec::factors`].
    pub role: Role,
    /// Its format.
    pub class: Class,
    /// Its extent, which gives its length.
    pub extent: Extent,
}

impl BufferSpec {
    /// The kind of array that a call takes for it.
    pub fn kind(&self) -> Kind {
        match (self.extent, self.class) {
            (Extent::Parameter, _) => Kind::Parameter,
            (_, Class::Signal) => Kind::Signal,
            (_, Class::State) => Kind::State,
            (_, Class::Bits) => Kind::Bits,
        }
    }

    /// What a template does without it, or `None` if every call has it. A call leaves it out by passing an array without
    /// elements.
    pub fn absent(&self) -> Option<Absent> {
        // The other ones of these roles are in specifications written by hand.
        self.role.absent().filter(|_| (self.class, self.extent) == (Class::State, Extent::Neuron))
    }

    /// What a template does without it if an array of `length` elements means that it is left out.
    pub(crate) fn left_out(&self, length: usize) -> Option<Absent> {
        self.absent().filter(|_| length == 0)
    }

    /// The number of its elements, or `None` for a parameter.
    pub fn elements(&self, steps: usize, neurons: usize) -> Option<usize> {
        Some(self.extent.rows(steps)?.saturating_mul(self.class.columns(neurons)))
    }

    /// The number of its bytes for data of format `E`. Parameters, which may have any length, count as 0.
    pub fn bytes<E: Element>(&self, steps: usize, neurons: usize) -> usize {
        match self.extent.rows(steps) {
            Some(rows) => rows.saturating_mul(self.class.bytes(E::FORMAT, neurons)),
            None => 0,
        }
    }
}

/// The arrays of one template, in the order of every interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The template.
    pub template: Template,
    /// Arrays read.
    pub inputs: &'static [BufferSpec],
    /// Arrays written.
    pub outputs: &'static [BufferSpec],
    /// The number of neurons per GPU thread.
    pub lanes: Lanes,
}

impl Signature {
    /// The input with the given role.
    pub fn input(&self, role: Role) -> Option<&'static BufferSpec> {
        self.inputs.iter().find(|buffer| buffer.role == role)
    }

    /// The output with the given role.
    pub fn output(&self, role: Role) -> Option<&'static BufferSpec> {
        self.outputs.iter().find(|buffer| buffer.role == role)
    }
}

/// Everything about a neuron that does not depend on parameter values.
///
/// One can be written by hand; its neuron then runs on the CPU. Kernels for the GPU cannot be taken from another
/// specification, whose arrays may differ: see [`Cuda`].
#[derive(Debug, PartialEq)]
pub struct Spec {
    /// Name of the struct, `Lif`.
    pub name: &'static str,
    /// Name of the module with its buffers and kernels, `lif`; the prefix of its CUDA kernels.
    pub module: &'static str,
    /// Doc comment.
    pub doc: &'static str,
    /// The declaration as written between the braces of `neuron!`, without comments other than documentation.
    pub declaration: &'static str,
    /// Names of the inputs; `x` first.
    pub inputs: &'static [&'static str],
    /// States; `v` first.
    pub states: &'static [StateSpec],
    /// Real-valued parameters.
    pub params: &'static [ParamSpec],
    /// Boolean switches.
    pub flags: &'static [FlagSpec],
    /// The name of its output: `spike`, or `output` if it does not fire.
    pub output: &'static str,
    /// The declared reset modes; the first is the default.
    pub resets: &'static [Reset],
    /// For each of the resets, which of [`Spec::equations`] keeps a step from being affine in the states; `None` if a step is,
    /// so that sequences can be computed by a scan over time. See [`Spec::check_affine`].
    pub nonlinear: &'static [Option<usize>],
    /// Factors that the with-grad templates save for the backward ones, in order.
    pub factors: &'static [&'static str],
    /// The model's equations.
    pub equations: &'static [Equation],
    /// Its partial derivatives.
    pub derivatives: &'static [Equation],
    /// The arrays of each of its templates, in the order of [`Template::ALL`].
    pub signatures: &'static [Signature],
    /// Its kernels for the GPU.
    pub cuda: Cuda,
}

impl Spec {
    /// Its templates: all, except [`Template::PackedFptt`] if it does not fire.
    pub fn templates(&self) -> impl Iterator<Item = Template> + use<> {
        self.signatures.iter().map(|signature| signature.template)
    }

    /// The arrays of `template`.
    ///
    /// # Panics
    /// If it does not have that template; see [`Spec::check_template`].
    pub fn signature(&self, template: Template) -> &'static Signature {
        let signature = self.find(template);
        signature.unwrap_or_else(|| panic!("{} has no {template}: it does not fire", self.name))
    }

    /// Searches rather than indexes: a specification written by hand may have another order.
    fn find(&self, template: Template) -> Option<&'static Signature> {
        self.signatures.iter().find(|signature| signature.template == template)
    }

    /// Checks that it has `template`.
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

    /// The arrays of `template`, after checking what the executors rely on: the number of parameters, and that their
    /// gradients are the last outputs of backward templates. This holds for generated specifications, but they can also be
    /// written by hand.
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

    /// Checks that a step is affine in the states under `reset`, as a scan over time needs it.
    ///
    /// # Errors
    /// [`Error::NotAffine`]
    pub fn check_affine(&self, reset: Reset) -> Result<(), Error> {
        // A reset that was not declared is reported by what checks the neuron.
        let which = self.resets.iter().position(|declared| *declared == reset);
        match which.and_then(|which| *self.nonlinear.get(which)?).and_then(|place| self.equations.get(place))
        {
            Some(&Equation { name, expr }) => Err(Error::NotAffine { neuron: self.name, name, expr }),
            None => Ok(()),
        }
    }

    /// The parameters that may differ between neurons, in order.
    pub fn arrays(&self) -> impl Iterator<Item = &'static ParamSpec> + Clone + use<> {
        self.params.iter().filter(|param| param.kind != ParamKind::Scalar)
    }

    /// Whether [`Template::LeanBptt`] recomputes steps from the array with that role: a [`Role::Input`], or a
    /// [`Role::State`], which then has checkpoints.
    pub fn rereads(&self, role: Role) -> bool {
        self.signature(Template::LeanBptt).input(role).is_some()
    }

    /// The position of parameter `index` among [`Spec::arrays`], if it is one of them.
    pub fn array_place(&self, index: usize) -> Option<usize> {
        let is_array = |param: &&ParamSpec| param.kind != ParamKind::Scalar;
        self.params.get(index).filter(is_array)?;
        Some(self.params[..index].iter().filter(is_array).count())
    }

    /// The position of the parameter `name` among [`Spec::arrays`].
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

    /// The position of the state `name` among [`Spec::states`].
    ///
    /// # Errors
    /// [`Error::UnknownState`]
    pub fn state_index(&self, name: &str) -> Result<usize, Error> {
        self.states.iter().position(|state| state.name == name).ok_or_else(|| {
            let known = self.states.iter().map(|state| format!("`{}`", state.name)).collect::<Vec<_>>();
            Error::UnknownState { neuron: self.name, name: name.to_owned(), known: known.join(", ") }
        })
    }

    /// The parameters that have a gradient, in order.
    pub fn learnables(&self) -> impl Iterator<Item = &'static ParamSpec> + Clone + use<> {
        self.params.iter().filter(|param| param.kind == ParamKind::Learnable)
    }

    /// Whether it fires, rather than output a number in each step.
    pub fn fires(&self) -> bool {
        self.find(Template::PackedFptt).is_some()
    }
}
