//! The names that users of the 2020 API know.

use crate::{If, Lif, MultiStep, MultiStepNode, Node, Plif, Step};

/// A layer of integrate-and-fire neurons with state.
pub type IFNode<E = f32> = Node<If, E>;

/// As [`IFNode`], for whole sequences.
pub type MultiStepIFNode<E = f32> = MultiStepNode<If, E>;

/// A layer of leaky integrate-and-fire neurons with state.
pub type LIFNode<E = f32> = Node<Lif, E>;

/// As [`LIFNode`], for whole sequences.
pub type MultiStepLIFNode<E = f32> = MultiStepNode<Lif, E>;

/// A layer of parametric leaky integrate-and-fire neurons with state.
pub type PLIFNode<E = f32> = Node<Plif, E>;

/// As [`PLIFNode`], for whole sequences.
pub type MultiStepPLIFNode<E = f32> = MultiStepNode<Plif, E>;

/// One step of integrate-and-fire neurons, as a forward and backward pass.
pub type IFStep = Step<If>;

/// A sequence of steps of integrate-and-fire neurons, as a forward and backward pass.
pub type IFMultiStep = MultiStep<If>;

/// One step of leaky integrate-and-fire neurons, as a forward and backward pass.
pub type LIFStep = Step<Lif>;

/// A sequence of steps of leaky integrate-and-fire neurons, as a forward and backward pass.
pub type LIFMultiStep = MultiStep<Lif>;
