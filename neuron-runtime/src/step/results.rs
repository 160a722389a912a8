//! What forward and backward passes return.

use crate::{Array, Element, PackedSpikes, Real};

/// What a forward pass returns.
#[derive(Clone, Debug, PartialEq)]
pub struct Stepped<E: Element> {
    /// Spikes, 0 or 1, in the shape of the inputs; for a neuron that does not fire, its output.
    pub spike: Array<E>,
    /// States after the last step, `v` first.
    pub states: Vec<Array<E::Real>>,
}

/// What a forward pass with bit-packed spikes returns.
#[derive(Clone, Debug, PartialEq)]
pub struct PackedStepped<R: Real> {
    /// Spikes, in the shape of the inputs.
    pub spike: PackedSpikes,
    /// States after the last step, `v` first.
    pub states: Vec<Array<R>>,
}

/// Recorded states after every step, `[T, ...]` each.
pub type Records<E> = Vec<Array<<E as Element>::Real>>;

/// What a backward pass returns.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients<E: Element> {
    /// Gradients of the inputs, in order.
    pub inputs: Vec<Array<E>>,
    /// Gradients of the states before the first step, `v` first.
    pub states: Vec<Array<E::Real>>,
    /// Gradients of the learnable parameters, in order and in the shapes of the parameters.
    pub parameters: Vec<Array<E::Real>>,
}
