//! The parameters of a node that may differ between its neurons, with their gradients.

use std::marker::PhantomData;

use crate::parameter::{Layout, validate_values};
use crate::step::{Context, own_value};
use crate::{Array, Device, Element, Error, Neuron, ParamKind, Real};

/// Values and gradients, in the order of [`Spec::arrays`](crate::Spec::arrays).
#[derive(Clone, Debug)]
pub(crate) struct Parameters<N, R: Real> {
    arrays: Vec<Array<R>>,
    /// Whether each was given a value other than the neuron's own.
    is_set: Vec<bool>,
    /// What backward passes gave, for each learnable parameter, still where they left it: to add up only when
    /// asked means not to wait for the GPU in each pass.
    grads: Vec<Vec<Array<R>>>,
    neuron: PhantomData<N>,
}

impl<N: Neuron, R: Real> Parameters<N, R> {
    /// The neuron's own values.
    pub fn of(neuron: &N) -> Self {
        let arrays: Vec<Array<R>> = N::SPEC.arrays().map(|param| own_value(neuron, param)).collect();
        let grads = N::SPEC.learnables().map(|_| Vec::new()).collect();
        Self { is_set: vec![false; arrays.len()], arrays, grads, neuron: PhantomData }
    }

    pub fn arrays(&self) -> &[Array<R>] {
        &self.arrays
    }

    pub fn get(&self, name: &str) -> Option<&Array<R>> {
        Some(&self.arrays[N::SPEC.arrays().position(|param| param.name == name)?])
    }

    pub fn is_set(&self, name: &str) -> bool {
        N::SPEC.arrays().position(|param| param.name == name).is_some_and(|at| self.is_set[at])
    }

    /// Sets one, if its values are in range.
    pub fn set(&mut self, neuron: &N, name: &str, values: Array<R>) -> Result<(), Error> {
        let spec = N::SPEC;
        let Some(at) = spec.arrays().position(|param| param.name == name) else {
            let arrays =
                spec.arrays().map(|param| format!("`{}`", param.name)).collect::<Vec<_>>().join(", ");
            let arrays = if arrays.is_empty() { "none".to_owned() } else { arrays };
            return Err(match spec.params.iter().find(|param| param.name == name) {
                Some(param) => Error::ScalarParameter { neuron: spec.name, name: param.name, arrays },
                None => Error::UnknownParameter { neuron: spec.name, name: name.to_owned(), known: arrays },
            });
        };
        let mut all = Vec::new();
        for (i, array) in self.arrays.iter().enumerate() {
            all.push(if i == at { values.to_vec()? } else { array.to_vec()? });
        }
        validate_values(neuron, &all.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        self.arrays[at] = values;
        self.is_set[at] = true;
        Ok(())
    }

    /// Moves the values to where the inputs are.
    pub fn move_to(&mut self, device: &Device) -> Result<(), Error> {
        for array in self.arrays.iter_mut().filter(|array| array.device() != *device) {
            *array = array.to(device)?;
        }
        Ok(())
    }

    /// The states before the first step, of shape `dims`.
    pub fn initial_states(
        &self,
        neuron: &N,
        dims: &[usize],
        device: &Device,
    ) -> Result<Vec<Array<R>>, Error> {
        let spec = N::SPEC;
        if !spec.states.iter().any(|state| state.varies) {
            let values = neuron.initial_state();
            return values
                .into_iter()
                .map(|value| Array::full(dims, R::from_f64(value)).to(device))
                .collect();
        }
        let grid = Grid::new::<N>(&self.arrays, dims)?;
        let neurons: usize = dims.iter().product();
        let mut states = vec![Vec::with_capacity(neurons); spec.states.len()];
        for first in (0..grid.period).step_by(grid.step) {
            for (state, value) in states.iter_mut().zip(neuron.initial_state_at(&grid.values(first))) {
                state.extend(std::iter::repeat_n(R::from_f64(value), grid.step));
            }
        }
        let whole = |state: Vec<R>| Array::from_vec(dims, state.repeat(neurons / grid.period))?.to(device);
        states.into_iter().map(whole).collect()
    }

    /// The gradients of the learnable parameters through the initial states that a forward pass began with, from
    /// those of the states.
    pub fn grads_of_initial<E: Element<Real = R>>(
        neuron: &N,
        context: &Context<N, E>,
        grad_states: &[Array<R>],
    ) -> Result<Vec<Array<R>>, Error> {
        let spec = N::SPEC;
        let learnables = spec.learnables().count();
        if learnables == 0 || !spec.states.iter().any(|state| state.varies) {
            return Ok(Vec::new());
        }
        let grid = Grid::new::<N>(context.parameters(), context.dims())?;
        let mut sums: Vec<Vec<f64>> = grid.learnables().map(|(_, layout)| vec![0.0; layout.count]).collect();
        let grad_states = grad_states.iter().map(Array::to_vec).collect::<Result<Vec<_>, _>>()?;
        let neurons: usize = context.dims().iter().product();
        for first in (0..neurons).step_by(grid.step) {
            let slopes = neuron.initial_slopes_at(&grid.values(first));
            for (grads, slopes) in grad_states.iter().zip(slopes.chunks(learnables)) {
                let grad: f64 = grads[first..first + grid.step].iter().map(|grad| grad.to_f64()).sum();
                for ((sum, (_, layout)), slope) in sums.iter_mut().zip(grid.learnables()).zip(slopes) {
                    sum[first / layout.inner % layout.count] += grad * slope;
                }
            }
        }
        let device = context.parameters()[0].device();
        let array = |(sum, (shape, _)): (Vec<f64>, (&[usize], Layout))| {
            Array::from_vec(shape, sum.into_iter().map(R::from_f64).collect())?.to(&device)
        };
        sums.into_iter().zip(grid.learnables()).map(array).collect()
    }

    /// Adds gradients, one for each learnable parameter, or none.
    pub fn add_grads(&mut self, grads: Vec<Array<R>>) {
        for (all, grad) in self.grads.iter_mut().zip(grads) {
            // A parameter of another shape begins anew.
            all.retain(|before| before.shape() == grad.shape());
            all.push(grad);
        }
    }

    pub fn zero_grad(&mut self) {
        self.grads.iter_mut().for_each(Vec::clear);
    }

    /// The sum of all that was added, where the last of it is.
    pub fn grad(&self, name: &str) -> Result<Option<Array<R>>, Error> {
        let Some(at) = N::SPEC.learnables().position(|param| param.name == name) else { return Ok(None) };
        let Some(last) = self.grads[at].last() else { return Ok(None) };
        let mut sum = vec![0.0; last.shape().iter().product()];
        for grad in &self.grads[at] {
            for (sum, value) in sum.iter_mut().zip(grad.to_vec()?) {
                *sum += value.to_f64();
            }
        }
        let sum = Array::from_vec(last.shape(), sum.into_iter().map(R::from_f64).collect())?;
        Ok(Some(sum.to(&last.device())?))
    }
}

/// How several parameters are distributed over the same neurons: the first `period` neurons are repeated, and
/// `step` neurons next to each other have the same values of all.
struct Grid<'a, R> {
    parameters: Vec<(&'a [usize], Vec<R>, Layout, ParamKind)>,
    period: usize,
    step: usize,
}

impl<'a, R: Real> Grid<'a, R> {
    fn new<N: Neuron>(arrays: &'a [Array<R>], dims: &[usize]) -> Result<Self, Error> {
        let neurons = dims.iter().product();
        let mut grid = Self { parameters: Vec::new(), period: 1, step: neurons };
        for (param, array) in N::SPEC.arrays().zip(arrays) {
            let layout = Layout::of::<N>(param, array.shape(), dims)?;
            if layout != Layout::SHARED {
                // Each is of the last dimensions from some on, so that the longest is a multiple of the others.
                grid.period = grid.period.max(layout.count * layout.inner);
                grid.step = grid.step.min(layout.inner);
            }
            grid.parameters.push((array.shape(), array.to_vec()?, layout, param.kind));
        }
        grid.period = grid.period.max(grid.step);
        Ok(grid)
    }

    /// The values of neuron `neuron`.
    fn values(&self, neuron: usize) -> Vec<f64> {
        let value = |(_, values, layout, _): &(_, Vec<R>, Layout, _)| {
            values[neuron / layout.inner % layout.count].to_f64()
        };
        self.parameters.iter().map(value).collect()
    }

    /// Shapes and layouts of the learnable ones.
    fn learnables(&self) -> impl Iterator<Item = (&'a [usize], Layout)> {
        let learnable = self.parameters.iter().filter(|(.., kind)| *kind == ParamKind::Learnable);
        learnable.map(|&(shape, _, layout, _)| (shape, layout))
    }
}
