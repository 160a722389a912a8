//! A template with the arrays that it reads and writes, whatever the device: which tensor each array of the signature is, and
//! what memory is allocated for results.

use candle_core::{DType, Device, Storage, Tensor};
use neuron_runtime::{BufferSpec, Gradient, Kind, Layout, Neuron, Role, Spec, Template};

use crate::{Error, cpu};

/// Neurons, and how they are to be computed.
#[derive(Clone, Debug)]
pub(crate) struct Neurons<N> {
    pub neuron: N,
    pub gradient: Gradient,
    /// Where the neurons are computed if the tensors are on the CPU.
    pub device: neuron_runtime::Device,
    #[cfg(feature = "cuda")]
    pub kernels: crate::cuda::Kernels,
}

impl<N> Neurons<N> {
    pub fn new(neuron: N, gradient: Gradient) -> Self {
        Self {
            neuron,
            gradient,
            device: neuron_runtime::Device::Cpu,
            #[cfg(feature = "cuda")]
            kernels: Default::default(),
        }
    }
}

/// The sizes of a step or a sequence.
#[derive(Clone, Debug)]
pub(crate) struct Pass {
    pub multi_step: bool,
    /// The format of inputs and output.
    pub dtype: DType,
    /// `T`
    pub steps: usize,
    /// `N`
    pub count: usize,
    /// How the values of each array parameter are distributed over neurons.
    pub layouts: Vec<Layout>,
}

/// A call of one template. Arrays are in the order of its signature; those that are left out are `None`.
pub(crate) struct Launch<'a> {
    /// What the neuron returned when the arrays were chosen.
    pub spec: &'static Spec,
    pub template: Template,
    pub pass: &'a Pass,
    /// Contiguous, with as many elements as the signature says.
    pub inputs: Vec<Option<&'a Tensor>>,
    pub outputs: Vec<Option<Place>>,
    pub blocks: Vec<Block>,
}

/// Memory that is allocated for results, one behind the other in the order of the signature, which fill it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Block {
    /// Whether it is in the format of the data, rather than in that of the states.
    pub is_signal: bool,
    pub len: usize,
}

/// The block that a result is written to, and its length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub block: usize,
    pub len: usize,
}

impl<'a> Launch<'a> {
    /// `input` is what the template reads, by role, and `block` which of the first `blocks` blocks it writes to. A result
    /// that is in none of these is left out, or goes to a further block if the template cannot do without.
    pub fn new(
        spec: &'static Spec,
        pass: &'a Pass,
        template: Template,
        input: impl Fn(Role) -> Option<&'a Tensor>,
        blocks: usize,
        block: impl Fn(Role) -> Option<usize>,
    ) -> Self {
        let signature = spec.signature(template);
        let inputs = signature.inputs.iter().map(|buffer| input(buffer.role)).collect();
        let mut blocks = vec![Block::default(); blocks];
        let mut outputs = Vec::with_capacity(signature.outputs.len());
        for buffer in signature.outputs {
            let (len, wanted) = (pass.len_of(spec, buffer), block(buffer.role));
            if len == 0 || (wanted.is_none() && buffer.absent().is_some()) {
                outputs.push(None);
                continue;
            }
            let block = wanted.unwrap_or(blocks.len());
            if block == blocks.len() {
                blocks.push(Block::default());
            }
            blocks[block].is_signal = buffer.kind() == Kind::Signal;
            blocks[block].len += len;
            outputs.push(Some(Place { block, len }));
        }
        Self { spec, template, pass, inputs, outputs, blocks }
    }

    /// Runs it on the device of its inputs; returns the memory of each block that is not empty.
    pub fn run<N: Neuron>(&self, neurons: &Neurons<N>) -> Result<Vec<Option<Storage>>, Error> {
        let name = self.spec.name;
        let mut inputs = self.inputs.iter().flatten();
        let device = inputs.next().map_or(&Device::Cpu, |first| first.device());
        if let Some(other) = inputs.find(|other| !other.device().same_device(device)) {
            let (lhs, rhs) = (device.location(), other.device().location());
            return Err(candle_core::Error::DeviceMismatchBinaryOp { lhs, rhs, op: name }.into());
        }
        match device {
            Device::Cpu => cpu::run(neurons, self),
            #[cfg(feature = "cuda")]
            Device::Cuda(device) => crate::cuda::run(neurons, self, device),
            other => {
                let message = format!("{name}: no implementation for {:?}", other.location());
                Err(candle_core::Error::Msg(message).into())
            }
        }
    }
}

impl Pass {
    /// The number of elements of an array of a template.
    fn len_of(&self, spec: &'static Spec, buffer: &BufferSpec) -> usize {
        match buffer.role {
            Role::GradParam(index) => spec.array_place(index).map_or(0, |place| self.layouts[place].count),
            _ => buffer.elements(self.steps, self.count).unwrap_or(0),
        }
    }
}
