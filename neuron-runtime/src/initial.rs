//! Initial states where parameters differ between neurons, and the gradients through them.

use crate::parameter::{Layout, misfit};
use crate::shape::{arity, same};
use crate::{Absent, BufferSpec, Error, Neuron, ParamKind, Parameter, Real, Spec, Template};

/// The initial values of states in place of the arrays `left_out`, by the indices of the states.
///
/// # Errors
/// [`Error::Signature`]: a neuron written by hand has fewer.
pub(crate) fn initial_values<'b, N: Neuron + ?Sized>(
    neuron: &N,
    template: Template,
    left_out: impl Iterator<Item = &'b BufferSpec>,
) -> Result<Vec<f64>, Error> {
    let needed = left_out.filter_map(|buffer| match buffer.absent() {
        Some(Absent::Initial(index)) => Some(index + 1),
        _ => None,
    });
    let Some(needed) = needed.max() else { return Ok(Vec::new()) };
    let initial = neuron.initial_state();
    if initial.len() < needed {
        return Err(Error::Signature { neuron: neuron.spec().name, template, what: "initial states" });
    }
    Ok(initial)
}

/// The states before the first step, in the order of [`Spec::states`](crate::Spec::states), each with `neurons` values.
/// `parameters` are those of [`Spec::arrays`](crate::Spec::arrays), in order.
///
/// # Errors
/// [`Error::Arity`], [`Error::ParameterLayout`]
pub fn initial_states<N: Neuron, R: Real>(
    neuron: &N,
    parameters: &[Parameter<'_, R>],
    neurons: usize,
) -> Result<Vec<Vec<R>>, Error> {
    let grid = Grid::new(neuron.spec(), parameters, neurons)?;
    if neurons == 0 {
        return Ok(vec![Vec::new(); neuron.spec().states.len()]);
    }
    let mut states = vec![Vec::with_capacity(neurons); neuron.spec().states.len()];
    for first in (0..grid.period).step_by(grid.step) {
        for (state, value) in states.iter_mut().zip(neuron.initial_state_at(&grid.values(first))) {
            state.extend(std::iter::repeat_n(R::from_f64(value), grid.step));
        }
    }
    Ok(states.into_iter().map(|state| state.repeat(neurons / grid.period)).collect())
}

/// The gradients of the learnable parameters through the initial states, from those of the states. Each has as many values
/// as the parameter.
///
/// # Errors
/// [`Error::Arity`], [`Error::ParameterLayout`], [`Error::Shape`]
pub fn initial_grads<N: Neuron, R: Real>(
    neuron: &N,
    parameters: &[Parameter<'_, R>],
    grad_states: &[&[R]],
) -> Result<Vec<Vec<R>>, Error> {
    let spec = neuron.spec();
    arity(spec.name, "state gradients", spec.states.len(), grad_states.len())?;
    let neurons = grad_states[0].len();
    for (state, grads) in spec.states.iter().zip(grad_states) {
        same(spec.name, &format!("grad_{}", state.name), &[neurons], &[grads.len()])?;
    }
    let grid = Grid::new(neuron.spec(), parameters, neurons)?;
    let learnables = spec.arrays().zip(parameters).filter(|(param, _)| param.kind == ParamKind::Learnable);
    let layouts: Vec<Layout> = learnables.map(|(_, parameter)| parameter.layout()).collect();
    let mut sums: Vec<Vec<f64>> = layouts.iter().map(|layout| vec![0.0; layout.count]).collect();
    for first in (0..neurons).step_by(grid.step) {
        let slopes = neuron.initial_slopes_at(&grid.values(first));
        for (grads, slopes) in grad_states.iter().zip(slopes.chunks(layouts.len().max(1))) {
            let grads = grads.iter().skip(first).take(grid.step);
            let grad: f64 = grads.map(|grad| grad.to_f64()).sum();
            for ((sum, layout), slope) in sums.iter_mut().zip(&layouts).zip(slopes) {
                sum[first / layout.inner % layout.count] += grad * slope;
            }
        }
    }
    Ok(sums.into_iter().map(|sum| sum.into_iter().map(R::from_f64).collect()).collect())
}

/// The common layout of several parameters: values repeat every `period` neurons, and `step` adjacent neurons share the
/// values of all parameters.
struct Grid<'p, 'a, R> {
    parameters: &'p [Parameter<'a, R>],
    period: usize,
    step: usize,
}

impl<'p, 'a, R: Real> Grid<'p, 'a, R> {
    fn new(spec: &'static Spec, parameters: &'p [Parameter<'a, R>], neurons: usize) -> Result<Self, Error> {
        arity(spec.name, "parameters", spec.arrays().count(), parameters.len())?;
        let (mut period, mut step) = (1, neurons.max(1));
        for (param, layout) in spec.arrays().zip(parameters.iter().map(Parameter::layout)) {
            misfit(spec.name, param.name, layout, neurons)?;
            // No neurons are whole batches of any layout, however large.
            if layout != Layout::SHARED && neurons > 0 {
                let block = layout.count * layout.inner;
                period *= block / divisor(period, block);
                step = divisor(step, layout.inner);
            }
        }
        Ok(Self { parameters, period: period.max(step), step })
    }

    /// The values of neuron `neuron`.
    fn values(&self, neuron: usize) -> Vec<f64> {
        let value = |parameter: &Parameter<'a, R>| {
            let Layout { count, inner } = parameter.layout();
            parameter.values()[neuron / inner % count].to_f64()
        };
        self.parameters.iter().map(value).collect()
    }
}

/// The greatest common divisor.
fn divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { divisor(b, a % b) }
}
