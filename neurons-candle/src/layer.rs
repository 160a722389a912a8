//! Neurons as layers of a network.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::{DType, Module, Shape, Tensor};
use candle_nn::{Init, VarBuilder};
use neuron_runtime::{Device, Gradient, Neuron, OutOfRange, ParamKind};

use crate::Error;
use crate::call::{Given, Wanted, call};
use crate::check::{Ranges, check_ranges, state_dtype, state_dtype_of, step_dims};
use crate::function::initial;
use crate::history::History;
use crate::launch::Neurons;
use crate::norm::Normalised;
use crate::own::{OwnValues, own_value};
use crate::range::project;

/// A layer of neurons without memory: every sequence starts from the initial state.
#[derive(Clone, Debug)]
pub struct MultiStep<N> {
    neurons: Neurons<N>,
    /// Values of array parameters; `None` stands for the neuron's value.
    parameters: Vec<Option<Tensor>>,
    own_values: OwnValues,
    out_of_range: OutOfRange,
    /// Whether the values of parameters may have changed since they were last found to be in range.
    may_have_changed: Arc<AtomicBool>,
}

impl<N: Neuron + Clone> MultiStep<N> {
    /// A layer of `neuron`, differentiated as specified by `gradient`.
    ///
    /// Every parameter has the neuron's value, the same for all neurons; see [`MultiStep::learn`] and
    /// [`MultiStep::with_parameter`].
    ///
    /// # Errors
    /// A parameter of the neuron or the surrogate is out of range.
    pub fn new(neuron: N, gradient: Gradient) -> Result<Self, Error> {
        neuron.validate()?;
        gradient.surrogate.validate()?;
        let parameters = vec![None; neuron.spec().arrays().count()];
        Ok(Self {
            neurons: Neurons::new(neuron, gradient),
            parameters,
            own_values: OwnValues::default(),
            out_of_range: OutOfRange::Refuse,
            may_have_changed: Arc::new(AtomicBool::new(true)),
        })
    }

    /// Runs the neurons on `device`, for instance a GPU, although tensors are on candle's CPU: they are copied for each pass.
    /// This does not need a CUDA build of candle. With the feature `cuda`, it is not needed: neurons run where their tensors are.
    #[must_use]
    pub fn on(mut self, device: Device) -> Self {
        self.neurons.device = device;
        self
    }

    /// Sets what a call does with values of parameters that an optimiser has moved out of range: refuse them, which is the
    /// default, or move them back to the closest ones in range, in the variables themselves (projected gradient descent).
    /// Only candle's variables can be moved; other tensors out of range are refused.
    ///
    /// Calls on the CPU look at the values every time. On a GPU that is a copy, which waits for all work before it, so they do it
    /// only where the values may have changed: the first time, and after a backward pass through the layer;
    /// see [`MultiStep::recheck`].
    #[must_use]
    pub fn with_out_of_range(mut self, out_of_range: OutOfRange) -> Self {
        self.out_of_range = out_of_range;
        self
    }

    /// Lets the next call check the values of parameters, which have been changed by something other than training:
    /// variables that were loaded, for instance. Needed on a GPU only.
    pub fn recheck(&self) {
        self.may_have_changed.store(true, Ordering::Relaxed);
    }

    /// Makes the neuron's `learnable` parameters variables of `vb` under their names, except those set before by
    /// [`MultiStep::with_parameter`]. New variables are initialised with the neuron's values.
    ///
    /// Each has the given shape, which is broadcast to that of the states as in [`step_with`](crate::step_with): `()` is
    /// one value for all neurons, `(C, 1, 1)` one per channel of `[B, C, H, W]`. Has no effect on a neuron without
    /// learnable parameters.
    ///
    /// ```
    /// # use candle_core::{DType, Device};
    /// # use candle_nn::{VarBuilder, VarMap};
    /// # use neuron_runtime::neuron;
    /// # use neurons_candle::{Gradient, MultiStep};
    /// neuron! {
    ///     /// Leaky integrate-and-fire that learns its time constant.
    ///     pub struct Plif {
    ///         learnable w = 0.0;
    ///         charge = v + (x - (v - v_reset)) * sigmoid(w);
    ///         reset hard | soft;
    ///     }
    /// }
    ///
    /// let variables = VarMap::new();
    /// let vb = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
    /// let plif = MultiStep::new(Plif::default(), Gradient::default())?.learn(128, vb.pp("hidden"))?;
    /// assert_eq!(variables.data().lock().unwrap()["hidden.w"].dims(), [128]);
    /// # Ok::<(), neurons_candle::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of `vb`, if a stored tensor is missing or has another shape; as [`MultiStep::with_parameter`].
    pub fn learn(mut self, shape: impl Into<Shape>, vb: VarBuilder<'_>) -> Result<Self, Error> {
        let shape = shape.into();
        for (i, param) in self.neuron().spec().arrays().enumerate() {
            if param.kind == ParamKind::Learnable && self.parameters[i].is_none() {
                let own = Init::Const(own_value(&self.neurons.neuron, param));
                let values = vb.get_with_hints(shape.clone(), param.name, own)?;
                self = self.with_parameter(param.name, values)?;
            }
        }
        Ok(self)
    }

    /// Sets the values of an array parameter. For a `learnable`, they can be a variable, or computed from variables; no
    /// gradient flows to an `array`.
    ///
    /// Shapes are as in [`step_with`](crate::step_with). Values may be in any data format, and are converted to that of the
    /// states.
    ///
    /// # Errors
    /// There is no such parameter, or it is a `param`; [`Error::UnsupportedDType`]; values are out of range, which each
    /// call checks again. Shapes are checked by the call.
    pub fn with_parameter(mut self, name: &str, values: Tensor) -> Result<Self, Error> {
        let at = self.neuron().spec().array_index(name)?;
        state_dtype_of(name, &values)?;
        self.parameters[at] = Some(values.clone());
        self.project(values.dtype())?;
        check_ranges(&self.neurons.neuron, &self.values(&values, None)?)?;
        // Clones of the layer keep their own values.
        self.may_have_changed = Arc::new(AtomicBool::new(true));
        Ok(self)
    }

    /// The values set for a parameter; `None` if all neurons have the value of [`MultiStep::neuron`].
    pub fn parameter(&self, name: &str) -> Option<&Tensor> {
        self.parameters[self.neuron().spec().array_index(name).ok()?].as_ref()
    }

    /// The neuron, without the parameters set by [`MultiStep::learn`] and [`MultiStep::with_parameter`].
    pub fn neuron(&self) -> &N {
        &self.neurons.neuron
    }

    /// From input `[T, ...]` to spikes or output `[T, ...]`, for neurons with one input.
    ///
    /// # Errors
    /// As [`multi_step`](crate::multi_step).
    pub fn forward(&self, x_seq: &Tensor) -> Result<Tensor, Error> {
        let wanted = Wanted { states: false, history: Some(&mut History::default()), ..Wanted::default() };
        Ok(self.run(true, &[x_seq], None, None, wanted)?.0)
    }

    /// From input `[T, ...]` and states `[...]` (`None` stands for the initial states) to spikes `[T, ...]` and the states
    /// after the last step.
    ///
    /// # Errors
    /// As [`multi_step`](crate::multi_step).
    pub fn forward_from(
        &self,
        x_seq: &Tensor,
        states: Option<&[Tensor]>,
    ) -> Result<(Tensor, Vec<Tensor>), Error> {
        self.forward_all(&[x_seq], states)
    }

    /// As [`MultiStep::forward_from`], for neurons with any number of inputs.
    ///
    /// # Errors
    /// As [`multi_step`](crate::multi_step).
    pub fn forward_all(
        &self,
        inputs: &[&Tensor],
        states: Option<&[Tensor]>,
    ) -> Result<(Tensor, Vec<Tensor>), Error> {
        let wanted = Wanted { states: true, history: Some(&mut History::default()), ..Wanted::default() };
        self.run(true, inputs, states, None, wanted)
    }

    /// Runs a step or a sequence. `normalised` has the parameters of an input that is normalised.
    pub(crate) fn run(
        &self,
        is_sequence: bool,
        inputs: &[&Tensor],
        states: Option<&[Tensor]>,
        normalised: Option<&Normalised>,
        wanted: Wanted<'_>,
    ) -> Result<(Tensor, Vec<Tensor>), Error> {
        // Without an input there is nothing to make states or values for; the call refuses it by name.
        let Some(x) = inputs.first() else {
            let given = Given { is_sequence, states, parameters: &[], ranges: Ranges::Known };
            return call(&self.neurons, inputs, &given, wanted);
        };
        let ranges = self.ranges(x);
        if ranges == Ranges::Check {
            self.project(x.dtype())?;
        }
        let varies = self.neuron().spec().states.iter().any(|state| state.varies);
        let initial = match states {
            None if varies => Some(self.initial_with(is_sequence, x, normalised, ranges)?),
            _ => None,
        };
        let parameters = self.values(x, normalised)?;
        let given =
            Given { is_sequence, states: states.or(initial.as_deref()), parameters: &parameters, ranges };
        let grad_input = normalised.and_then(|normalised| normalised.grad_input.as_ref());
        let wanted = Wanted { may_change: Some(&self.may_have_changed), grad_input, ..wanted };
        let results = call(&self.neurons, inputs, &given, wanted)?;
        if ranges == Ranges::Check {
            self.may_have_changed.store(false, Ordering::Relaxed);
        }
        Ok(results)
    }

    /// Whether a call with `x` checks the values of parameters.
    fn ranges(&self, x: &Tensor) -> Ranges {
        let are_own = self.parameters.iter().all(Option::is_none);
        if are_own || (!x.device().is_cpu() && !self.may_have_changed.load(Ordering::Relaxed)) {
            Ranges::Known
        } else {
            Ranges::Check
        }
    }

    /// Moves variables out of range back, if that was asked for; for data of format `dtype`.
    fn project(&self, dtype: DType) -> Result<(), Error> {
        match self.out_of_range {
            OutOfRange::Refuse => Ok(()),
            OutOfRange::Clamp => project(&self.neurons.neuron, &self.parameters, dtype),
        }
    }

    /// The states before the first step, for `x`, the first input.
    pub(crate) fn initial(
        &self,
        is_sequence: bool,
        x: &Tensor,
        normalised: Option<&Normalised>,
    ) -> Result<Vec<Tensor>, Error> {
        self.initial_with(is_sequence, x, normalised, self.ranges(x))
    }

    fn initial_with(
        &self,
        is_sequence: bool,
        x: &Tensor,
        normalised: Option<&Normalised>,
        ranges: Ranges,
    ) -> Result<Vec<Tensor>, Error> {
        let spec = self.neuron().spec();
        let dims = if is_sequence { step_dims(spec, x)? } else { x.dims() };
        let dtype = state_dtype_of(spec.inputs[0], x)?;
        initial(&self.neurons.neuron, dims, &self.values(x, normalised)?, x, dtype, ranges)
    }

    /// The values of all array parameters, in the format of the states for data like `x`.
    fn values(&self, x: &Tensor, normalised: Option<&Normalised>) -> Result<Vec<Tensor>, Error> {
        let Some(dtype) = state_dtype(x.dtype()) else { return Ok(Vec::new()) };
        if self.parameters.is_empty() {
            return Ok(Vec::new());
        }
        let own = self.own_values.get(self.neuron(), x, dtype)?;
        let value = |(own, values): (Tensor, &Option<Tensor>)| match values {
            Some(values) => values.to_dtype(dtype),
            None => Ok(own),
        };
        let values = own.into_iter().zip(&self.parameters).map(value);
        let mut values = values.collect::<candle_core::Result<Vec<_>>>()?;
        for (place, other) in normalised.iter().flat_map(|normalised| &normalised.parameters) {
            values[*place] = other.clone();
        }
        Ok(values)
    }
}

impl<N: Neuron + Clone> Module for MultiStep<N> {
    fn forward(&self, x_seq: &Tensor) -> candle_core::Result<Tensor> {
        Ok(self.forward(x_seq)?)
    }
}
