//! What can be wrong with a call.

use thiserror::Error;

use crate::{Kind, Reset, Template, Value};

/// What was wrong with a call. Nothing has been written then.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter is outside its declared range.
    #[error("{neuron}: parameter `{name}` is {value}, but has to meet `{expected}`")]
    ParameterRange {
        /// The neuron.
        neuron: &'static str,
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The condition as declared.
        expected: &'static str,
    },

    /// A parameter is NaN or infinite.
    #[error("{neuron}: parameter `{name}` is {value}, but has to be finite")]
    ParameterNotFinite {
        /// The neuron.
        neuron: &'static str,
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: f64,
    },

    /// A parameter is within its declared range, but not so as the number that it is in the format of the arithmetic.
    #[error(
        "{neuron}: parameter `{name}` is {value}, which is {rounded} in {format}, but has to meet `{expected}`"
    )]
    ParameterRounded {
        /// The neuron.
        neuron: &'static str,
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: f64,
        /// Its value in that format.
        rounded: f64,
        /// The format: `f32`.
        format: &'static str,
        /// The condition as declared.
        expected: &'static str,
    },

    /// A parameter is finite, but not so in the format of the arithmetic.
    #[error("{neuron}: parameter `{name}` is {value}, which is too large for {format}")]
    ParameterTooLarge {
        /// The neuron.
        neuron: &'static str,
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The format: `f32`.
        format: &'static str,
    },

    /// There is no parameter of that name.
    #[error("{neuron} has no parameter `{name}`; its parameters are {known}")]
    UnknownParameter {
        /// The neuron.
        neuron: &'static str,
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },

    /// An array for a parameter that is one number.
    #[error(
        "{neuron}: parameter `{name}` is one number, the same for all neurons; those that may differ between \
         neurons are {arrays}"
    )]
    ScalarParameter {
        /// The neuron.
        neuron: &'static str,
        /// The parameter.
        name: &'static str,
        /// Those that may, or `none`.
        arrays: String,
    },

    /// A number for a flag, or the reverse.
    #[error("{neuron}: `{name}` is a {expected}, but {actual:?} was given")]
    ParameterType {
        /// The neuron.
        neuron: &'static str,
        /// The parameter.
        name: String,
        /// `number` or `flag`.
        expected: &'static str,
        /// What was given.
        actual: Value,
    },

    /// The neuron was not declared with that reset mode.
    #[error("{neuron} has no {reset} reset; it was declared with {declared} reset")]
    ResetNotDeclared {
        /// The neuron.
        neuron: &'static str,
        /// The reset asked for.
        reset: Reset,
        /// The resets there are.
        declared: String,
    },

    /// A parameter of a surrogate is outside its range.
    #[error("surrogate {surrogate}: `{name}` is {value}, but has to meet `{expected}`")]
    SurrogateParameter {
        /// The surrogate.
        surrogate: &'static str,
        /// The parameter.
        name: &'static str,
        /// The condition as declared.
        expected: &'static str,
        /// Its value.
        value: f64,
    },

    /// A parameter of a surrogate is NaN or infinite, in the format of the arithmetic.
    #[error("surrogate {surrogate}: `{name}` is {value}, but has to be finite")]
    SurrogateParameterNotFinite {
        /// The surrogate.
        surrogate: &'static str,
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: f64,
    },

    /// More values than the surrogate has parameters.
    #[error("surrogate {surrogate} has {expected} parameters, but {actual} values were given")]
    SurrogateParameters {
        /// The surrogate.
        surrogate: &'static str,
        /// How many it has.
        expected: usize,
        /// How many were given.
        actual: usize,
    },

    /// There is no surrogate of that name.
    #[error("unknown surrogate `{name}`; known are {known}")]
    UnknownSurrogate {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },

    /// The 2020 API has no surrogate of that index.
    #[error("unknown surrogate index {index}: 0 is ATan, 1 is Sigmoid")]
    UnknownSurrogateIndex {
        /// The index asked for.
        index: u32,
    },

    /// Spikes of one bit, of a neuron that does not fire.
    #[error("{neuron} has no {template}: it does not fire, and what it gives does not fit into a bit")]
    NoTemplate {
        /// The neuron.
        neuron: &'static str,
        /// The template.
        template: Template,
    },

    /// A specification that contradicts itself. None that is generated does.
    #[error("{neuron} {template}: the arrays for {what} in the signature are not those that the neuron has")]
    Signature {
        /// The neuron.
        neuron: &'static str,
        /// The template.
        template: Template,
        /// What arrays are missing, too many or out of place: `parameters`, say.
        what: &'static str,
    },

    /// A parameter or flag of the specification that [`Neuron::get`](crate::Neuron::get) does not know, or knows as
    /// something else. With a neuron that is generated this does not happen.
    #[error("{neuron}: the {expected} `{name}` is declared, but has no value")]
    NoValue {
        /// The neuron.
        neuron: &'static str,
        /// The parameter or flag.
        name: &'static str,
        /// `number` or `flag`.
        expected: &'static str,
    },

    /// The relaxed model of a template that has none.
    #[error("{neuron} {template}: the relaxed model has only forward_with_grad and fptt_with_grad")]
    NotRelaxed {
        /// The neuron.
        neuron: &'static str,
        /// The template.
        template: Template,
    },

    /// Too many or too few arrays.
    #[error("{neuron} {template}: {expected} {role} arrays expected, {actual} given")]
    BufferCount {
        /// The neuron.
        neuron: &'static str,
        /// The template.
        template: Template,
        /// `input` or `output`.
        role: &'static str,
        /// How many the template has.
        expected: usize,
        /// How many were given.
        actual: usize,
    },

    /// An array in the format of states where one in the data's format belongs, or the reverse.
    #[error("{neuron} {template}: `{argument}` is a {expected} array, but a {actual} array was given")]
    BufferClass {
        /// The neuron.
        neuron: &'static str,
        /// The template.
        template: Template,
        /// The array.
        argument: &'static str,
        /// What it is.
        expected: Kind,
        /// What was given.
        actual: Kind,
    },

    /// Values of a parameter that cannot be distributed over the neurons.
    #[error(
        "{neuron}: parameter `{argument}` has {count} values, each for {inner} neurons next to each other; \
         N = {neurons} is not a multiple of {count} x {inner}"
    )]
    ParameterLayout {
        /// The neuron.
        neuron: &'static str,
        /// The parameter.
        argument: &'static str,
        /// How many values it has.
        count: usize,
        /// How many neurons next to each other have the same.
        inner: usize,
        /// The number of neurons.
        neurons: usize,
    },

    /// An array of the wrong length.
    #[error("{neuron} {template}: `{argument}` has {actual} elements, {expected} expected ({shape})")]
    Length {
        /// The neuron.
        neuron: &'static str,
        /// The template.
        template: Template,
        /// The array.
        argument: &'static str,
        /// Its shape in words: `T = 3, N = 5`.
        shape: String,
        /// How long it has to be.
        expected: usize,
        /// How long it is.
        actual: usize,
    },

    /// A sequence whose length is not a multiple of the number of neurons.
    #[error("{neuron} {template}: `{argument}` has {actual} elements, a multiple of N = {neurons} expected")]
    NotAMultiple {
        /// The neuron.
        neuron: &'static str,
        /// The template.
        template: Template,
        /// The array.
        argument: &'static str,
        /// The number of neurons.
        neurons: usize,
        /// Its length.
        actual: usize,
    },

    /// Arrays of one call on different devices.
    #[error("{neuron}: `{argument}` is on {actual}, but the arrays before it are on {expected}")]
    Device {
        /// The neuron.
        neuron: &'static str,
        /// The array.
        argument: &'static str,
        /// The device of the arrays before it.
        expected: String,
        /// Its device.
        actual: String,
    },

    /// Something went wrong on the way to a GPU.
    #[error(transparent)]
    #[cfg(feature = "cuda")]
    Cuda(#[from] crate::cuda::CudaError),

    /// No neurons or no steps.
    #[error("{neuron} {template}: {what} is 0, at least 1 expected")]
    Empty {
        /// The neuron.
        neuron: &'static str,
        /// The template.
        template: Template,
        /// `N` or `T`.
        what: &'static str,
    },

    /// An array whose shape does not fit the others'.
    #[error("{neuron}: `{argument}` has shape {actual:?}, {expected} expected")]
    Shape {
        /// The neuron.
        neuron: &'static str,
        /// The array.
        argument: String,
        /// The shape it has to have, in words.
        expected: String,
        /// Its shape.
        actual: Vec<usize>,
    },

    /// Data that does not fill its shape.
    #[error("an array of shape {shape:?} has {expected} elements, {actual} given")]
    ArrayLength {
        /// The shape.
        shape: Vec<usize>,
        /// The product of its dimensions, if that is a number.
        expected: String,
        /// How many elements were given.
        actual: usize,
    },

    /// Too many or too few inputs, states or gradients.
    #[error("{neuron}: {expected} {what} expected, {actual} given")]
    Arity {
        /// The neuron.
        neuron: &'static str,
        /// What was given.
        what: &'static str,
        /// How many it has.
        expected: usize,
        /// How many were given.
        actual: usize,
    },

    /// `backward` without a `forward` in training mode before it.
    #[error("{neuron}: backward needs a forward pass in training mode before it, one for each backward")]
    NoContext {
        /// The neuron.
        neuron: &'static str,
    },
}
