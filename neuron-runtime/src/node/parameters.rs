//! The array parameters of a node, with their gradients.

use crate::initial::{initial_grads, initial_states};
use crate::number::rounded;
use crate::parameter::Layout;
use crate::range::{project_values, validate_values};
use crate::step::own_value;
use crate::sum::Sum;
use crate::{Array, Device, Error, Neuron, ParamKind, ParamSpec, Parameter, Real, Spec};

/// What happens to values of a learnable or array parameter that are outside its declared range; an optimiser may move them
/// there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutOfRange {
    /// They are refused: [`Error::ParameterRange`].
    #[default]
    Refuse,
    /// Each is replaced by the closest number inside the range, as in projected gradient descent; see [`project_values`]. For
    /// `tau > 1.0` that is the smallest number of the format greater than 1. NaN is refused.
    Clamp,
}

/// Values and gradients, in the order of [`Spec::arrays`](crate::Spec::arrays).
#[derive(Clone, Debug)]
pub(crate) struct Parameters<R: Real> {
    spec: &'static Spec,
    arrays: Vec<Array<R>>,
    /// Whether each was set to something other than the neuron's value.
    is_set: Vec<bool>,
    /// The gradients of each learnable parameter over all backward passes.
    grads: Vec<Sum<R>>,
    pub out_of_range: OutOfRange,
}

impl<R: Real> Parameters<R> {
    /// The neuron's values.
    pub fn of(neuron: &impl Neuron) -> Self {
        let spec = neuron.spec();
        let arrays: Vec<Array<R>> = spec.arrays().map(|param| own_value(neuron, param)).collect();
        let grads = spec.learnables().map(|_| Sum::default()).collect();
        Self { spec, is_set: vec![false; arrays.len()], arrays, grads, out_of_range: OutOfRange::Refuse }
    }

    pub fn get(&self, name: &str) -> Option<&Array<R>> {
        Some(&self.arrays[self.spec.arrays().position(|param| param.name == name)?])
    }

    pub fn is_set(&self, name: &str) -> bool {
        self.spec.arrays().position(|param| param.name == name).is_some_and(|at| self.is_set[at])
    }

    /// Sets one, if its values are in range or can be moved there.
    pub fn set(&mut self, neuron: &impl Neuron, name: &str, mut values: Array<R>) -> Result<(), Error> {
        let at = self.spec.array_index(name)?;
        let mut all = Vec::new();
        for (i, array) in self.arrays.iter().enumerate() {
            all.push(if i == at { values.to_vec()? } else { array.to_vec()? });
        }
        let all: Vec<&[R]> = all.iter().map(Vec::as_slice).collect();
        match self.out_of_range {
            OutOfRange::Refuse => validate_values(neuron, &all)?,
            OutOfRange::Clamp => {
                let exact = all.iter().map(|array| array.iter().map(|value| value.to_f64()).collect());
                let exact: Vec<Vec<f64>> = exact.collect();
                let exact: Vec<&[f64]> = exact.iter().map(Vec::as_slice).collect();
                if let Some(moved) = project_values::<_, R>(neuron, name, &exact, rounded::<R>)? {
                    let moved = moved.into_iter().map(R::from_f64).collect();
                    values = Array::from_vec(values.shape(), moved)?.to(&values.device())?;
                }
            }
        }
        self.arrays[at] = values;
        self.is_set[at] = true;
        Ok(())
    }

    /// The values on `device`.
    pub fn on(&self, device: &Device) -> Result<Vec<Array<R>>, Error> {
        self.arrays.iter().map(|array| array.to(device)).collect()
    }

    /// Replaces the values by the same on another device.
    pub fn moved(&mut self, arrays: Vec<Array<R>>) {
        self.arrays = arrays;
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
    pub fn grads_of_initial(
        neuron: &impl Neuron,
        parameters: &[Array<R>],
        dims: &[usize],
        grad_states: &[Array<R>],
    ) -> Result<Vec<Array<R>>, Error> {
        let spec = neuron.spec();
        let learnables = spec.learnables().count();
        if learnables == 0 || !spec.states.iter().any(|state| state.varies) {
            return Ok(Vec::new());
        }
        let copies = Copies::new(spec, parameters, dims)?;
        let grad_states = grad_states.iter().map(Array::to_vec).collect::<Result<Vec<_>, _>>()?;
        let grad_states: Vec<&[R]> = grad_states.iter().map(Vec::as_slice).collect();
        let grads = initial_grads(neuron, &copies.parameters(), &grad_states)?;
        let arrays = spec.arrays().zip(parameters);
        let learnables = arrays.filter(|(param, _)| param.kind == ParamKind::Learnable);
        let array = |(grad, (_, array)): (Vec<R>, (_, &Array<R>))| {
            Array::from_vec(array.shape(), grad)?.to(&array.device())
        };
        grads.into_iter().zip(learnables).map(array).collect()
    }

    /// Makes room for more gradients, for which it may have to wait for the GPU.
    pub fn make_room(&mut self) -> Result<(), Error> {
        self.grads.iter_mut().try_for_each(Sum::make_room)
    }

    /// Adds gradients, one for each learnable parameter, or none.
    pub fn add_grads(&mut self, grads: Vec<Array<R>>) {
        for (sum, grad) in self.grads.iter_mut().zip(grads) {
            sum.add(grad);
        }
    }

    pub fn zero_grad(&mut self) {
        self.grads.iter_mut().for_each(Sum::clear);
    }

    /// The sum of all gradients, on the device of the last one.
    pub fn grad(&self, name: &str) -> Result<Option<Array<R>>, Error> {
        match self.spec.learnables().position(|param| param.name == name) {
            Some(at) => self.grads[at].total(),
            None => Ok(None),
        }
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
