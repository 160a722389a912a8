//! Forward passes of training operations.

use std::marker::PhantomData;

use super::context::{Context, first, no_output};
use super::given::{Given, own_value, refs};
use super::results::{PackedStepped, Stepped};
use super::stepping::{Sequence, Single, Stepping};
use crate::array_call::{ByRole, compute};
use crate::plan::{Keep, plan};
use crate::{Array, Device, Element, Error, Gradient, Neuron, PackedSpikes, ParamSpec, Role, Template};

/// A differentiable operation on explicit states: nothing is kept between calls.
///
/// The counterpart of the 2020 API's autograd functions: `IFStep` is `Step<If>`, `LIFMultiStep` is
/// `MultiStep<Lif>`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Operation<N, S> {
    /// The neuron with its parameters.
    pub neuron: N,
    /// How spikes are differentiated.
    pub gradient: Gradient,
    /// What forward passes save for their backward passes; `None` leaves the choice to [`plan()`]. Gradients are
    /// bit-identical either way.
    pub keep: Option<Keep>,
    /// Whether a GPU may compute sequences by a scan over time, for several chunks of steps at once, where that is faster: for few
    /// neurons over many steps. A step has to be affine in the states, else calls fail ([`Error::NotAffine`]).
    ///
    /// Results then differ by rounding from those of other sizes and of the CPU, which computes as it does otherwise. They are
    /// the same bits in every run.
    pub scan: bool,
    stepping: PhantomData<S>,
}

/// A single step; see [`Operation`].
pub type Step<N> = Operation<N, Single>;

/// A sequence of steps; see [`Operation`].
pub type MultiStep<N> = Operation<N, Sequence>;

impl<N: Neuron + Clone, S: Stepping> Operation<N, S> {
    /// An operation of a neuron, differentiated by a surrogate or a [`Gradient`].
    pub fn new(neuron: N, gradient: impl Into<Gradient>) -> Self {
        Self { neuron, gradient: gradient.into(), keep: None, scan: false, stepping: PhantomData }
    }

    /// Forward pass of a neuron with one input and one state: spikes, `v` after the last step, and what
    /// [`Context::backward`] needs.
    ///
    /// `v` has any shape; `x` has that shape, or `[T, ...]` for a sequence.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Arity`] if the neuron has more inputs or states, and as [`Neuron::run`].
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

    /// As [`Operation::forward_all`], with values for the array parameters ([`Spec::arrays`](crate::Spec::arrays), in order)
    /// in place of those of the neuron.
    ///
    /// Their shapes are broadcast to that of the states as usual: `[]` is one value for all neurons, `[C, 1, 1]` one per
    /// channel of `[B, C, H, W]`, `[C, H, W]` one per neuron of an image. Only outer and inner dimensions can be repeated.
    ///
    /// # Errors
    /// As [`Operation::forward`]; ranges are checked only for values in the memory of the CPU.
    pub fn forward_with<E: Element>(
        &self,
        inputs: &[&Array<E>],
        states: &[&Array<E::Real>],
        parameters: &[&Array<E::Real>],
    ) -> Result<(Stepped<E>, Context<N, E>), Error> {
        let given = Given::check::<S>(self.neuron.spec(), inputs, states, parameters)?;
        // If only the backward pass reads it, this is the last chance to report it.
        self.gradient.surrogate.validate_in::<E::Real>()?;
        let keep = self.keep.unwrap_or_else(|| {
            // Only the recompute pair is scanned.
            if self.scan && S::IS_SEQUENCE {
                return Keep::Checkpoints;
            }
            plan::<E>(self.neuron.spec(), given.shapes.steps, given.shapes.dims.iter().product()).keep
        });
        let [forward, backward] = S::templates(keep);
        let (stepped, kept) = self.run(forward, &given)?;
        let mut context = Context {
            neuron: self.neuron.clone(),
            gradient: self.gradient,
            scan: self.scan,
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
        Ok(self
            .run(S::template(false), &Given::check::<S>(self.neuron.spec(), inputs, states, parameters)?)?
            .0)
    }

    /// As [`Operation::inference_with`], with the membrane potential after every step, `[T, ...]`; for sequences only.
    pub(crate) fn recorded<E: Element>(
        &self,
        inputs: &[&Array<E>],
        states: &[&Array<E::Real>],
        parameters: &[&Array<E::Real>],
    ) -> Result<(Stepped<E>, Array<E::Real>), Error> {
        let given = Given::check::<S>(self.neuron.spec(), inputs, states, parameters)?;
        let (stepped, mut others) = self.run(Template::FpttWithV, &given)?;
        let recorded = others.take_state(Role::Trace);
        Ok((stepped, recorded.ok_or_else(|| self.no_output(Template::FpttWithV))?))
    }

    /// As [`Operation::inference_with`], with bit-packed spikes; for sequences only.
    pub(crate) fn packed<E: Element>(
        &self,
        inputs: &[&Array<E>],
        states: &[&Array<E::Real>],
        parameters: &[&Array<E::Real>],
    ) -> Result<PackedStepped<E::Real>, Error> {
        let given = Given::check::<S>(self.neuron.spec(), inputs, states, parameters)?;
        let template = Template::PackedFptt;
        let mut computed = self.compute(template, &given)?;
        let words = computed.take_bits(Role::Output).ok_or_else(|| self.no_output(template))?;
        let spike = PackedSpikes::new(self.neuron.spec(), given.shapes.signals.clone(), words);
        Ok(PackedStepped { spike, states: self.take_states(template, &mut computed)? })
    }

    /// The neuron's values of its array parameters, one for all neurons, on the device of the inputs.
    pub(crate) fn parameters<E: Element>(&self, inputs: &[&Array<E>]) -> Result<Vec<Array<E::Real>>, Error> {
        let device = inputs.first().map_or(Device::Cpu, |input| input.device());
        let array = |param: &ParamSpec| own_value(&self.neuron, param).to(&device);
        self.neuron.spec().arrays().map(array).collect()
    }

    /// Runs a forward template; returns spikes and states, and its other outputs.
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
        let &Self { gradient, scan, .. } = self;
        compute(&self.neuron, template, gradient, scan, &given.shapes, |role| given.get(spec, role))
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
}

impl<N: Neuron + Clone> Operation<N, Sequence> {
    /// Forward pass without gradient of any neuron that fires, with bit-packed spikes; see [`Operation::forward_all`].
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

    /// Forward pass without gradient of any neuron, with the membrane potential after every step, `[T, ...]`; see
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
