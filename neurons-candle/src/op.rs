//! The two custom operations: a neuron's forward pass, and the backward pass of that.
//!
//! Candle's operations take up to three tensors and return one. So everything in the format of the data comes in one
//! flat tensor, and everything in the format of the arithmetic in another. With `T` steps, `N` neurons, `I` inputs, `S`
//! states and `P` values of parameters that may differ between neurons,
//!
//! | | arguments | result |
//! | --- | --- | --- |
//! | [`Forward`] | inputs `[I T N]`, states and parameters `[S N + P]` | output and next states `[T N + S N]` |
//! | [`Backward`] | the same and the gradient of the result | gradients of the arguments `[I T N + S N + P]` |
//!
//! The backward pass is an operation too, rather than a loop over data in `bwd`, so that every device
//! implements both in the same way.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp2, CustomOp3, DType, Error, Layout, Result, Shape, Tensor, WithDType};
use half::{bf16, f16};
use neuron_runtime::Neuron;

use crate::history::Anchor;
use crate::passes::Passes;

/// Output and next states of a step or a sequence.
pub(crate) struct Forward<N>(pub(crate) Passes<N>);

/// Gradients of inputs, initial states and parameters, from those of output and next states.
struct Backward<'a, N>(&'a Passes<N>);

impl<N: Neuron + Clone> CustomOp2 for Forward<N> {
    fn name(&self) -> &'static str {
        self.0.neurons.neuron.spec().name
    }

    fn cpu_fwd(
        &self,
        inputs: &CpuStorage,
        inputs_layout: &Layout,
        reals: &CpuStorage,
        reals_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        macro_rules! forward {
            ($element:ty) => {{
                let inputs = elements::<$element>(inputs, inputs_layout)?;
                let reals = elements(reals, reals_layout)?;
                Ok(to_storage(self.0.forward(inputs, reals).map_err(Error::wrap)?))
            }};
        }
        match inputs {
            CpuStorage::F32(_) => forward!(f32),
            CpuStorage::F64(_) => forward!(f64),
            CpuStorage::F16(_) => forward!(f16),
            CpuStorage::BF16(_) => forward!(bf16),
            other => Err(unsupported(other, self.name())),
        }
    }

    fn bwd(
        &self,
        inputs: &Tensor,
        reals: &Tensor,
        _result: &Tensor,
        grad_result: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grads = inputs.apply_op3_no_bwd(reals, &grad_result.contiguous()?, &Backward(&self.0))?;
        let (first, second) = (inputs.elem_count(), reals.elem_count());
        // Candle would allocate and add up a gradient for a constant too.
        let grad_inputs = || grads.narrow(0, 0, first)?.to_dtype(inputs.dtype());
        let grad_reals = || grads.narrow(0, first, second);
        Ok((inputs.track_op().then(grad_inputs).transpose()?, reals.track_op().then(grad_reals).transpose()?))
    }
}

/// [`Forward`] with an anchor as another argument, before the others; see [`crate::history`].
pub(crate) struct Anchored<N> {
    pub(crate) forward: Forward<N>,
    /// Held until the call is freed.
    pub(crate) _anchor: Arc<Anchor>,
}

impl<N: Neuron + Clone> CustomOp3 for Anchored<N> {
    fn name(&self) -> &'static str {
        self.forward.name()
    }

    fn cpu_fwd(
        &self,
        _anchor: &CpuStorage,
        _anchor_layout: &Layout,
        inputs: &CpuStorage,
        inputs_layout: &Layout,
        reals: &CpuStorage,
        reals_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward.cpu_fwd(inputs, inputs_layout, reals, reals_layout)
    }

    fn bwd(
        &self,
        anchor: &Tensor,
        inputs: &Tensor,
        reals: &Tensor,
        result: &Tensor,
        grad_result: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (grad_inputs, grad_reals) = self.forward.bwd(inputs, reals, result, grad_result)?;
        // Candle expects a gradient of everything that it finds, and may not find the anchor on another way.
        Ok((Some(anchor.zeros_like()?), grad_inputs, grad_reals))
    }
}

impl<N: Neuron + Clone> CustomOp3 for Backward<'_, N> {
    fn name(&self) -> &'static str {
        self.0.neurons.neuron.spec().name
    }

    fn cpu_fwd(
        &self,
        inputs: &CpuStorage,
        inputs_layout: &Layout,
        reals: &CpuStorage,
        reals_layout: &Layout,
        grad_result: &CpuStorage,
        grad_result_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        macro_rules! backward {
            ($element:ty) => {{
                let inputs = elements::<$element>(inputs, inputs_layout)?;
                let reals = elements(reals, reals_layout)?;
                let grad_result = elements(grad_result, grad_result_layout)?;
                Ok(to_storage(self.0.backward(inputs, reals, grad_result).map_err(Error::wrap)?))
            }};
        }
        match inputs {
            CpuStorage::F32(_) => backward!(f32),
            CpuStorage::F64(_) => backward!(f64),
            CpuStorage::F16(_) => backward!(f16),
            CpuStorage::BF16(_) => backward!(bf16),
            other => Err(unsupported(other, CustomOp3::name(self))),
        }
    }
}

/// The elements of a contiguous tensor.
pub(crate) fn elements<'a, T: WithDType>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [T]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        return Err(Error::RequiresContiguous { op: "neuron" });
    };
    Ok(&T::cpu_storage_as_slice(storage)?[start..end])
}

/// A flat tensor.
pub(crate) fn to_storage<T: WithDType>(values: Vec<T>) -> (CpuStorage, Shape) {
    let shape = Shape::from(values.len());
    (T::to_cpu_storage_owned(values), shape)
}

pub(crate) fn unsupported(storage: &CpuStorage, op: &'static str) -> Error {
    let dtype: DType = candle_core::backend::BackendStorage::dtype(storage);
    Error::UnsupportedDTypeForOp(dtype, op)
}
