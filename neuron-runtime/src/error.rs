//! Errors of calls.

use thiserror::Error;

use crate::{Kind, Reset, Template, Value};

/// Why a call was refused. Nothing has been written then.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum Error {
    /// Arrays of spikes and of bits that do not have the same rows.
    #[error(
        "expected {expected} words for {spikes} spikes of {neurons} neurons, whole rows of both; found {words} words"
    )]
    Bits {
        /// Neurons per row.
        neurons: usize,
        /// The number of spikes.
        spikes: usize,
        /// The number of words.
        words: usize,
        /// The number of words expected.
        expected: usize,
    },

    /// An array of another length than an operation on a GPU expects.
    #[error("{operation}: `{name}` has {actual} elements, {expected} expected")]
    Operand {
        /// The operation.
        operation: &'static str,
        /// The array.
        name: &'static str,
        /// The number of elements expected.
        expected: usize,
        /// The number of elements found.
        actual: usize,
    },

    /// Windows of maximum pooling that the kernels do not support.
    #[error(
        "max pooling: {axis} windows of {window} values with stride {stride} and padding {padding} in images of {size}; windows that fit, \
         of 256 values at most in both directions, a stride of at least 1 and padding of at most half a window expected"
    )]
    Window {
        /// `vertical` or `horizontal`.
        axis: &'static str,
        /// Values of the images.
        size: usize,
        /// Values of a window.
        window: usize,
        /// From a window to the next.
        stride: usize,
        /// Before the first value and after the last one.
        padding: usize,
    },

    /// A parameter is outside its declared range.
    #[error("{neuron}: parameter `{name}` is {value}, but must satisfy `{expected}`")]
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
    #[error("{neuron}: parameter `{name}` is {value}, but must be finite")]
    ParameterNotFinite {
        /// The neuron.
        neuron: &'static str,
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: f64,
    },

    /// A parameter is within its declared range, but leaves it when rounded to the format of the arithmetic.
    #[error(
        "{neuron}: parameter `{name}` is {value}, which rounds to {rounded} in {format}, but must satisfy `{expected}`"
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

    /// A parameter is finite, but overflows the format of the arithmetic.
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
    #[error("{neuron} has no parameter `{name}`; available: {known}")]
    UnknownParameter {
        /// The neuron.
        neuron: &'static str,
        /// The name asked for.
        name: String,
        /// The available names, or `none`.
        known: String,
    },

    /// An array for a scalar parameter.
    #[error(
        "{neuron}: parameter `{name}` is a scalar, the same for all neurons; parameters that can be arrays: {arrays}"
    )]
    ScalarParameter {
        /// The neuron.
        neuron: &'static str,
        /// The parameter.
        name: &'static str,
        /// The parameters that can be arrays, or `none`.
        arrays: String,
    },

    /// A number for a flag, or the reverse.
    #[error("{neuron}: expected a {expected} for `{name}`, found {actual}")]
    ParameterType {
        /// The neuron.
        neuron: &'static str,
        /// The parameter.
        name: String,
        /// `number` or `flag`.
        expected: &'static str,
        /// The value passed.
        actual: Value,
    },

    /// The neuron was not declared with that reset mode.
    #[error("{neuron} was not declared with reset `{}`; available: {declared}", .reset.keyword())]
    ResetNotDeclared {
        /// The neuron.
        neuron: &'static str,
        /// The reset asked for.
        reset: Reset,
        /// The declared resets.
        declared: String,
    },

    /// An initial state is left out, but differs between neurons.
    #[error(
        "{neuron} {template}: `{argument}` was left out, but its initial value depends on an array parameter; pass an array"
    )]
    InitialStateVaries {
        /// The neuron.
        neuron: &'static str,
        /// The template.
        template: Template,
        /// The state.
        argument: &'static str,
    },

    /// A parameter of a surrogate is outside its range.
    #[error("surrogate {surrogate}: `{name}` is {value}, but must satisfy `{expected}`")]
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
    #[error("surrogate {surrogate}: `{name}` is {value}, but must be finite")]
    SurrogateParameterNotFinite {
        /// The surrogate.
        surrogate: &'static str,
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: f64,
    },

    /// More values than the surrogate has parameters.
    #[error("surrogate {surrogate}: too many parameter values: expected at most {expected}, found {actual}")]
    SurrogateParameters {
        /// The surrogate.
        surrogate: &'static str,
        /// The number of its parameters.
        expected: usize,
        /// The number of values passed.
        actual: usize,
    },

    /// There is no surrogate of that name.
    #[error("unknown surrogate `{name}`; expected one of {known}")]
    UnknownSurrogate {
        /// The name asked for.
        name: String,
        /// The available names.
        known: String,
    },

    /// The 2020 API has no surrogate of that index.
    #[error("unknown surrogate index {index}; expected 0 (ATan) or 1 (Sigmoid)")]
    UnknownSurrogateIndex {
        /// The index asked for.
        index: u32,
    },

    /// A scan over time of a neuron whose step is not affine in its states.
    #[error("{neuron}: a scan needs a step that is affine in the states, and `{name} = {expr}` is not")]
    NotAffine {
        /// The neuron.
        neuron: &'static str,
        /// What the equation computes that is not.
        name: &'static str,
        /// Its right-hand side.
        expr: &'static str,
    },

    /// Bit-packed spikes of a neuron that does not fire.
    #[error("{neuron} has no {template}: it does not fire, and its output does not fit into a bit")]
    NoTemplate {
        /// The neuron.
        neuron: &'static str,
        /// The template.
        template: Template,
    },

    /// An inconsistent specification, which only one written by hand can be.
    #[error("{neuron} {template}: the {what} of the signature do not match the specification")]
    Signature {
        /// The neuron.
        neuron: &'static str,
        /// The template.
        template: Template,
        /// Which arrays are missing, superfluous or out of place, such as `parameters`.
        what: &'static str,
    },

    /// A parameter or flag of the specification for which [`Neuron::get`](crate::Neuron::get) returns nothing, or a
    /// value of the other type. Only implementations written by hand can do so.
    #[error("{neuron}: expected a {expected} as the value of `{name}`, found none")]
    NoValue {
        /// The neuron.
        neuron: &'static str,
        /// The parameter or flag.
        name: &'static str,
        /// `number` or `flag`.
        expected: &'static str,
    },

    /// A template that the relaxed model does not have.
    #[error("{neuron} {template}: the relaxed model only supports forward_with_grad and fptt_with_grad")]
    NotRelaxed {
        /// The neuron.
        neuron: &'static str,
        /// The template.
        template: Template,
    },

    /// The wrong number of arrays.
    #[error("{neuron} {template}: wrong number of {role} arrays: expected {expected}, found {actual}")]
    BufferCount {
        /// The neuron.
        neuron: &'static str,
        /// The template.
        template: Template,
        /// `input` or `output`.
        role: &'static str,
        /// The number in the signature.
        expected: usize,
        /// The number passed.
        actual: usize,
    },

    /// An array of the wrong class, such as a state where data is expected.
    #[error("{neuron} {template}: expected a {expected} array for `{argument}`, found a {actual} array")]
    BufferClass {
        /// The neuron.
        neuron: &'static str,
        /// The template.
        template: Template,
        /// The array.
        argument: &'static str,
        /// Its class in the signature.
        expected: Kind,
        /// The class of the array passed.
        actual: Kind,
    },

    /// Parameter values that cannot be distributed over the neurons.
    #[error(
        "{neuron}: parameter `{argument}` has {count} values, each for {inner} adjacent neurons: expected N to be a \
         multiple of {count} x {inner}, found {neurons}"
    )]
    ParameterLayout {
        /// The neuron.
        neuron: &'static str,
        /// The parameter.
        argument: &'static str,
        /// The number of its values.
        count: usize,
        /// The number of adjacent neurons that share a value.
        inner: usize,
        /// The number of neurons.
        neurons: usize,
    },

    /// An array of the wrong length.
    #[error(
        "{neuron} {template}: wrong length of `{argument}`: expected {expected} ({shape}), found {actual}"
    )]
    Length {
        /// The neuron.
        neuron: &'static str,
        /// The template.
        template: Template,
        /// The array.
        argument: &'static str,
        /// Its shape in words: `T = 3, N = 5`.
        shape: String,
        /// The expected number of elements.
        expected: usize,
        /// Its number of elements.
        actual: usize,
    },

    /// A sequence whose length is not a multiple of the number of neurons.
    #[error(
        "{neuron} {template}: wrong length of `{argument}`: expected a multiple of N = {neurons}, found {actual}"
    )]
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
    #[error("{neuron}: expected `{argument}` on {expected}, like the arrays before it, found it on {actual}")]
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

    /// An error of the GPU or its driver.
    #[error(transparent)]
    #[cfg(feature = "cuda")]
    Cuda(#[from] crate::cuda::CudaError),

    /// No neurons or no steps.
    #[error("{neuron} {template}: expected {what} to be at least 1, found 0")]
    Empty {
        /// The neuron.
        neuron: &'static str,
        /// The template.
        template: Template,
        /// `N` or `T`.
        what: &'static str,
    },

    /// An array whose shape does not match the others.
    #[error("{neuron}: expected shape {expected} for `{argument}`, found {actual:?}")]
    Shape {
        /// The neuron.
        neuron: &'static str,
        /// The array.
        argument: String,
        /// The expected shape, as text.
        expected: String,
        /// Its shape.
        actual: Vec<usize>,
    },

    /// Data whose length does not match its shape.
    #[error("wrong number of elements for shape {shape:?}: expected {expected}, found {actual}")]
    ArrayLength {
        /// The shape.
        shape: Vec<usize>,
        /// The product of its dimensions, as text.
        expected: String,
        /// The number of elements passed.
        actual: usize,
    },

    /// The wrong number of inputs, states or gradients.
    #[error("{neuron}: wrong number of {what}: expected {expected}, found {actual}")]
    Arity {
        /// The neuron.
        neuron: &'static str,
        /// What is counted, such as `inputs`.
        what: &'static str,
        /// The number that the neuron has.
        expected: usize,
        /// The number passed.
        actual: usize,
    },

    /// There is no state of that name.
    #[error("{neuron} has no state `{name}`; available: {known}")]
    UnknownState {
        /// The neuron.
        neuron: &'static str,
        /// The name asked for.
        name: String,
        /// The names of its states.
        known: String,
    },

    /// The gradient of a record that the forward pass did not make.
    #[error("{neuron}: the forward pass did not record `{name}`; recorded: {recorded}")]
    NotRecorded {
        /// The neuron.
        neuron: &'static str,
        /// The state.
        name: String,
        /// The recorded states, or `none`.
        recorded: String,
    },

    /// A number that is not a count of spikes.
    #[error("expected an integer from 0 to {levels} at {index:?}, found {value}")]
    SpikeCount {
        /// The largest count.
        levels: usize,
        /// Where it is in its array.
        index: Vec<usize>,
        /// The number.
        value: f64,
    },

    /// Counts of spikes that cannot be unrolled: no levels, or more elements than the machine can address.
    #[error("cannot unroll counts of shape {shape:?} into {levels} steps each: expected 1 to {most}")]
    Levels {
        /// The shape of the counts.
        shape: Vec<usize>,
        /// The number of levels.
        levels: usize,
        /// The largest number of levels for that shape.
        most: usize,
    },

    /// `backward` of a forward pass that the node did not keep.
    #[error(
        "{neuron}: backward of a forward pass that was dropped: the node keeps the last {kept}; to differentiate \
         several, call keep_passes before the first of them"
    )]
    PassDropped {
        /// The neuron.
        neuron: &'static str,
        /// How many passes the node keeps.
        kept: usize,
    },

    /// `backward` without a preceding `forward` in training mode.
    #[error(
        "{neuron}: backward without a saved forward pass; call forward in training mode once before each backward"
    )]
    NoContext {
        /// The neuron.
        neuron: &'static str,
    },
}
