//! Calls as part of candle's graph.
//!
//! Candle's operations take up to three tensors and return one. A call takes those of its tensors that need a gradient; if
//! there are too many, states and parameters are concatenated, and so are inputs. What it returns is several operations: the
//! output, and the next states, each as a function of the output. Candle's backward pass therefore gets to the states first.
//! They leave their gradients with the call, and the output computes the gradients of all arguments from all of them. In the
//! same way it leaves the gradient of an input for the statistics of that input, which are another operation ([`crate::moments`]).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{
    CpuStorage, CudaStorage, CustomOp1, CustomOp2, CustomOp3, Error, Layout, Result, Shape, Storage, Tensor,
};
use neuron_runtime::{Neuron, Role};

use crate::history::Anchor;
use crate::launch::{Neurons, Pass};
use crate::left::Left;
use crate::passes::{Arrays, Grads, backward, constant};

/// A call, with what its backward pass needs.
pub(crate) struct Recorded<N> {
    pub neurons: Neurons<N>,
    pub pass: Pass,
    /// Not part of the graph.
    pub arrays: Arrays,
    pub checkpoints: Vec<Option<Tensor>>,
    /// By argument: the gradients that its gradient consists of, and its shape.
    pub arguments: Vec<(Vec<Role>, Shape)>,
    /// Set by the backward pass: an optimiser may change parameters then.
    pub may_change: Option<Arc<AtomicBool>>,
    /// Gradients of next states, until candle gets to the output.
    pub grad_next: Left,
    /// Where the gradient of the first input goes, if that is another operation of the same input.
    pub grad_input: Option<Arc<Left>>,
}

/// A result that is already computed, for an operation to return.
pub(crate) struct Ready {
    storage: Mutex<Option<Storage>>,
    shape: Shape,
}

/// The output of a call.
pub(crate) struct Output<N> {
    pub call: Arc<Recorded<N>>,
    pub ready: Ready,
    /// An argument before the others, see [`crate::history`]; held until the call is freed.
    pub anchor: Option<Arc<Anchor>>,
}

/// A state after a call, as a function of the output.
pub(crate) struct NextState<N> {
    pub call: Arc<Recorded<N>>,
    pub index: usize,
    pub ready: Ready,
}

impl<N: Neuron> Recorded<N> {
    fn name(&self) -> &'static str {
        self.neurons.neuron.spec().name
    }

    /// The gradients of the arguments.
    fn grads(&self, grad_output: &Tensor) -> Result<Vec<Tensor>> {
        if let Some(may_change) = &self.may_change {
            may_change.store(true, Ordering::Relaxed);
        }
        let output = grad_output.contiguous()?;
        let next = self.grad_next.take(self.neurons.neuron.spec().states.len());
        let grads = Grads { output: &output, next: &next, checkpoints: &self.checkpoints };
        let (groups, shapes): (Vec<_>, Vec<_>) = self.arguments.iter().cloned().unzip();
        let results = backward(&self.neurons, &self.pass, &self.arrays, &grads, &groups)?;
        let grad = |(storage, shape): (Option<Storage>, Shape)| match storage {
            Some(storage) => Ok(constant(storage, shape)),
            None => Err(Error::Msg(format!("{}: an argument has no gradient", self.name()))),
        };
        results.into_iter().zip(shapes).map(grad).collect()
    }
}

impl Ready {
    pub fn new(storage: Storage, shape: impl Into<Shape>) -> Self {
        Self { storage: Mutex::new(Some(storage)), shape: shape.into() }
    }

    fn take(&self) -> Option<Storage> {
        self.storage.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn on_cpu(&self, name: &str) -> Result<(CpuStorage, Shape)> {
        match self.take() {
            Some(Storage::Cpu(storage)) => Ok((storage, self.shape.clone())),
            _ => Err(Error::Msg(format!("{name}: the result was already returned, or is not on the CPU"))),
        }
    }

    fn on_cuda(&self, name: &str) -> Result<(CudaStorage, Shape)> {
        match self.take() {
            Some(Storage::Cuda(storage)) => Ok((storage, self.shape.clone())),
            _ => Err(Error::Msg(format!("{name}: the result was already returned, or is not on a GPU"))),
        }
    }
}

impl<N: Neuron + Clone> Output<N> {
    /// As the result of an operation on `arguments`, of which there are one to three.
    pub fn apply(self, arguments: &[Tensor]) -> Result<Tensor> {
        match arguments {
            [first] => first.apply_op1(self),
            [first, second] => first.apply_op2(second, self),
            [first, second, third] => first.apply_op3(second, third, self),
            _ => {
                let message = format!("{}: an operation of {} arguments", self.call.name(), arguments.len());
                Err(Error::Msg(message))
            }
        }
    }

    /// The gradients of the arguments, but for one that is left for another operation.
    fn grads(
        &self,
        first: &Tensor,
        grad_output: &Tensor,
    ) -> Result<impl Iterator<Item = Option<Tensor>> + use<N>> {
        // Candle expects a gradient of everything that it finds, and may not find the anchor on another way.
        let anchor = self.anchor.as_ref().map(|_| first.zeros_like()).transpose()?;
        let mut grads: Vec<_> = self.call.grads(grad_output)?.into_iter().map(Some).collect();
        let is_input = |(roles, _): &(Vec<Role>, Shape)| roles == &[Role::GradInput(0)];
        if let Some(left) = &self.call.grad_input
            && let Some(index) = self.call.arguments.iter().position(is_input)
            && let Some(grad) = grads[index].take()
        {
            left.leave(0, grad);
        }
        Ok(anchor.map(Some).into_iter().chain(grads))
    }
}

macro_rules! returns_what_is_ready {
    ($($storage:ident),*) => {
        fn name(&self) -> &'static str {
            self.call.name()
        }

        fn cpu_fwd(&self, $($storage: &CpuStorage, _: &Layout),*) -> Result<(CpuStorage, Shape)> {
            self.ready.on_cpu(self.call.name())
        }

        fn cuda_fwd(&self, $($storage: &CudaStorage, _: &Layout),*) -> Result<(CudaStorage, Shape)> {
            self.ready.on_cuda(self.call.name())
        }
    };
}

impl<N: Neuron + Clone> CustomOp1 for Output<N> {
    returns_what_is_ready!(_first);

    fn bwd(&self, first: &Tensor, _output: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        Ok(self.grads(first, grad)?.next().flatten())
    }
}

impl<N: Neuron + Clone> CustomOp2 for Output<N> {
    returns_what_is_ready!(_first, _second);

    fn bwd(
        &self,
        first: &Tensor,
        _second: &Tensor,
        _output: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut grads = self.grads(first, grad)?;
        Ok((grads.next().flatten(), grads.next().flatten()))
    }
}

impl<N: Neuron + Clone> CustomOp3 for Output<N> {
    returns_what_is_ready!(_first, _second, _third);

    fn bwd(
        &self,
        first: &Tensor,
        _second: &Tensor,
        _third: &Tensor,
        _output: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let mut grads = self.grads(first, grad)?;
        let mut next = || grads.next().flatten();
        Ok((next(), next(), next()))
    }
}

impl<N: Neuron> CustomOp1 for NextState<N> {
    returns_what_is_ready!(_output);

    fn bwd(&self, output: &Tensor, _next: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        self.call.grad_next.leave(self.index, grad.contiguous()?);
        // So that candle goes on to the output, where nothing else may lead to it.
        Ok(Some(output.zeros_like()?))
    }
}
