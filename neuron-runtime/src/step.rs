//! Training operations: a forward pass that saves what its backward pass needs.

use std::fmt::Debug;
use std::marker::PhantomData;

use crate::array_call::{ArrayRef, ByRole, Shapes, compute};
use crate::plan::{Keep, plan};
use crate::shape::{arity, same, sequence_of, shape_error};
use crate::{
    Array, ByClass, Device, Element, Error, Gradient, Neuron, PackedSpikes, ParamKind, ParamSpec, Real, Role,
    Spec, Template, Value,
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

/// What a forward pass kept for its backward pass.
#[derive(Clone, Debug)]
pub struct Context<N, E: Element> {
    neuron: N,
    gradient: Gradient,
    shapes: Shapes,
    /// Factors; or checkpoints, with the inputs and initial states that the backward pass computes the steps again from.
    kept: ByRole<E>,
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
        let given = self.check(inputs, states, parameters)?;
        // The backward pass may be the first to read it: too late for an error.
        self.gradient.surrogate.validate_in::<E::Real>()?;
        let keep = self.keep.unwrap_or_else(|| {
            plan::<E>(self.neuron.spec(), given.shapes.steps, given.shapes.dims.iter().product()).keep
        });
        let [forward, backward] = S::templates(keep);
        let (stepped, kept) = self.run(forward, &given)?;
        let mut context = Context {
            neuron: self.neuron.clone(),
            gradient: self.gradient,
            shapes: given.shapes.clone(),
            kept,
            parameters: parameters.iter().map(|&array| array.clone()).collect(),
            template: backward,
        };
        if keep == Keep::Checkpoints {
            context.keep_start(&given)?;
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
        let given = self.check(inputs, states, parameters)?;
        let (stepped, mut others) = self.run(Template::FpttWithV, &given)?;
        let recorded = others.take_state(Role::Trace);
        Ok((stepped, recorded.ok_or_else(|| self.no_output(Template::FpttWithV))?))
    }

    /// As [`Operation::inference_with`], with spikes of one bit; of sequences only.
    pub(crate) fn packed<E: Element>(
        &self,
        inputs: &[&Array<E>],
        states: &[&Array<E::Real>],
        parameters: &[&Array<E::Real>],
    ) -> Result<PackedStepped<E::Real>, Error> {
        let given = self.check(inputs, states, parameters)?;
        let template = Template::PackedFptt;
        let mut computed = self.compute(template, &given)?;
        let words = computed.take_bits(Role::Output).ok_or_else(|| self.no_output(template))?;
        let spike = PackedSpikes::new(self.neuron.spec(), given.shapes.signals.clone(), words);
        Ok(PackedStepped { spike, states: self.take_states(template, &mut computed)? })
    }

    /// The neuron's own values of the parameters that may differ between neurons, one for all, where the inputs are.
    pub(crate) fn parameters<E: Element>(&self, inputs: &[&Array<E>]) -> Result<Vec<Array<E::Real>>, Error> {
        let device = inputs.first().map_or(Device::Cpu, |input| input.device());
        let array = |param: &ParamSpec| own_value(&self.neuron, param).to(&device);
        self.neuron.spec().arrays().map(array).collect()
    }

    /// What a forward template returns: spikes and states, and all else.
    fn run<E: Element>(
        &self,
        template: Template,
        given: &Given<'_, E>,
    ) -> Result<(Stepped<E>, ByRole<E>), Error> {
        let mut computed = self.compute(template, given)?;
        let spike = computed.take_signal(Role::Output).ok_or_else(|| self.no_output(template))?;
        let states = self.take_states(template, &mut computed)?;
        Ok((Stepped { spike, states }, computed))
    }

    fn compute<E: Element>(&self, template: Template, given: &Given<'_, E>) -> Result<ByRole<E>, Error> {
        let spec = self.neuron.spec();
        compute(&self.neuron, template, self.gradient, &given.shapes, |role| given.get(spec, role))
    }

    fn take_states<E: Element>(
        &self,
        template: Template,
        computed: &mut ByRole<E>,
    ) -> Result<Vec<Array<E::Real>>, Error> {
        let states =
            (0..self.neuron.spec().states.len()).map(|index| computed.take_state(Role::NextState(index)));
        states.collect::<Option<_>>().ok_or_else(|| self.no_output(template))
    }

    fn no_output(&self, template: Template) -> Error {
        no_output(self.neuron.spec(), template)
    }

    /// The arrays that every forward template reads, if their shapes fit.
    fn check<'a, E: Element>(
        &self,
        inputs: &'a [&'a Array<E>],
        states: &'a [&'a Array<E::Real>],
        parameters: &'a [&'a Array<E::Real>],
    ) -> Result<Given<'a, E>, Error> {
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
        let steps = if S::IS_SEQUENCE { shape[0] } else { 1 };
        let shapes = Shapes { dims: dims.to_vec(), signals: shape.to_vec(), steps };
        Ok(Given { shapes, inputs, states, parameters })
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
        let Shapes { dims, signals, .. } = &self.shapes;
        same(spec.name, &format!("grad_{}", spec.output), signals, grad_spike.shape())?;
        for (state, array) in spec.states.iter().zip(grad_states) {
            same(spec.name, &format!("grad_{}_next", state.name), dims, array.shape())?;
        }
        let array = |role| match role {
            Role::GradOutput => Some(ByClass::Signal(grad_spike)),
            Role::GradNextState(index) => grad_states.get(index).map(|&array| ByClass::State(array)),
            Role::Param(index) => self.parameters.get(spec.array_place(index)?).map(ByClass::Parameter),
            role => self.kept.get(role),
        };
        let mut computed = compute(&self.neuron, self.template, self.gradient, &self.shapes, array)?;
        let signals = (0..spec.inputs.len()).map(|index| computed.take_signal(Role::GradInput(index)));
        let inputs = signals.collect::<Option<_>>();
        let mut take_all = |roles: &mut dyn Iterator<Item = Role>| {
            roles.map(|role| computed.take_state(role)).collect::<Option<Vec<_>>>()
        };
        let states = take_all(&mut (0..spec.states.len()).map(Role::GradState));
        let learnables =
            spec.params.iter().enumerate().filter(|(_, param)| param.kind == ParamKind::Learnable);
        let parameters = take_all(&mut learnables.map(|(index, _)| Role::GradParam(index)));
        match (inputs, states, parameters) {
            (Some(inputs), Some(states), Some(parameters)) => Ok(Gradients { inputs, states, parameters }),
            _ => Err(no_output(spec, self.template)),
        }
    }

    /// Keeps the inputs and states that the steps are computed again from, which takes no memory: the caller has them.
    fn keep_start(&mut self, given: &Given<'_, E>) -> Result<(), Error> {
        let spec = self.neuron.spec();
        for buffer in spec.signature(Template::LeanBptt).inputs {
            let kept = match (buffer.role, given.get(spec, buffer.role)) {
                (Role::Input(_), Some(ByClass::Signal(array))) => ByClass::Signal(array.clone()),
                (Role::State(_), Some(ByClass::State(array))) => ByClass::State(array.clone()),
                // Of a single step there are no checkpoints, which is an array without elements.
                (Role::Checkpoint(index), _) if self.kept.get(buffer.role).is_none() => {
                    let device = given.states.get(index).map_or(Device::Cpu, |state| state.device());
                    let none = Array::zeros([&[0], self.shapes.dims.as_slice()].concat());
                    ByClass::State(none.to(&device)?)
                }
                _ => continue,
            };
            self.kept.insert(buffer.role, kept);
        }
        Ok(())
    }

    /// Bytes that it keeps besides what the caller has.
    pub fn kept_bytes(&self) -> usize {
        let bytes = self.kept.iter().map(|(role, array)| match (role, array) {
            (Role::Factor(_) | Role::Checkpoint(_), ByClass::State(array)) => {
                array.shape().iter().product::<usize>() * size_of::<E::Real>()
            }
            _ => 0,
        });
        bytes.sum()
    }

    /// The parameters that may differ between neurons, as the forward pass was given them.
    pub fn parameters(&self) -> &[Array<E::Real>] {
        &self.parameters
    }

    /// Shape of the states.
    pub fn dims(&self) -> &[usize] {
        &self.shapes.dims
    }
}

/// The arrays that a forward template reads.
struct Given<'a, E: Element> {
    shapes: Shapes,
    inputs: &'a [&'a Array<E>],
    states: &'a [&'a Array<E::Real>],
    parameters: &'a [&'a Array<E::Real>],
}

impl<'a, E: Element> Given<'a, E> {
    /// That of `role`; `spec` is the neuron's.
    fn get(&self, spec: &'static Spec, role: Role) -> Option<ArrayRef<'a, E>> {
        match role {
            Role::Input(index) => self.inputs.get(index).map(|&array| ByClass::Signal(array)),
            Role::State(index) => self.states.get(index).map(|&array| ByClass::State(array)),
            Role::Param(index) => {
                self.parameters.get(spec.array_place(index)?).map(|&array| ByClass::Parameter(array))
            }
            _ => None,
        }
    }
}

/// A signature without what every neuron gives.
fn no_output(spec: &'static Spec, template: Template) -> Error {
    Error::Signature { neuron: spec.name, template, what: "outputs" }
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
