//! Training operations: a forward pass that saves what its backward pass needs.

use std::fmt::Debug;
use std::marker::PhantomData;

use crate::array_call::{Arrays, compute};
use crate::plan::{Keep, plan};
use crate::shape::{arity, same, sequence_of, shape_error};
use crate::{
    Array, Device, Element, Error, Gradient, Neuron, PackedSpikes, ParamSpec, Real, Role, Template, Value,
};

/// One step or a sequence of them.
pub trait Stepping: Copy + Clone + Debug + Default + PartialEq + Send + Sync + 'static {
    /// Whether data has time as its first dimension.
    const IS_SEQUENCE: bool;

    /// The forward template, with or without what a backward pass needs.
    fn template(with_grad: bool) -> Template {
        match (Self::IS_SEQUENCE, with_grad) {
            (false, false) => Template::Forward,
            (false, true) => Template::ForwardWithGrad,
            (true, false) => Template::Fptt,
            (true, true) => Template::FpttWithGrad,
        }
    }

    /// The templates of a forward pass that keeps `keep`, and of its backward pass. A single step is a sequence of one
    /// where nothing has to be kept.
    fn templates(keep: Keep) -> [Template; 2] {
        match (Self::IS_SEQUENCE, keep) {
            (true, keep) => keep.templates(),
            (false, Keep::Factors) => [Template::ForwardWithGrad, Template::Backward],
            (false, Keep::Checkpoints) => [Template::Forward, Template::LeanBptt],
        }
    }
}

/// One step: inputs and spikes have the shape of the state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Single;

/// A sequence: inputs and spikes are `[T, ...]`, `...` being the shape of the state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sequence;

impl Stepping for Single {
    const IS_SEQUENCE: bool = false;
}

impl Stepping for Sequence {
    const IS_SEQUENCE: bool = true;
}

/// A differentiable operation: the states go in and come out, nothing is kept between calls.
///
/// The counterpart of the 2020 API's autograd functions: `IFStep` is `Step<If>`, `LIFMultiStep` is
/// `MultiStep<Lif>`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Operation<N, S> {
    /// The neuron with its parameters.
    pub neuron: N,
    /// How spikes are differentiated.
    pub gradient: Gradient,
    /// What forward passes keep for their backward passes; `None` is what [`plan()`] says. Gradients are the same
    /// bits.
    pub keep: Option<Keep>,
    stepping: PhantomData<S>,
}

/// A single step; see [`Operation`].
pub type Step<N> = Operation<N, Single>;

/// A sequence of steps; see [`Operation`].
pub type MultiStep<N> = Operation<N, Sequence>;

/// What a forward pass returns.
#[derive(Clone, Debug, PartialEq)]
pub struct Stepped<E: Element> {
    /// Spikes, 0 or 1, of the shape of the inputs; of a neuron that does not fire, its output.
    pub spike: Array<E>,
    /// States after the last step, `v` first.
    pub states: Vec<Array<E::Real>>,
}

/// What a forward pass with spikes of one bit returns.
#[derive(Clone, Debug, PartialEq)]
pub struct PackedStepped<R: Real> {
    /// Spikes, of the shape of the inputs.
    pub spike: PackedSpikes,
    /// States after the last step, `v` first.
    pub states: Vec<Array<R>>,
}

/// What a backward pass returns.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients<E: Element> {
    /// Gradients of the inputs, in order.
    pub inputs: Vec<Array<E>>,
    /// Gradients of the states before the first step, `v` first.
    pub states: Vec<Array<E::Real>>,
    /// Gradients of the learnable parameters, in order, of the shapes that these were given in.
    pub parameters: Vec<Array<E::Real>>,
}

/// Factors, or checkpoints.
type Kept<E> = Vec<Array<<E as Element>::Real>>;

/// What a forward pass kept for its backward pass.
#[derive(Clone, Debug)]
pub struct Context<N, E: Element> {
    neuron: N,
    gradient: Gradient,
    /// Shape of the states.
    dims: Vec<usize>,
    /// Shape of inputs and spikes.
    shape: Vec<usize>,
    steps: usize,
    /// The inputs and initial states that the backward pass computes the steps again from, if it does.
    inputs: Vec<Array<E>>,
    states: Vec<Array<E::Real>>,
    kept: Kept<E>,
    /// The parameters that may differ between neurons.
    parameters: Vec<Array<E::Real>>,
    template: Template,
}

impl<N: Neuron + Clone, S: Stepping> Operation<N, S> {
    /// Of a neuron with its parameters, and a surrogate or a whole [`Gradient`].
    pub fn new(neuron: N, gradient: impl Into<Gradient>) -> Self {
        Self { neuron, gradient: gradient.into(), keep: None, stepping: PhantomData }
    }

    /// Forward pass of a neuron with one input and one state: spikes, `v` after the last step, and what
    /// [`Context::backward`] needs.
    ///
    /// `v` has any shape; `x` has that shape, or `[T, ...]` for a sequence.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Arity`] if the neuron has more inputs or states, and all of
    /// [`Neuron::run`]'s.
    #[allow(clippy::type_complexity)]
    pub fn forward<E: Element>(
        &self,
        x: &Array<E>,
        v: &Array<E::Real>,
    ) -> Result<(Array<E>, Array<E::Real>, Context<N, E>), Error> {
        let (stepped, context) = self.forward_all(&[x], &[v])?;
        let Stepped { spike, states } = stepped;
        Ok((spike, first(states), context))
    }

    /// Forward pass of any neuron: all inputs and all states, in the order of its declaration, `v` first.
    ///
    /// # Errors
    /// As [`Operation::forward`].
    pub fn forward_all<E: Element>(
        &self,
        inputs: &[&Array<E>],
        states: &[&Array<E::Real>],
    ) -> Result<(Stepped<E>, Context<N, E>), Error> {
        self.forward_with(inputs, states, &refs(&self.parameters(inputs)?))
    }

    /// As [`Operation::forward_all`], with values for the parameters that may differ between neurons
    /// ([`Spec::arrays`](crate::Spec::arrays), in order) in place of those of the neuron.
    ///
    /// Their shapes are broadcast to that of the states as usual: `[]` is one value for all, `[C, 1, 1]` one for each
    /// channel of `[B, C, H, W]`, `[C, H, W]` one for each neuron of an image. What is repeated has to be outer and
    /// inner dimensions only.
    ///
    /// # Errors
    /// As [`Operation::forward`]; values are checked against their ranges if they are in the memory of the CPU.
    pub fn forward_with<E: Element>(
        &self,
        inputs: &[&Array<E>],
        states: &[&Array<E::Real>],
        parameters: &[&Array<E::Real>],
    ) -> Result<(Stepped<E>, Context<N, E>), Error> {
        let arrays = self.check(inputs, states, parameters)?;
        let Arrays { dims, shape, steps, .. } = arrays;
        // The backward pass may be the first to read it: too late for an error.
        self.gradient.surrogate.validate_in::<E::Real>()?;
        let keep =
            self.keep.unwrap_or_else(|| plan::<E>(self.neuron.spec(), steps, dims.iter().product()).keep);
        let [forward, backward] = S::templates(keep);
        let (stepped, kept) = self.run(forward, &arrays)?;
        let mut context = Context {
            neuron: self.neuron.clone(),
            gradient: self.gradient,
            dims: dims.to_vec(),
            shape: shape.to_vec(),
            steps,
            inputs: Vec::new(),
            states: Vec::new(),
            kept,
            parameters: parameters.iter().map(|&array| array.clone()).collect(),
            template: backward,
        };
        if keep == Keep::Checkpoints {
            context.keep_start(inputs, states)?;
        }
        Ok((stepped, context))
    }

    /// Forward pass without gradient: spikes and `v` after the last step.
    ///
    /// # Errors
    /// As [`Operation::forward`].
    pub fn inference<E: Element>(
        &self,
        x: &Array<E>,
        v: &Array<E::Real>,
    ) -> Result<(Array<E>, Array<E::Real>), Error> {
        let Stepped { spike, states } = self.inference_all(&[x], &[v])?;
        Ok((spike, first(states)))
    }

    /// Forward pass without gradient, of any neuron; see [`Operation::forward_all`].
    ///
    /// # Errors
    /// As [`Operation::forward`].
    pub fn inference_all<E: Element>(
        &self,
        inputs: &[&Array<E>],
        states: &[&Array<E::Real>],
    ) -> Result<Stepped<E>, Error> {
        self.inference_with(inputs, states, &refs(&self.parameters(inputs)?))
    }

    /// Forward pass without gradient, with values for parameters; see [`Operation::forward_with`].
    ///
    /// # Errors
    /// As [`Operation::forward_with`].
    pub fn inference_with<E: Element>(
        &self,
        inputs: &[&Array<E>],
        states: &[&Array<E::Real>],
        parameters: &[&Array<E::Real>],
    ) -> Result<Stepped<E>, Error> {
        Ok(self.run(S::template(false), &self.check(inputs, states, parameters)?)?.0)
    }

    /// As [`Operation::inference_with`], with the membrane potential after every step, `[T, ...]`; of sequences only.
    pub(crate) fn recorded<E: Element>(
        &self,
        inputs: &[&Array<E>],
        states: &[&Array<E::Real>],
        parameters: &[&Array<E::Real>],
    ) -> Result<(Stepped<E>, Array<E::Real>), Error> {
        let arrays = self.check(inputs, states, parameters)?;
        let (stepped, recorded) = self.run(Template::FpttWithV, &arrays)?;
        Ok((stepped, first(recorded)))
    }

    /// As [`Operation::inference_with`], with spikes of one bit; of sequences only.
    pub(crate) fn packed<E: Element>(
        &self,
        inputs: &[&Array<E>],
        states: &[&Array<E::Real>],
        parameters: &[&Array<E::Real>],
    ) -> Result<PackedStepped<E::Real>, Error> {
        let arrays = self.check(inputs, states, parameters)?;
        let computed = compute(&self.neuron, Template::PackedFptt, self.gradient, &arrays)?;
        let words = computed.bits.expect("what the template gives");
        let spike = PackedSpikes::new(self.neuron.spec(), arrays.shape.to_vec(), words);
        Ok(PackedStepped { spike, states: computed.states })
    }

    /// The neuron's own values of the parameters that may differ between neurons, one for all, where the inputs are.
    pub(crate) fn parameters<E: Element>(&self, inputs: &[&Array<E>]) -> Result<Vec<Array<E::Real>>, Error> {
        let device = inputs.first().map_or(Device::Cpu, |input| input.device());
        let array = |param: &ParamSpec| own_value(&self.neuron, param).to(&device);
        self.neuron.spec().arrays().map(array).collect()
    }

    /// What a forward template returns: spikes and states, and what it keeps.
    fn run<E: Element>(
        &self,
        template: Template,
        arrays: &Arrays<'_, E>,
    ) -> Result<(Stepped<E>, Kept<E>), Error> {
        let computed = compute(&self.neuron, template, self.gradient, arrays)?;
        let (spike, mut next) = (first(computed.signals), computed.states);
        let kept = next.split_off(self.neuron.spec().states.len());
        Ok((Stepped { spike, states: next }, kept))
    }

    /// The arrays that every forward template reads, if their shapes fit.
    fn check<'a, E: Element>(
        &self,
        inputs: &[&'a Array<E>],
        states: &[&'a Array<E::Real>],
        parameters: &[&'a Array<E::Real>],
    ) -> Result<Arrays<'a, E>, Error> {
        let spec = self.neuron.spec();
        arity(spec.name, "inputs", spec.inputs.len(), inputs.len())?;
        arity(spec.name, "states", spec.states.len(), states.len())?;
        arity(spec.name, "parameters", spec.arrays().count(), parameters.len())?;
        let (dims, shape) = (states[0].shape(), inputs[0].shape());
        for (name, array) in spec.inputs.iter().zip(inputs) {
            let fits =
                if S::IS_SEQUENCE { array.shape().get(1..) == Some(dims) } else { array.shape() == dims };
            if !fits {
                let expected = if S::IS_SEQUENCE { sequence_of(dims) } else { format!("{dims:?}") };
                return Err(shape_error(spec.name, name, expected, array.shape()));
            }
            same(spec.name, name, shape, array.shape())?;
        }
        for (state, array) in spec.states.iter().zip(states) {
            same(spec.name, state.name, dims, array.shape())?;
        }
        let (signals, states, parameters) = (inputs.to_vec(), states.to_vec(), parameters.to_vec());
        let steps = if S::IS_SEQUENCE { shape[0] } else { 1 };
        Ok(Arrays { dims, shape, steps, signals, states, parameters })
    }
}

impl<N: Neuron + Clone> Operation<N, Sequence> {
    /// Forward pass without gradient of any neuron that fires, with spikes of one bit, and the states after the last
    /// step; see [`Operation::forward_all`].
    ///
    /// # Errors
    /// As [`Operation::forward`], and [`Error::NoTemplate`] if the neuron does not fire.
    pub fn inference_packed<E: Element>(
        &self,
        inputs: &[&Array<E>],
        states: &[&Array<E::Real>],
    ) -> Result<PackedStepped<E::Real>, Error> {
        self.packed(inputs, states, &refs(&self.parameters(inputs)?))
    }

    /// Forward pass without gradient of any neuron, and its membrane potential after every step, `[T, ...]`; see
    /// [`Operation::forward_all`].
    ///
    /// # Errors
    /// As [`Operation::forward`].
    pub fn inference_with_v<E: Element>(
        &self,
        inputs: &[&Array<E>],
        states: &[&Array<E::Real>],
    ) -> Result<(Stepped<E>, Array<E::Real>), Error> {
        self.recorded(inputs, states, &refs(&self.parameters(inputs)?))
    }
}

impl<N: Neuron + Clone, E: Element> Context<N, E> {
    /// Backward pass of a neuron with one input and one state: the gradients of `x` and of `v` before the
    /// first step, from those of the spikes and of `v` after the last.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Arity`]
    pub fn backward(
        &self,
        grad_spike: &Array<E>,
        grad_v_next: &Array<E::Real>,
    ) -> Result<(Array<E>, Array<E::Real>), Error> {
        arity(self.neuron.spec().name, "inputs", self.neuron.spec().inputs.len(), 1)?;
        let Gradients { inputs, states, .. } = self.backward_all(grad_spike, &[grad_v_next])?;
        Ok((first(inputs), first(states)))
    }

    /// Backward pass of any neuron.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Arity`]
    pub fn backward_all(
        &self,
        grad_spike: &Array<E>,
        grad_states: &[&Array<E::Real>],
    ) -> Result<Gradients<E>, Error> {
        let spec = self.neuron.spec();
        arity(spec.name, "state gradients", spec.states.len(), grad_states.len())?;
        same(spec.name, &format!("grad_{}", spec.output), &self.shape, grad_spike.shape())?;
        for (state, array) in spec.states.iter().zip(grad_states) {
            same(spec.name, &format!("grad_{}_next", state.name), &self.dims, array.shape())?;
        }
        // In the order of the signature: factors come after gradients, checkpoints with the states they are of.
        let (kept, grads) = (self.kept.iter(), grad_states.iter().copied());
        let states = match self.template {
            Template::LeanBptt => self.states.iter().chain(kept).chain(grads).collect(),
            _ => grads.chain(kept).collect(),
        };
        let arrays = Arrays {
            dims: &self.dims,
            shape: &self.shape,
            steps: self.steps,
            signals: self.inputs.iter().chain([grad_spike]).collect(),
            states,
            parameters: refs(&self.parameters),
        };
        let computed = compute(&self.neuron, self.template, self.gradient, &arrays)?;
        Ok(Gradients { inputs: computed.signals, states: computed.states, parameters: computed.parameters })
    }

    /// Keeps the inputs and states that the steps are computed again from, which takes no memory: the caller has them.
    fn keep_start(&mut self, inputs: &[&Array<E>], states: &[&Array<E::Real>]) -> Result<(), Error> {
        let spec = self.neuron.spec();
        let inputs = inputs.iter().enumerate().filter(|(index, _)| spec.rereads(Role::Input(*index)));
        self.inputs = inputs.map(|(_, &array)| array.clone()).collect();
        let states = states.iter().enumerate().filter(|(index, _)| spec.rereads(Role::State(*index)));
        self.states = states.map(|(_, &array)| array.clone()).collect();
        // Of a single step there are no checkpoints, which is as many arrays without elements.
        let checkpoints = self.states.len();
        if self.kept.len() < checkpoints {
            let none = Array::zeros([&[0], self.dims.as_slice()].concat());
            let device = self.states.first().map_or(Device::Cpu, Array::device);
            self.kept = vec![none.to(&device)?; checkpoints];
        }
        Ok(())
    }

    /// Bytes that it keeps besides what the caller has.
    pub fn kept_bytes(&self) -> usize {
        self.kept.iter().map(|array| array.shape().iter().product::<usize>() * size_of::<E::Real>()).sum()
    }

    /// The parameters that may differ between neurons, as the forward pass was given them.
    pub fn parameters(&self) -> &[Array<E::Real>] {
        &self.parameters
    }

    /// Shape of the states.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }
}

/// A neuron's own value of a parameter that may differ between neurons, one for all.
pub(crate) fn own_value<N: Neuron, R: Real>(neuron: &N, param: &ParamSpec) -> Array<R> {
    match neuron.get(param.name) {
        Some(Value::Real(value)) => Array::full([], R::from_f64(value)),
        _ => Array::full([], R::from_f64(param.default)),
    }
}

pub(crate) fn refs<A>(arrays: &[A]) -> Vec<&A> {
    arrays.iter().collect()
}

/// The only element, or the first of several.
fn first<A>(several: Vec<A>) -> A {
    several.into_iter().next().expect("every neuron has an input, a spike and a state")
}
