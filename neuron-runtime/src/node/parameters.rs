//! The array parameters of a node, with their gradients.

use crate::initial::{initial_grads, initial_states};
use crate::parameter::Layout;
use crate::range::validate_values;
use crate::step::{Context, own_value};
use crate::{Array, Device, Element, Error, Neuron, ParamKind, ParamSpec, Parameter, Real, Spec};

/// Values and gradients, in the order of [`Spec::arrays`](crate::Spec::arrays).
#[derive(Clone, Debug)]
pub(crate) struct Parameters<R: Real> {
    spec: &'static Spec,
    arrays: Vec<Array<R>>,
    /// Whether each was set to something other than the neuron's value.
    is_set: Vec<bool>,
    /// The gradients from each backward pass, for each learnable parameter, on their devices. They are only added up on
    /// request, so that backward passes need not wait for the GPU.
    grads: Vec<Vec<Array<R>>>,
}

impl<R: Real> Parameters<R> {
    /// The neuron's values.
    pub fn of(neuron: &impl Neuron) -> Self {
        let spec = neuron.spec();
        let arrays: Vec<Array<R>> = spec.arrays().map(|param| own_value(neuron, param)).collect();
        let grads = spec.learnables().map(|_| Vec::new()).collect();
        Self { spec, is_set: vec![false; arrays.len()], arrays, grads }
    }

    pub fn arrays(&self) -> &[Array<R>] {
        &self.arrays
    }

    pub fn get(&self, name: &str) -> Option<&Array<R>> {
        Some(&self.arrays[self.spec.arrays().position(|param| param.name == name)?])
    }

    pub fn is_set(&self, name: &str) -> bool {
        self.spec.arrays().position(|param| param.name == name).is_some_and(|at| self.is_set[at])
    }

    /// Sets one, if its values are in range.
    pub fn set(&mut self, neuron: &impl Neuron, name: &str, values: Array<R>) -> Result<(), Error> {
        let at = self.spec.array_index(name)?;
        let mut all = Vec::new();
        for (i, array) in self.arrays.iter().enumerate() {
            all.push(if i == at { values.to_vec()? } else { array.to_vec()? });
        }
        validate_values(neuron, &all.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        self.arrays[at] = values;
        self.is_set[at] = true;
        Ok(())
    }

    /// Moves the values to the device of the inputs.
    pub fn move_to(&mut self, device: &Device) -> Result<(), Error> {
        for array in self.arrays.iter_mut().filter(|array| array.device() != *device) {
            *array = array.to(device)?;
        }
        Ok(())
    }

    /// The states before the first step, of shape `dims`.
    pub fn initial_states(
        &self,
        neuron: &impl Neuron,
        dims: &[usize],
        device: &Device,
    ) -> Result<Vec<Array<R>>, Error> {
        let spec = self.spec;
        if !spec.states.iter().any(|state| state.varies) {
            let values = neuron.initial_state();
            return values
                .into_iter()
                .map(|value| Array::full(dims, R::from_f64(value)).to(device))
                .collect();
        }
        let copies = Copies::new(spec, &self.arrays, dims)?;
        let states = initial_states(neuron, &copies.parameters(), dims.iter().product())?;
        let whole = |state: Vec<R>| Array::from_vec(dims, state)?.to(device);
        states.into_iter().map(whole).collect()
    }

    /// The gradients of the learnable parameters through the initial states that a forward pass began with, from
    /// those of the states.
    pub fn grads_of_initial<N: Neuron + Clone, E: Element<Real = R>>(
        neuron: &N,
        context: &Context<N, E>,
        grad_states: &[Array<R>],
    ) -> Result<Vec<Array<R>>, Error> {
        let spec = neuron.spec();
        let learnables = spec.learnables().count();
        if learnables == 0 || !spec.states.iter().any(|state| state.varies) {
            return Ok(Vec::new());
        }
        let copies = Copies::new(spec, context.parameters(), context.dims())?;
        let grad_states = grad_states.iter().map(Array::to_vec).collect::<Result<Vec<_>, _>>()?;
        let grad_states: Vec<&[R]> = grad_states.iter().map(Vec::as_slice).collect();
        let grads = initial_grads(neuron, &copies.parameters(), &grad_states)?;
        let arrays = spec.arrays().zip(context.parameters());
        let learnables = arrays.filter(|(param, _)| param.kind == ParamKind::Learnable);
        let array = |(grad, (_, array)): (Vec<R>, (_, &Array<R>))| {
            Array::from_vec(array.shape(), grad)?.to(&array.device())
        };
        grads.into_iter().zip(learnables).map(array).collect()
    }

    /// Adds gradients, one for each learnable parameter, or none.
    pub fn add_grads(&mut self, grads: Vec<Array<R>>) {
        for (all, grad) in self.grads.iter_mut().zip(grads) {
            // If the parameter has another shape than before, start anew.
            all.retain(|before| before.shape() == grad.shape());
            all.push(grad);
        }
    }

    pub fn zero_grad(&mut self) {
        self.grads.iter_mut().for_each(Vec::clear);
    }

    /// The sum of all gradients, on the device of the last one.
    pub fn grad(&self, name: &str) -> Result<Option<Array<R>>, Error> {
        let Some(at) = self.spec.learnables().position(|param| param.name == name) else { return Ok(None) };
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

/// Copies of the values of parameters, and how they are distributed over neurons.
struct Copies<R> {
    each: Vec<(Vec<R>, Layout)>,
}

impl<R: Real> Copies<R> {
    fn new(spec: &'static Spec, arrays: &[Array<R>], dims: &[usize]) -> Result<Self, Error> {
        let value = |(param, array): (&ParamSpec, &Array<R>)| {
            Ok((array.to_vec()?, Layout::of(spec.name, param, array.shape(), dims)?))
        };
        Ok(Self { each: spec.arrays().zip(arrays).map(value).collect::<Result<_, Error>>()? })
    }

    fn parameters(&self) -> Vec<Parameter<'_, R>> {
        self.each.iter().map(|(values, layout)| Parameter::per_channel(values, layout.inner)).collect()
    }
}
