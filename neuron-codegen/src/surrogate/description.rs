//! A surrogate as data, for the macro and the interpreter.

use super::Surrogate;
use super::function::Function;
use crate::description::text;
use crate::emit::cuda::{functions, math};
use crate::identifiers;
use crate::model::Param;

/// What the runtime knows of a surrogate, besides the values of its functions.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// Its name.
    pub name: String,
    /// Its doc comment.
    pub doc: String,
    /// Its parameters, in order of declaration.
    pub params: Vec<Parameter>,
    /// The primitive in the syntax of the language.
    pub primitive: String,
    /// The gradient in the syntax of the language.
    pub gradient: String,
    /// The gradient as a function of CUDA C++ called `NAME`.
    pub cuda: String,
    /// The functions that it calls, in CUDA C++.
    pub cuda_math: String,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its default.
    pub default: f64,
    /// Its valid range as declared; empty if every finite number is valid.
    pub range: String,
}

impl Description {
    /// Of a surrogate.
    pub fn new(surrogate: &Surrogate) -> Self {
        let gradient = Function::new(surrogate, surrogate.gradient, &surrogate.gradient_names);
        Self {
            name: identifiers::text(&surrogate.name),
            doc: text(&surrogate.doc),
            params: surrogate.params.iter().map(Parameter::new).collect(),
            primitive: surrogate.primitive_text(),
            gradient: surrogate.gradient_text(),
            cuda: gradient.cuda("NAME"),
            // A neuron's source has only those that its own kernels call.
            cuda_math: math(functions(&gradient.graph, [gradient.value])),
        }
    }
}

impl Parameter {
    fn new(param: &Param) -> Self {
        let conditions = param.conditions.iter().map(|condition| condition.text.as_str());
        Self {
            name: identifiers::text(&param.name),
            default: param.default,
            range: conditions.collect::<Vec<_>>().join(", "),
        }
    }
}
