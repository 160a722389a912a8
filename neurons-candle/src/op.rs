//! The two custom operations: a neuron's forward pass, and the backward pass of that.
//!
//! Candle's operations take up to three tensors and return one. So several inputs, and several states, come
//! in stacked, and results leave stacked: with `T` steps, `N` neurons, `I` inputs and `S` states,
//!
//! | | arguments | result |
//! | --- | --- | --- |
//! | [`Forward`] | inputs `[I T, N]`, states `[S, N]` | spikes and next states `[T + S, N]` |
//! | [`Backward`] | the same and the gradient of the result `[T + S, N]` | gradients of inputs and states `[I T + S, N]` |
//!
//! The backward pass is an operation too, rather than a loop over data in `bwd`, so that every device
//! implements both in the same way.

use candle_core::{CpuStorage, CustomOp2, CustomOp3, DType, Error, Layout, Result, Shape, Tensor};
use half::{bf16, f16};
use neuron_runtime::{Call, Device, Gradient, Neuron, Sink, Source, Template, cuda};

use crate::storage::{Array, Data};

/// Spikes and next states of a step or a sequence.
#[derive(Clone)]
pub(crate) struct Forward<N> {
    pub(crate) neuron: N,
    pub(crate) gradient: Gradient,
    pub(crate) multi_step: bool,
    /// Where the neurons are computed; the tensors are on the CPU.
    pub(crate) device: Device,
}

/// Gradients of inputs and initial states, from those of spikes and next states.
struct Backward<'a, N>(&'a Forward<N>);

/// The dimensions of a call, from those of its two arguments.
struct Dims {
    steps: usize,
    neurons: usize,
}

impl<N: Neuron> Forward<N> {
    fn dims(&self, inputs: &Layout, states: &Layout) -> Result<Dims> {
        let (rows, neurons) = inputs.shape().dims2()?;
        debug_assert_eq!(states.dims(), [N::SPEC.states.len(), neurons]);
        Ok(Dims { steps: rows / N::SPEC.inputs.len(), neurons })
    }

    /// Runs one template.
    fn run<'a, E: Data>(
        &self,
        template: Template,
        neurons: usize,
        inputs: &[Source<'a, E>],
        outputs: &mut [Sink<'a, E>],
    ) -> Result<()> {
        let call = Call { template, neurons, gradient: self.gradient, inputs, outputs };
        match &self.device {
            Device::Cpu => self.neuron.run(call).map_err(Error::wrap),
            Device::Cuda(device) => cuda::run(device, &self.neuron, call).map_err(Error::wrap),
        }
    }

    fn forward<E: Data>(&self, dims: &Dims, inputs: &[E], states: &[E::Float]) -> Result<Vec<E::Float>> {
        let &Dims { steps, neurons } = dims;
        let template = if self.multi_step { Template::Fptt } else { Template::Forward };
        let mut result = vec![E::Float::default(); (steps + N::SPEC.states.len()) * neurons];
        let (spikes, next) = result.split_at_mut(steps * neurons);
        E::write(spikes, |spikes| {
            let sources = sources(inputs, states, dims);
            let mut sinks = vec![Sink::Signal(spikes)];
            sinks.extend(next.chunks_exact_mut(neurons).map(Sink::State));
            self.run(template, neurons, &sources, &mut sinks)
        })?;
        Ok(result)
    }

    fn backward<E: Data>(
        &self,
        dims: &Dims,
        inputs: &[E],
        states: &[E::Float],
        grad_result: &[E::Float],
    ) -> Result<Vec<E::Float>> {
        let &Dims { steps, neurons } = dims;
        let (with_grad, backward) = if self.multi_step {
            (Template::FpttWithGrad, Template::Bptt)
        } else {
            (Template::ForwardWithGrad, Template::Backward)
        };

        let recomputed = N::SPEC.signature(with_grad).outputs;
        let mut recomputed: Vec<_> =
            recomputed.iter().map(|spec| Array::<E>::zeros(spec, steps, neurons)).collect();
        let mut sinks: Vec<_> = recomputed.iter_mut().map(Array::sink).collect();
        self.run(with_grad, neurons, &sources(inputs, states, dims), &mut sinks)?;
        // After spikes and next states come the factors that the backward template takes.
        let factors = recomputed.split_off(1 + N::SPEC.states.len());
        drop(recomputed);

        let mut result = vec![E::Float::default(); inputs.len() + states.len()];
        let (grad_inputs, grad_states) = result.split_at_mut(inputs.len());
        let (grad_spikes, grad_next) = grad_result.split_at(steps * neurons);
        E::read(grad_spikes, |grad_spikes| {
            E::write(grad_inputs, |grad_inputs| {
                let mut sources = vec![Source::Signal(grad_spikes)];
                sources.extend(grad_next.chunks_exact(neurons).map(Source::State));
                sources.extend(factors.iter().map(Array::source));
                let mut sinks: Vec<_> =
                    grad_inputs.chunks_exact_mut(steps * neurons).map(Sink::Signal).collect();
                sinks.extend(grad_states.chunks_exact_mut(neurons).map(Sink::State));
                self.run(backward, neurons, &sources, &mut sinks)
            })
        })?;
        Ok(result)
    }
}

/// What every forward template reads: inputs, then states.
fn sources<'a, E: Data>(inputs: &'a [E], states: &'a [E::Float], dims: &Dims) -> Vec<Source<'a, E>> {
    let inputs = inputs.chunks_exact(dims.steps * dims.neurons).map(Source::Signal);
    inputs.chain(states.chunks_exact(dims.neurons).map(Source::State)).collect()
}

/// The elements of a contiguous tensor.
fn elements<'a, T: candle_core::WithDType>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [T]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        return Err(Error::RequiresContiguous { op: "neuron" });
    };
    Ok(&T::cpu_storage_as_slice(storage)?[start..end])
}

fn to_storage<T: candle_core::WithDType>(values: Vec<T>, neurons: usize) -> (CpuStorage, Shape) {
    let shape = Shape::from((values.len() / neurons, neurons));
    (T::to_cpu_storage_owned(values), shape)
}

impl<N: Neuron> CustomOp2 for Forward<N> {
    fn name(&self) -> &'static str {
        N::SPEC.name
    }

    fn cpu_fwd(
        &self,
        inputs: &CpuStorage,
        inputs_layout: &Layout,
        states: &CpuStorage,
        states_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let dims = self.dims(inputs_layout, states_layout)?;
        macro_rules! forward {
            ($element:ty) => {{
                let inputs = elements::<$element>(inputs, inputs_layout)?;
                to_storage(self.forward(&dims, inputs, elements(states, states_layout)?)?, dims.neurons)
            }};
        }
        Ok(match inputs {
            CpuStorage::F32(_) => forward!(f32),
            CpuStorage::F64(_) => forward!(f64),
            CpuStorage::F16(_) => forward!(f16),
            CpuStorage::BF16(_) => forward!(bf16),
            other => return Err(unsupported(other, self.name())),
        })
    }

    fn bwd(
        &self,
        inputs: &Tensor,
        states: &Tensor,
        _result: &Tensor,
        grad_result: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grads = inputs.apply_op3_no_bwd(states, &grad_result.contiguous()?, &Backward(self))?;
        let rows = inputs.dim(0)?;
        // Candle would allocate and add up a gradient for a constant too.
        let grad_inputs = || grads.narrow(0, 0, rows)?.to_dtype(inputs.dtype());
        let grad_states = || grads.narrow(0, rows, states.dim(0)?);
        Ok((
            inputs.track_op().then(grad_inputs).transpose()?,
            states.track_op().then(grad_states).transpose()?,
        ))
    }
}

impl<N: Neuron> CustomOp3 for Backward<'_, N> {
    fn name(&self) -> &'static str {
        N::SPEC.name
    }

    fn cpu_fwd(
        &self,
        inputs: &CpuStorage,
        inputs_layout: &Layout,
        states: &CpuStorage,
        states_layout: &Layout,
        grad_result: &CpuStorage,
        grad_result_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let dims = self.0.dims(inputs_layout, states_layout)?;
        macro_rules! backward {
            ($element:ty) => {{
                let inputs = elements::<$element>(inputs, inputs_layout)?;
                let states = elements(states, states_layout)?;
                let grad_result = elements(grad_result, grad_result_layout)?;
                to_storage(self.0.backward(&dims, inputs, states, grad_result)?, dims.neurons)
            }};
        }
        Ok(match inputs {
            CpuStorage::F32(_) => backward!(f32),
            CpuStorage::F64(_) => backward!(f64),
            CpuStorage::F16(_) => backward!(f16),
            CpuStorage::BF16(_) => backward!(bf16),
            other => return Err(unsupported(other, CustomOp3::name(self))),
        })
    }
}

fn unsupported(storage: &CpuStorage, op: &'static str) -> Error {
    let dtype: DType = candle_core::backend::BackendStorage::dtype(storage);
    Error::UnsupportedDTypeForOp(dtype, op)
}
