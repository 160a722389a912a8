//! The arguments of a kernel.

use std::fmt;

use crate::gradient::Derived;
use crate::kernel::Program;
use crate::model::ParamKind;
use crate::variant::{Class, Extent};

/// One argument of a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its type in the source: `acc_t`, `const scalar_t *__restrict__`.
    pub format: &'static str,
    /// Its name in the source.
    pub name: String,
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.format, self.name)
    }
}

/// Arguments, in the order in which the runtime passes them: all scalar parameters, all flags, the
/// surrogate, initial values of states, sizes, arrays.
pub fn arguments(derived: &Derived, program: &Program) -> Vec<Argument> {
    let mut arguments = Vec::new();
    let mut add = |format, name: String| arguments.push(Argument { format, name });
    let params = derived.model.params.iter().enumerate();
    for (index, _) in params.filter(|(_, param)| param.kind == ParamKind::Scalar) {
        add("acc_t", derived.interface.param(index).to_owned());
    }
    for index in 0..derived.model.flags.len() {
        add("bool", derived.interface.flag(index).to_owned());
    }
    // Of all kernels that differentiate, whether they read it or not, so that the runtime need not ask.
    if program.variant.template.takes_gradient() {
        add("SurrogateGradient", "gradient".into());
    }
    for (_, name) in &program.initial {
        add("acc_t", name.clone());
    }
    if program.variant.template.is_multi_step() {
        add("u64", "steps".into());
    }
    add("u64", "neurons".into());
    if program.adds_up() {
        add("u64", "columns".into());
    }
    let mut names = program.arguments.iter().cloned();
    let mut name = || names.next().expect("every array is an argument");
    for buffer in &program.signature.inputs {
        let format = match (buffer.extent, buffer.class) {
            (Extent::Parameter, _) => "ParamArray",
            (_, Class::Signal) => "const scalar_t *__restrict__",
            (_, Class::State) => "const acc_t *__restrict__",
            (_, Class::Bits) => "const u32 *__restrict__",
        };
        add(format, name());
    }
    for buffer in &program.signature.outputs {
        let format = match (buffer.extent, buffer.class) {
            // Of `acc_t` or `double`; see `GradientSum`.
            (Extent::Parameter, _) => "void *__restrict__",
            (_, Class::Signal) => "scalar_t *__restrict__",
            (_, Class::State) => "acc_t *__restrict__",
            (_, Class::Bits) => "u32 *__restrict__",
        };
        add(format, name());
    }
    arguments
}
