//! Chooses what training saves, by the memory traffic that follows from the signatures.

use crate::{BufferSpec, Element, Role, Spec, Template};

/// What the forward pass of a training step saves for its backward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keep {
    /// The factors of the gradient in every step, as in the 2020 API: [`Template::FpttWithGrad`] and [`Template::Bptt`].
    Factors,
    /// The states before every 8th step except the first, hence nothing for up to 8 steps: [`Template::LeanFptt`] and
    /// [`Template::LeanBptt`]. The backward pass reads the inputs again and recomputes the steps.
    Checkpoints,
}

impl Keep {
    /// The templates of a forward and a backward pass over a sequence.
    pub const fn templates(self) -> [Template; 2] {
        match self {
            Self::Factors => [Template::FpttWithGrad, Template::Bptt],
            Self::Checkpoints => [Template::LeanFptt, Template::LeanBptt],
        }
    }
}

/// The memory traffic of one pass in bytes, counting every array once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes read.
    pub read: usize,
    /// Bytes written.
    pub written: usize,
}

impl Traffic {
    /// The traffic of one template over `steps` steps of `neurons` neurons, saturating at `usize::MAX`. Parameters, which may
    /// have any length, are not counted.
    ///
    /// # Panics
    /// If the neuron does not have that template; see [`Spec::check_template`].
    pub fn of<E: Element>(spec: &'static Spec, template: Template, steps: usize, neurons: usize) -> Self {
        let bytes = |buffers: &[BufferSpec]| sum(buffers.iter().map(|b| b.bytes::<E>(steps, neurons)));
        let signature = spec.signature(template);
        Self { read: bytes(signature.inputs), written: bytes(signature.outputs) }
    }

    /// All bytes.
    pub fn total(self) -> usize {
        self.read.saturating_add(self.written)
    }
}

/// A way to train, and its cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What the forward pass saves.
    pub keep: Keep,
    /// The traffic of the forward pass.
    pub forward: Traffic,
    /// The traffic of the backward pass.
    pub backward: Traffic,
    /// The bytes saved between the two, besides the caller's inputs and initial states.
    pub kept: usize,
}

impl Plan {
    /// The cost of training `steps` steps of `neurons` neurons with data of format `E`, saving `keep`.
    pub fn of<E: Element>(spec: &'static Spec, keep: Keep, steps: usize, neurons: usize) -> Self {
        let [forward, backward] = keep.templates();
        let kept = spec.signature(forward).outputs.iter().filter(|buffer| is_kept(buffer));
        let kept = sum(kept.map(|buffer| buffer.bytes::<E>(steps, neurons)));
        let traffic = |template| Traffic::of::<E>(spec, template, steps, neurons);
        Self { keep, forward: traffic(forward), backward: traffic(backward), kept }
    }
}

/// The way to train with the least memory traffic; if equal, the one that saves less.
pub fn plan<E: Element>(spec: &'static Spec, steps: usize, neurons: usize) -> Plan {
    let [lean, classical] =
        [Keep::Checkpoints, Keep::Factors].map(|keep| Plan::of::<E>(spec, keep, steps, neurons));
    let cost = |plan: Plan| (plan.forward.total().saturating_add(plan.backward.total()), plan.kept);
    if cost(classical) < cost(lean) { classical } else { lean }
}

/// The sum, saturating.
fn sum(bytes: impl Iterator<Item = usize>) -> usize {
    bytes.fold(0, usize::saturating_add)
}

/// Whether a forward template writes `buffer` for the backward pass only.
fn is_kept(buffer: &BufferSpec) -> bool {
    matches!(buffer.role, Role::Factor(_) | Role::Checkpoint(_))
}
