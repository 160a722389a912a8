//! Nodes: neurons that keep their state from call to call.

mod parameters;

use std::fmt;

use crate::shape::arity;
use crate::step::{Context, Operation, PackedStepped, Sequence, Single, Stepping, refs};
use crate::{
    Array, Device, Element, Error, Gradient, Neuron, PackedSpikes, Reset, Surrogate, Template, Value,
};
use parameters::Parameters;

/// A layer of neurons with state.
///
/// The state begins at its declared initial value (`v` at `v_reset`), takes the shape of the first input
/// (of `x_seq[0]` for a sequence) and persists until [`Stateful::reset`].
///
/// In training mode, which is the initial one, each forward pass saves what its backward pass needs. Backward
/// passes are called in reverse order, and the gradient of the state flows from one to the one whose state it
/// began with: back-propagation through time, over single steps or over several sequences. [`Stateful::detach`]
/// cuts it, and frees what was saved, with the state kept; so does [`Stateful::reset`], with the state lost. In
/// evaluation mode nothing is saved, and no gradient flows through what was computed in it.
///
/// Parameters that may differ between neurons begin with the neuron's own value for all; see
/// [`Stateful::set_parameter`]. Gradients of the learnable ones add up over backward passes until
/// [`Stateful::zero_grad`], that through the initial state included.
#[derive(Clone, Debug)]
pub struct Stateful<N, E: Element, S> {
    operation: Operation<N, S>,
    parameters: Parameters<E::Real>,
    states: Option<Vec<Array<E::Real>>>,
    stores_v_seq: bool,
    v_seq: Option<Array<E::Real>>,
    is_training: bool,
    saved: Vec<Saved<N, E>>,
    /// Whether the states are those that the last saved forward pass ended with, and that one's gradient has
    /// not been asked for.
    continues: bool,
    /// Gradient of the states that the last backward pass ended with.
    grad_states: Option<Vec<Array<E::Real>>>,
}

/// A forward pass to be differentiated.
#[derive(Clone, Debug)]
struct Saved<N, E: Element> {
    context: Context<N, E>,
    /// Whether it began with the states that the one saved before it ended with.
    continues: bool,
    /// Whether it began with the initial states.
    is_initial: bool,
    /// Gradient of the states it ended with, from the pass that began with them; zero without one.
    grad_states: Option<Vec<Array<E::Real>>>,
}

/// What a forward pass gives.
struct Pass<N, E: Element, T> {
    result: T,
    states: Vec<Array<E::Real>>,
    /// In training mode.
    context: Option<Context<N, E>>,
}

/// A layer of neurons with state that computes a step at a time; see [`Stateful`].
pub type Node<N, E = f32> = Stateful<N, E, Single>;

/// A layer of neurons with state that computes whole sequences; see [`Stateful`].
pub type MultiStepNode<N, E = f32> = Stateful<N, E, Sequence>;

impl<N: Neuron + Clone, E: Element, S: Stepping> Stateful<N, E, S> {
    /// Of neurons with the given parameters, with the ATan surrogate, `alpha = 2`.
    pub fn new(neuron: N) -> Self {
        Self::with_gradient(neuron, Gradient::default())
    }

    /// Of neurons with the given parameters, and a surrogate or a whole [`Gradient`].
    pub fn with_gradient(neuron: N, gradient: impl Into<Gradient>) -> Self {
        Self {
            parameters: Parameters::of(&neuron),
            operation: Operation::new(neuron, gradient),
            states: None,
            stores_v_seq: false,
            v_seq: None,
            is_training: true,
            saved: Vec::new(),
            continues: false,
            grad_states: None,
        }
    }

    /// With that surrogate.
    #[must_use]
    pub fn with_surrogate(mut self, surrogate: Surrogate) -> Self {
        self.operation.gradient.surrogate = surrogate;
        self
    }

    /// With or without the spike as a constant in the reset.
    #[must_use]
    pub fn with_detach_reset(mut self, detach_reset: bool) -> Self {
        self.operation.gradient.detach_reset = detach_reset;
        self
    }

    /// Sets a parameter that may differ between neurons: `[]` is one value for all, otherwise its shape is broadcast
    /// to that of the states, as in [`Operation::forward_with`]. It holds from the next forward pass on.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`], [`Error::ScalarParameter`], and as [`Neuron::validate`] for values out of range.
    /// Whether the shape fits is found out by the next forward pass.
    pub fn set_parameter(&mut self, name: &str, values: Array<E::Real>) -> Result<(), Error> {
        self.parameters.set(&self.operation.neuron, name, values)
    }

    /// The values of a parameter that may differ between neurons, or `None` if there is no such parameter.
    pub fn parameter(&self, name: &str) -> Option<&Array<E::Real>> {
        self.parameters.get(name)
    }

    /// The gradient of a learnable parameter, of its shape, from all backward passes since the last
    /// [`Stateful::zero_grad`]. `None` if there was none, or there is no such parameter.
    ///
    /// # Errors
    /// [`Error::Cuda`]: it waits for the GPU.
    pub fn parameter_grad(&self, name: &str) -> Result<Option<Array<E::Real>>, Error> {
        self.parameters.grad(name)
    }

    /// Forgets the gradients of learnable parameters.
    pub fn zero_grad(&mut self) {
        self.parameters.zero_grad();
    }

    /// The neuron. Parameters set by [`Stateful::set_parameter`] are not in it.
    pub fn neuron(&self) -> &N {
        &self.operation.neuron
    }

    /// How spikes are differentiated.
    pub fn gradient(&self) -> Gradient {
        self.operation.gradient
    }

    /// The states, `v` first, or `None` before the first input.
    pub fn states(&self) -> Option<&[Array<E::Real>]> {
        self.states.as_deref()
    }

    /// The membrane potential, or `None` before the first input.
    pub fn v(&self) -> Option<&Array<E::Real>> {
        self.states.as_ref().map(|states| &states[0])
    }

    /// Saves what backward passes need, from now on.
    pub fn train(&mut self) {
        self.is_training = true;
    }

    /// Saves nothing, from now on.
    pub fn eval(&mut self) {
        self.is_training = false;
    }

    /// Whether forward passes save what backward passes need.
    pub fn is_training(&self) -> bool {
        self.is_training
    }

    /// Forgets the state and everything saved.
    pub fn reset(&mut self) {
        self.states = None;
        self.v_seq = None;
        self.detach();
    }

    /// Forgets everything saved; the state stays.
    pub fn detach(&mut self) {
        self.saved.clear();
        self.continues = false;
        self.grad_states = None;
    }

    /// Spikes for one input: `x`, or `x_seq` of shape `[T, ...]`.
    ///
    /// # Errors
    /// [`Error::Shape`] if the shape is not that of the first input since the last reset, and all of
    /// [`Neuron::run`]'s. The state is as before then.
    pub fn forward(&mut self, x: &Array<E>) -> Result<Array<E>, Error> {
        self.forward_all(&[x])
    }

    /// Spikes for all inputs of the neuron.
    ///
    /// # Errors
    /// As [`Stateful::forward`].
    pub fn forward_all(&mut self, inputs: &[&Array<E>]) -> Result<Array<E>, Error> {
        let stores_v_seq = self.stores_v_seq;
        let (spike, v_seq) = self.pass(inputs, |operation, states, parameters, is_training| {
            let recorded =
                stores_v_seq.then(|| operation.recorded(inputs, states, parameters)).transpose()?;
            let (recorded, v_seq) = recorded.unzip();
            let (stepped, context) = match (is_training, recorded) {
                (true, _) => {
                    let (stepped, context) = operation.forward_with(inputs, states, parameters)?;
                    (stepped, Some(context))
                }
                (false, Some(recorded)) => (recorded, None),
                (false, None) => (operation.inference_with(inputs, states, parameters)?, None),
            };
            Ok(Pass { result: (stepped.spike, v_seq), states: stepped.states, context })
        })?;
        self.v_seq = v_seq;
        Ok(spike)
    }

    /// A forward pass: `compute` does it, given states and parameters, and in training mode keeps its context.
    fn pass<T>(
        &mut self,
        inputs: &[&Array<E>],
        compute: impl FnOnce(
            &Operation<N, S>,
            &[&Array<E::Real>],
            &[&Array<E::Real>],
            bool,
        ) -> Result<Pass<N, E, T>, Error>,
    ) -> Result<T, Error> {
        let device = inputs.first().map_or(Device::Cpu, |input| input.device());
        self.parameters.move_to(&device)?;
        let initial;
        let states = match &self.states {
            Some(states) => states,
            None => {
                initial = self.initial(inputs, &device)?;
                &initial
            }
        };
        let (states, parameters) = (refs(states), refs(self.parameters.arrays()));
        let pass = compute(&self.operation, &states, &parameters, self.is_training)?;
        if let Some(context) = pass.context {
            let (continues, is_initial) = (self.continues, self.states.is_none());
            self.saved.push(Saved { context, continues, is_initial, grad_states: None });
        }
        self.continues = self.is_training;
        self.states = Some(pass.states);
        Ok(pass.result)
    }

    /// The states before the first step, in the shape that the inputs ask for.
    fn initial(&self, inputs: &[&Array<E>], device: &Device) -> Result<Vec<Array<E::Real>>, Error> {
        let spec = self.neuron().spec();
        let neuron = spec.name;
        self.neuron().validate_in::<E::Real>()?;
        arity(neuron, "inputs", spec.inputs.len(), inputs.len())?;
        let shape = inputs[0].shape();
        let dims = if S::IS_SEQUENCE { shape.get(1..) } else { Some(shape) };
        let Some(dims) = dims else {
            let (argument, expected) = (spec.inputs[0].to_owned(), "[T, ...]".to_owned());
            return Err(Error::Shape { neuron, argument, expected, actual: shape.to_vec() });
        };
        if shape.contains(&0) {
            // Not left to the call: other dimensions are without limit then.
            let template = S::template(self.is_training);
            let what = if dims.contains(&0) { "N" } else { "T" };
            return Err(Error::Empty { neuron, template, what });
        }
        self.parameters.initial_states(self.neuron(), dims, device)
    }

    /// The gradient of the last input that has none yet, from that of its spikes.
    ///
    /// # Errors
    /// [`Error::NoContext`] without a forward pass in training mode, [`Error::Shape`], [`Error::Arity`] if the
    /// neuron has more inputs.
    pub fn backward(&mut self, grad_spike: &Array<E>) -> Result<Array<E>, Error> {
        arity(self.neuron().spec().name, "inputs", self.neuron().spec().inputs.len(), 1)?;
        let mut grads = self.backward_all(grad_spike)?;
        Ok(grads.swap_remove(0))
    }

    /// The gradients of all inputs of the last forward pass that has none yet, from that of its spikes.
    ///
    /// # Errors
    /// As [`Stateful::backward`], for any number of inputs.
    pub fn backward_all(&mut self, grad_spike: &Array<E>) -> Result<Vec<Array<E>>, Error> {
        let Some(Saved { context, continues, is_initial, grad_states }) = self.saved.last() else {
            return Err(Error::NoContext { neuron: self.neuron().spec().name });
        };
        let zeros;
        let grad_states = match grad_states {
            Some(grads) => grads,
            None => {
                let zero = Array::zeros(context.dims()).to(&grad_spike.device())?;
                zeros = vec![zero; self.neuron().spec().states.len()];
                &zeros
            }
        };
        let grad_states: Vec<&Array<E::Real>> = grad_states.iter().collect();
        let grads = context.backward_all(grad_spike, &grad_states)?;
        let (continues, is_initial) = (*continues, *is_initial);
        let through_states = if is_initial {
            Parameters::grads_of_initial(self.neuron(), context, &grads.states)?
        } else {
            Vec::new()
        };
        self.parameters.add_grads(grads.parameters);
        self.parameters.add_grads(through_states);
        self.saved.pop();
        // What comes next does not reach back past the pass that is differentiated now.
        self.continues = false;
        if let Some(before) = self.saved.last_mut().filter(|_| continues) {
            before.grad_states = Some(grads.states.clone());
        }
        self.grad_states = Some(grads.states);
        Ok(grads.inputs)
    }

    /// Gradient of the states that the last backward pass ended with: those before its first step.
    pub fn grad_states(&self) -> Option<&[Array<E::Real>]> {
        self.grad_states.as_deref()
    }
}

impl<N: Neuron + Clone, E: Element> MultiStepNode<N, E> {
    /// Whether forward passes keep the membrane potential after every step, for [`Stateful::v_seq`]. At first they do
    /// not. In training mode it takes a pass of its own.
    pub fn store_v_seq(&mut self, stores: bool) {
        self.stores_v_seq = stores;
        self.v_seq = None;
    }

    /// The membrane potential after every step of the last forward pass, `[T, ...]`; `None` unless
    /// [`Stateful::store_v_seq`] asked for it, and after [`Stateful::forward_packed`], which does not keep it.
    pub fn v_seq(&self) -> Option<&Array<E::Real>> {
        self.v_seq.as_ref()
    }

    /// As [`Stateful::forward_all`], with spikes of one bit. In training mode they are packed by a pass of their own.
    ///
    /// # Errors
    /// As [`Stateful::forward`], and [`Error::NoTemplate`] if the neuron does not fire.
    pub fn forward_packed(&mut self, inputs: &[&Array<E>]) -> Result<PackedSpikes, Error> {
        self.neuron().spec().check_template(Template::PackedFptt)?;
        let packed = self.pass(inputs, |operation, states, parameters, is_training| {
            if is_training {
                let (stepped, context) = operation.forward_with(inputs, states, parameters)?;
                let result = PackedSpikes::pack(operation.neuron.spec(), &stepped.spike)?;
                return Ok(Pass { result, states: stepped.states, context: Some(context) });
            }
            let PackedStepped { spike, states } = operation.packed(inputs, states, parameters)?;
            Ok(Pass { result: spike, states, context: None })
        })?;
        self.v_seq = None;
        Ok(packed)
    }
}

impl<N: Neuron + Clone + Default, E: Element, S: Stepping> Default for Stateful<N, E, S> {
    fn default() -> Self {
        Self::new(N::default())
    }
}

/// As the 2020 API's `extra_repr`: `v_threshold=1, v_reset=0, detach_reset=false, surrogate_function=ATan,
/// alpha=2, tau=100`; `v_reset=None` stands for soft reset. Flags follow where they are not at their default.
impl<N: Neuron, E: Element, S> fmt::Display for Stateful<N, E, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Operation { neuron, gradient, .. } = &self.operation;
        let spec = neuron.spec();
        let show = |name: &str| match neuron.get(name) {
            _ if self.parameters.is_set(name) => {
                format!("{:?}", self.parameters.get(name).map_or(&[][..], Array::shape))
            }
            Some(Value::Real(value)) => value.to_string(),
            Some(Value::Flag(value)) => value.to_string(),
            None => "?".to_owned(),
        };
        if spec.fires() {
            let v_reset = if neuron.reset() == Reset::Soft { "None".to_owned() } else { show("v_reset") };
            let (detach_reset, surrogate) = (gradient.detach_reset, gradient.surrogate);
            write!(f, "v_threshold={}, v_reset={v_reset}, ", show("v_threshold"))?;
            write!(f, "detach_reset={detach_reset}, surrogate_function={}", surrogate.name())?;
            for (name, value) in surrogate.parameters() {
                write!(f, ", {name}={value}")?;
            }
        }
        let params = spec.params.iter().map(|param| param.name);
        let flags = spec.flags.iter();
        let flags = flags.filter(|flag| neuron.get(flag.name) != Some(Value::Flag(flag.default)));
        let own = params.chain(flags.map(|flag| flag.name));
        let first = if spec.fires() { ", " } else { "" };
        for (i, name) in own.filter(|name| !["v_threshold", "v_reset"].contains(name)).enumerate() {
            write!(f, "{}{name}={}", if i == 0 { first } else { ", " }, show(name))?;
        }
        Ok(())
    }
}
