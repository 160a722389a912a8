//! Initial states that depend on parameters, as an operation that is differentiable with respect to these.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Error, Layout, Result, Shape, Tensor, WithDType};
use neuron_runtime::{Neuron, ParamKind, Parameter, Real, initial_grads, initial_states};

use crate::cpu::slice;

/// Values of parameters `[P]` to states `[S N]`.
pub(crate) struct Initial<N> {
    pub(crate) neuron: N,
    /// `N`
    pub(crate) count: usize,
    /// How the values of each parameter are distributed over neurons.
    pub(crate) layouts: Vec<neuron_runtime::Layout>,
}

/// Gradients of the parameters, from those of the states.
struct Backward<'a, N>(&'a Initial<N>);

impl<N: Neuron + Clone> Initial<N> {
    fn states<R: Real>(&self, values: &[R]) -> Result<Vec<R>> {
        let parameters: Vec<_> = parameters(&self.layouts, values).collect();
        let states = initial_states(&self.neuron, &parameters, self.count).map_err(Error::wrap)?;
        Ok(states.concat())
    }

    fn grads<R: Real>(&self, values: &[R], grad_states: &[R]) -> Result<Vec<R>> {
        let parameters: Vec<_> = parameters(&self.layouts, values).collect();
        let grad_states: Vec<&[R]> = grad_states.chunks_exact(self.count).collect();
        let grads = initial_grads(&self.neuron, &parameters, &grad_states).map_err(Error::wrap)?;
        let mut grads = grads.into_iter();
        let all = self.neuron.spec().arrays().zip(&self.layouts).map(|(param, layout)| match param.kind {
            ParamKind::Learnable => grads.next().unwrap_or_default(),
            ParamKind::Array | ParamKind::Scalar => vec![R::default(); layout.count],
        });
        Ok(all.collect::<Vec<_>>().concat())
    }
}

impl<N: Neuron + Clone> CustomOp1 for Initial<N> {
    fn name(&self) -> &'static str {
        self.neuron.spec().name
    }

    fn cpu_fwd(&self, values: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        match values {
            CpuStorage::F32(_) => Ok(to_storage(self.states::<f32>(slice(values, layout)?)?)),
            CpuStorage::F64(_) => Ok(to_storage(self.states::<f64>(slice(values, layout)?)?)),
            other => Err(unsupported(other, self.name())),
        }
    }

    fn bwd(&self, values: &Tensor, _states: &Tensor, grad_states: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(values.apply_op2_no_bwd(&grad_states.contiguous()?, &Backward(self))?))
    }
}

impl<N: Neuron + Clone> CustomOp2 for Backward<'_, N> {
    fn name(&self) -> &'static str {
        self.0.neuron.spec().name
    }

    fn cpu_fwd(
        &self,
        values: &CpuStorage,
        layout: &Layout,
        grad_states: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        macro_rules! backward {
            ($real:ty) => {{
                let values = slice::<$real>(values, layout)?;
                Ok(to_storage(self.0.grads(values, slice(grad_states, grad_layout)?)?))
            }};
        }
        match values {
            CpuStorage::F32(_) => backward!(f32),
            CpuStorage::F64(_) => backward!(f64),
            other => Err(unsupported(other, CustomOp2::name(self))),
        }
    }
}

/// Parameters whose values are one behind the other.
fn parameters<'a, R: Real>(
    layouts: &[neuron_runtime::Layout],
    mut values: &'a [R],
) -> impl Iterator<Item = Parameter<'a, R>> {
    layouts.iter().map(move |layout| {
        let (own, others) = values.split_at(layout.count);
        values = others;
        Parameter::per_channel(own, layout.inner)
    })
}

/// A flat tensor.
fn to_storage<T: WithDType>(values: Vec<T>) -> (CpuStorage, Shape) {
    let shape = Shape::from(values.len());
    (T::to_cpu_storage_owned(values), shape)
}

fn unsupported(storage: &CpuStorage, op: &'static str) -> Error {
    Error::UnsupportedDTypeForOp(candle_core::backend::BackendStorage::dtype(storage), op)
}
